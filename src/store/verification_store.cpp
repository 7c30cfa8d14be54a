#include "store/verification_store.h"

#include "store/audit_events.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::VerificationGuessResult;
using Outcome = VerificationGuessResult::Outcome;

domain::VerificationMessageResult VerificationTable::send(const domain::VerificationMessage& request) {
    const domain::OutboxMessage& message = request.message;
    return connection_.transact([&]() -> domain::VerificationMessageResult {
        const auto audit = [&](AuditEvent event) {
            return AuditRow{request.auditId, event,       request.ownerId, message.destination.value(),
                            request.client,  request.now, std::nullopt};
        };
        holdBucket(connection_, request.bucket, request.now);
        auto taken = takeFromBucket(connection_, request.bucket, request.rule, request.now);
        if (!taken.isAccepted) {
            auditRefusal(connection_, request.bucket, audit(AuditEvent::OtpRateLimited));
            return {false, std::move(taken.hits)};
        }
        insertMessage(connection_, message);
        insertAuditEvent(connection_, audit(AuditEvent::VerificationRequested));
        return {true, std::move(taken.hits)};
    });
}

VerificationGuessResult VerificationTable::check(const domain::VerificationGuess& guess) {
    return connection_.transact([&]() -> VerificationGuessResult {
        // A context names its owner and destination, so all checks of it wait here for each other.
        holdBucket(connection_, guess.bucket, guess.now);
        const auto row =
            connection_.queryOne("SELECT attempts, consumed_at_us FROM verification_attempts WHERE id = ?", {guess.id});
        const auto attempts = row ? static_cast<unsigned>(row->integer(0)) : 0;
        if (row && !row->isNull(1)) return {Outcome::Used, attempts, {}};
        if (attempts >= guess.maxAttempts) return {Outcome::AttemptsExhausted, attempts, {}};

        const auto audit = [&](AuditEvent event) {
            return AuditRow{guess.auditId, event,     guess.ownerId, guess.destination.value(),
                            guess.client,  guess.now, std::nullopt};
        };
        // A right guess is not counted, but a spent budget refuses it like any other: who has it learns nothing more.
        const bool isRight = guess.guess == domain::Guess::Right;
        const auto budget = isRight ? &peekBucket : &takeFromBucket;
        auto answer = budget(connection_, guess.bucket, guess.rule, guess.now);
        if (!answer.isAccepted) {
            auditRefusal(connection_, guess.bucket, audit(AuditEvent::OtpLocked));
            return {Outcome::BudgetExhausted, attempts, std::move(answer.hits)};
        }
        countAttempt(guess, !row);
        insertAuditEvent(connection_,
                         audit(isRight ? AuditEvent::VerificationSucceeded : AuditEvent::VerificationFailed));
        return {isRight ? Outcome::Verified : Outcome::WrongCode, attempts + 1, {}};
    });
}

void VerificationTable::countAttempt(const domain::VerificationGuess& guess, bool isFirst) {
    const auto consumedAt = guess.guess == domain::Guess::Right ? std::optional{guess.now} : std::nullopt;
    if (isFirst) {
        connection_.execute(
            "INSERT INTO verification_attempts (id, attempts, consumed_at_us, expires_at_us) VALUES (?, 1, ?, ?)",
            {guess.id, consumedAt, guess.expiresAt});
    } else {
        connection_.execute("UPDATE verification_attempts SET attempts = attempts + 1, consumed_at_us = ? WHERE id = ?",
                            {consumedAt, guess.id});
    }
}

}  // namespace otpgate::store
