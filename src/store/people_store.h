// Accounts, devices, limits and messages, as an administrator looks for them.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/people_store.h"

namespace otpgate::store {

class PeopleTables final : public domain::PeopleStore {
public:
    explicit PeopleTables(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::FoundUser> find(domain::SearchField field, std::string_view prefix, std::string_view after,
                                        unsigned limit) override;
    std::vector<domain::User> newest(const std::optional<Uuid>& before, unsigned limit) override;
    std::vector<domain::KnownDevice> listDevices(const Uuid& userId) override;
    std::vector<std::string> hits(const std::vector<std::string>& buckets) override;
    void clear(const domain::LimitClearing& clearing) override;
    domain::FactorReset resetFactors(const domain::FactorResetting& resetting) override;
    void audit(const domain::AccountAct& act) override;
    domain::TestRequested askForTest(const domain::TestRequest& request) override;
    std::vector<domain::OutboxEntry> messagesTo(const std::vector<std::string>& addresses, unsigned limit,
                                                Timestamp now) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
