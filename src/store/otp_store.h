// Codes and guesses at them: together with others' (groups.h), or each alone.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"
#include "otpgate/store/groups.h"

namespace otpgate::store {

class OtpTable final : public domain::OtpStore {
public:
    OtpTable(db::Connection& connection, Groups* groups) : connection_(connection), groups_(groups) {}
    domain::OtpRequestResult request(const domain::NewOtpRequest& request) override;
    domain::OtpVerifyResult verify(const domain::OtpVerification& verification) override;
    std::optional<domain::OpenedLink> findOpened(const Uuid& otpId) override;
    std::optional<Uuid> findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                   const domain::ShownDevice& device, Timestamp since, Timestamp now) override;

private:
    db::Connection& connection_;
    Groups* groups_;
};

}  // namespace otpgate::store
