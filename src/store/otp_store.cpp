#include "store/otp_store.h"

#include "store/group_kinds.h"
#include "store/otp_requests.h"

namespace otpgate::store {

domain::OtpRequestResult OtpTable::request(const domain::NewOtpRequest& request) {
    if (groups_ == nullptr) return transactAlone(connection_, requestOtps, request);
    return groups_->kinds().requests.make(request, connection_);
}

domain::OtpVerifyResult OtpTable::verify(const domain::OtpVerification& verification) {
    if (groups_ == nullptr) return transactAlone(connection_, verifyOtps, verification);
    return groups_->kinds().guesses.make(verification, connection_);
}

std::optional<Uuid> OtpTable::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                         const domain::ShownDevice& device, Timestamp since) {
    return findNewestOtp(connection_, destination, purpose, device, since);
}

}  // namespace otpgate::store
