#include "store/verification_store.h"

#include "otpgate/domain/otp_rules.h"
#include "store/audit_events.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::VerificationGuessResult;
using GuessOutcome = VerificationGuessResult::Outcome;

namespace {

const auto kInsertTries =
    db::RowStatement::insert("verification_attempts", {"attempts", "consumed_at_us", "expires_at_us", "id"});
const auto kUpdateTries =
    db::RowStatement::update("verification_attempts", {"attempts", "consumed_at_us", "expires_at_us"}, "id");

GuessOutcome outcomeOf(domain::TryOutcome outcome) {
    switch (outcome) {
    case domain::TryOutcome::Right: return GuessOutcome::Verified;
    case domain::TryOutcome::Wrong: return GuessOutcome::WrongCode;
    case domain::TryOutcome::Used: return GuessOutcome::Used;
    case domain::TryOutcome::TriesExhausted: return GuessOutcome::AttemptsExhausted;
    case domain::TryOutcome::BudgetExhausted: return GuessOutcome::BudgetExhausted;
    }
    return GuessOutcome::WrongCode;
}

}  // namespace

domain::VerificationMessageResult VerificationTable::send(const domain::VerificationMessage& request) {
    using SendOutcome = domain::VerificationMessageResult::Outcome;
    const auto work = [&]() -> domain::VerificationMessageResult {
        const auto audit = [&](AuditEvent event) {
            return AuditRow{request.auditId, event,       request.ownerId, request.destination.value(),
                            request.client,  request.now, std::nullopt};
        };
        Buckets buckets(connection_, {request.bucket, request.ownerBucket});
        std::vector<domain::Meter> meters{{&buckets.at(request.ownerBucket), &request.ownerRule}};
        if (request.message) meters.push_back({&buckets.at(request.bucket), &request.rule});
        const auto refuser = domain::takeAll(meters, request.now);
        if (refuser && meters[*refuser].bucket->noteRefusal(request.now)) {
            insertAuditEvent(connection_, audit(AuditEvent::OtpRateLimited));
        }
        if (!refuser && request.message) {
            insertMessage(connection_, *request.message);
            insertAuditEvent(connection_, audit(AuditEvent::VerificationRequested));
        }
        buckets.write(connection_);
        if (!refuser) return {SendOutcome::Accepted, buckets.at(request.bucket).hits()};
        return {*refuser == 0 ? SendOutcome::OwnerLimited : SendOutcome::DestinationLimited,
                meters[*refuser].bucket->hits()};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

VerificationGuessResult VerificationTable::check(const domain::VerificationGuess& guess) {
    const auto work = [&]() -> VerificationGuessResult {
        // A context names its owner and destination, so all checks of it wait here for each other.
        Buckets buckets(connection_, {guess.bucket});
        domain::Bucket& budget = buckets.at(guess.bucket);
        const auto row =
            connection_.queryOne("SELECT attempts, consumed_at_us FROM verification_attempts WHERE id = ?", {guess.id});
        domain::Tries tries{row ? static_cast<unsigned>(row->integer(0)) : 0, guess.maxAttempts,
                            row ? row->optionalTimestamp(1) : std::nullopt};
        const GuessOutcome outcome = outcomeOf(domain::countTry(guess.guess, guess.rule, guess.now, tries, budget));
        VerificationGuessResult result{outcome, tries.count, {}};
        const auto audit = [&](AuditEvent event) {
            insertAuditEvent(connection_, {guess.auditId, event, guess.ownerId, guess.destination.value(), guess.client,
                                           guess.now, std::nullopt});
        };
        if (outcome == GuessOutcome::BudgetExhausted) {
            result.hits = budget.hits();
            if (budget.noteRefusal(guess.now)) audit(AuditEvent::OtpLocked);
        } else if (outcome == GuessOutcome::Verified || outcome == GuessOutcome::WrongCode) {
            connection_.write(row ? kUpdateTries : kInsertTries,
                              {tries.count, tries.consumedAt, guess.expiresAt, guess.id});
            audit(outcome == GuessOutcome::Verified ? AuditEvent::VerificationSucceeded
                                                    : AuditEvent::VerificationFailed);
        }
        buckets.write(connection_);
        return result;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

}  // namespace otpgate::store
