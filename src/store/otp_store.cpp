#include "store/otp_store.h"

#include "store/group_queue.h"
#include "store/otp_requests.h"

namespace otpgate::store {

domain::OtpRequestResult OtpTable::request(const domain::NewOtpRequest& request) {
    return make(request, connection_, groups_);
}

domain::OtpVerifyResult OtpTable::verify(const domain::OtpVerification& verification) {
    return make(verification, connection_, groups_);
}

std::optional<Uuid> OtpTable::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                         const domain::ShownDevice& device, Timestamp since, Timestamp now) {
    return findNewestOtp(connection_, destination, purpose, device, since, now);
}

}  // namespace otpgate::store
