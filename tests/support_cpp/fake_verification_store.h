// Answers what the test set, and keeps what it was asked.
#pragma once

#include "otpgate/domain/verification_store.h"

#include <vector>

namespace otpgate::test {

class FakeVerificationStore final : public domain::VerificationStore {
public:
    domain::VerificationMessageResult send(const domain::VerificationMessage& message) override {
        messages.push_back(message);
        return messageResult;
    }
    domain::VerificationGuessResult check(const domain::VerificationGuess& guess) override {
        guesses.push_back(guess);
        return guessResult;
    }

    domain::VerificationMessageResult messageResult;
    std::vector<domain::VerificationMessage> messages;
    domain::VerificationGuessResult guessResult;
    std::vector<domain::VerificationGuess> guesses;
};

}  // namespace otpgate::test
