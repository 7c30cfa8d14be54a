// OtpStore in single statements, each function one transaction under SQLite's write lock.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

class SqliteOtpStore final : public domain::OtpStore {
public:
    explicit SqliteOtpStore(db::Connection& connection) : connection_(connection) {}
    domain::OtpRequestResult request(const domain::NewOtpRequest& request) override;
    domain::OtpVerifyResult verify(const domain::OtpVerification& verification) override;
    std::optional<Uuid> findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                   const domain::ShownDevice& device, Timestamp since) override;

private:
    struct LiveOtp;
    domain::OtpVerifyResult refuse(const domain::OtpVerification& verification, const LiveOtp& otp, std::string hits);
    domain::OtpVerifyResult succeed(const domain::OtpVerification& verification, const LiveOtp& otp);
    domain::OtpVerifyResult signIn(const domain::OtpVerification& verification, const LiveOtp& otp);
    Uuid rememberDevice(const domain::OtpVerification& verification, const Uuid& userId);

    db::Connection& connection_;
};

}  // namespace otpgate::store
