// The table verification_attempts, and the messages of the verification service.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/verification_store.h"

namespace otpgate::store {

class VerificationTable final : public domain::VerificationStore {
public:
    explicit VerificationTable(db::Connection& connection) : connection_(connection) {}
    domain::VerificationMessageResult send(const domain::VerificationMessage& request) override;
    domain::VerificationGuessResult check(const domain::VerificationGuess& guess) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
