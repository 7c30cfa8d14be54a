// What the domain needs of a database for the verification service. Each function is one atomic step; one object a
// thread; throws ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_store.h"

#include <optional>
#include <string>

namespace otpgate::domain {

struct VerificationMessage {
    std::optional<OutboxMessage> message;  // none where the application sends the code itself
    Destination destination;
    Uuid ownerId;        // the user whose API key asked
    std::string bucket;  // of the destination, for all that is sent to it; asked where there is a message
    LimitRule rule;
    std::string ownerBucket;
    LimitRule ownerRule;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct VerificationMessageResult {
    enum class Outcome { Accepted, DestinationLimited, OwnerLimited };
    Outcome outcome = Outcome::Accepted;
    std::string hits;  // of the bucket that refused, else of the destination's: packed times, see LimitHits
};

struct VerificationGuess {
    Uuid id;  // of the context
    Guess guess = Guess::Wrong;
    unsigned maxAttempts = 0;
    Timestamp expiresAt;  // of the context: no check of it is counted from then on
    Uuid ownerId;
    Destination destination;
    std::string bucket;
    LimitRule rule;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct VerificationGuessResult {
    enum class Outcome { Verified, WrongCode, Used, AttemptsExhausted, BudgetExhausted };
    Outcome outcome = Outcome::WrongCode;
    unsigned attempts = 0;  // counted so far, this one included
    std::string hits;       // of the bucket, where the budget is exhausted
};

class VerificationStore {
public:
    virtual ~VerificationStore() = default;
    // Counts the request against the owner's bucket, and where there is a message against the destination's; then
    // writes the outbox row and the audit row. A refusal counts nowhere and is audited once a minute a bucket.
    virtual VerificationMessageResult send(const VerificationMessage& message) = 0;
    // Counts the attempt before it lets the outcome be known; one of many right guesses wins. A wrong guess takes a
    // place of the bucket, a spent bucket refuses right ones too.
    virtual VerificationGuessResult check(const VerificationGuess& guess) = 0;
};

}  // namespace otpgate::domain
