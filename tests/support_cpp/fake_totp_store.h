// One authenticator app in memory, and the second steps of sign-ins: right ones where their proof names something.
#pragma once

#include "otpgate/domain/totp_store.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace otpgate::test {

class FakeTotpStore final : public domain::TotpStore {
public:
    std::vector<domain::Totp> list(const Uuid&) override { return {kept}; }
    domain::TotpAddition add(const domain::NewTotp& totp) override {
        kept = totp.totp;
        return {domain::TotpInsertion::Added};
    }
    domain::TotpRemoval remove(const domain::RemovedTotp&) override { return {}; }
    domain::SecondStepResult guess(const domain::SecondStepGuess& guess) override {
        last = guess;
        using Outcome = domain::SecondStepResult::Outcome;
        return {guess.proof.match || guess.proof.recoveryCode ? Outcome::SignedIn : Outcome::Wrong};
    }
    std::vector<std::pair<Uuid, std::string>> sealedSecrets(const Uuid& after, unsigned) override {
        if (after == kept.id) return {};
        return {{kept.id, kept.sealedSecret}};
    }
    void reseal(const Uuid&, const std::string&, const std::string& sealed) override { kept.sealedSecret = sealed; }

    domain::Totp kept;
    std::optional<domain::SecondStepGuess> last;
};

}  // namespace otpgate::test
