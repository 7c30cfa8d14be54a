// The table totps, and what a sign-in by one writes beside it.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/totp_store.h"

namespace otpgate::store {

class TotpTable final : public domain::TotpStore {
public:
    explicit TotpTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::Totp> list(const Uuid& userId) override;
    domain::TotpAddition add(const domain::NewTotp& totp) override;
    domain::TotpRemoval remove(const domain::RemovedTotp& removed) override;
    domain::SecondStepResult guess(const domain::SecondStepGuess& guess) override;
    std::vector<std::pair<Uuid, std::string>> sealedSecrets(const Uuid& after, unsigned limit) override;
    void reseal(const Uuid& id, const std::string& before, const std::string& sealed) override;

private:
    domain::TotpInsertion insert(const domain::NewTotp& newTotp, std::optional<domain::User>& user);
    domain::SecondStepResult judge(const domain::SecondStepGuess& guess, std::optional<domain::User>& user);
    bool takeProof(const domain::SecondStepGuess& guess);
    domain::SecondStepResult useToken(const domain::SecondStepGuess& guess, const domain::User& user);
    void tell(const domain::SecondStepGuess& guess, const domain::User& user, domain::SecondStepResult& result);

    db::Connection& connection_;
};

}  // namespace otpgate::store
