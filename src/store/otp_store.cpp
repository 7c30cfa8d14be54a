#include "store/otp_store.h"

#include "store/group_queue.h"
#include "store/otp_requests.h"

#include <chrono>

namespace otpgate::store {

namespace {

constexpr std::chrono::milliseconds kSoon{500};

}  // namespace

domain::OtpRequestResult OtpTable::request(const domain::NewOtpRequest& request) {
    return make(request, connection_, groups_);
}

domain::OtpVerifyResult OtpTable::verify(const domain::OtpVerification& verification) {
    const auto started = std::chrono::steady_clock::now();
    try {
        return make(verification, connection_, groups_);
    } catch (const db::DbError& error) {
        if (!error.mayBeCommitted()) throw;
        // A server that hangs is not waited for twice.
        const bool wasSoon = std::chrono::steady_clock::now() - started < kSoon;
        if (!error.hasOtherHost() && !wasSoon) throw domain::OutcomeUnknown(error.what());
    }
    domain::OtpVerification again = verification;
    again.isRepeated = true;
    try {
        return transact(connection_, again);
    } catch (const db::DbError& error) {
        throw domain::OutcomeUnknown(error.what());
    }
}

std::optional<Uuid> OtpTable::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                         const domain::ShownDevice& device, Timestamp since, Timestamp now) {
    return findNewestOtp(connection_, destination, purpose, device, since, now);
}

std::optional<domain::OpenedLink> OtpTable::findOpened(const Uuid& otpId) {
    return findOpenedOtp(connection_, otpId);
}

}  // namespace otpgate::store
