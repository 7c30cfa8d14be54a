// OtpStore over the procedures otp_request and otp_verify: one round trip each.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

class MysqlOtpStore final : public domain::OtpStore {
public:
    explicit MysqlOtpStore(db::Connection& connection) : connection_(connection) {}
    domain::OtpRequestResult request(const domain::NewOtpRequest& request) override;
    domain::OtpVerifyResult verify(const domain::OtpVerification& verification) override;
    std::optional<Uuid> findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                   const domain::ShownDevice& device, Timestamp since) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
