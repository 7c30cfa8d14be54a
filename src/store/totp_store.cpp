#include "store/totp_store.h"

#include "otpgate/domain/assurance.h"
#include "otpgate/domain/recovery_codes.h"
#include "otpgate/domain/short_codes.h"
#include "otpgate/domain/totp_rules.h"
#include "store/audit_events.h"
#include "store/factors.h"
#include "store/notices.h"
#include "store/rate_limits.h"
#include "store/sign_ins.h"
#include "store/ticket_store.h"
#include "store/users.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::Totp;
using domain::TotpInsertion;
using StepOutcome = domain::SecondStepResult::Outcome;

namespace {

constexpr std::string_view kTotpMetadata = R"({"method":"totp"})";
constexpr std::string_view kRecoveryMetadata = R"({"method":"recovery_code"})";
constexpr std::string_view kAddsFactorMetadata = R"({"method":"otp","may":"add_factor"})";
constexpr std::string_view kTrustMetadata = R"({"method":"totp","device":"trusted"})";

std::string_view stepMetadata(const domain::SecondStepGuess& guess) {
    if (guess.proof.addsFactor) return kAddsFactorMetadata;
    if (guess.proof.isRecovery) return kRecoveryMetadata;
    return guess.session.trustsDevice ? kTrustMetadata : kTotpMetadata;
}

std::string methodsBy(const domain::SecondStepGuess& guess) {
    const std::string& first = guess.pending.first.methods;
    if (guess.proof.addsFactor) return first;
    return guess.proof.isRecovery ? first + " rc" : domain::withTotp(first);
}

}  // namespace

std::vector<Totp> TotpTable::list(const Uuid& userId) {
    std::vector<Totp> totps;
    for (const db::Row& row :
         connection_.query("SELECT id, user_id, secret, name, last_step, created_at_us, last_used_at_us FROM totps"
                           " WHERE user_id = ? ORDER BY id",
                           {userId})) {
        totps.push_back({.id = row.uuid(0),
                         .userId = row.uuid(1),
                         .sealedSecret = row.text(2),
                         .name = row.text(3),
                         .lastStep = row.integer(4),
                         .createdAt = row.timestamp(5),
                         .lastUsedAt = row.optionalTimestamp(6)});
    }
    return totps;
}

TotpInsertion TotpTable::insert(const domain::NewTotp& newTotp, std::optional<domain::User>& user) {
    const Totp& totp = newTotp.totp;
    const auto methods = lockSession(connection_, newTotp.sessionId);
    // Who is locked has one added at a time, so what is counted is still true when the row is written.
    user = methods ? lockUser(connection_, totp.userId) : std::nullopt;
    if (!user) return TotpInsertion::SessionEnded;
    if (!domain::mayAddFactor(*methods, user->hasFactor)) return TotpInsertion::NeedsFactor;
    if (list(totp.userId).size() >= newTotp.most) return TotpInsertion::TooMany;
    try {
        connection_.execute(
            "INSERT INTO totps (id, user_id, secret, name, last_step, created_at_us) VALUES (?, ?, ?, ?, ?, ?)",
            {totp.id, totp.userId, db::Param::blob(totp.sealedSecret), totp.name, totp.lastStep, totp.createdAt});
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return TotpInsertion::KnownAlready;
    }
    raiseSession(connection_, newTotp.sessionId, domain::withTotp(*methods), totp.createdAt, newTotp.lifetimes);
    noteFactors(connection_, totp.userId);
    if (!user->hasFactor) endOtherSessions(connection_, totp.userId, newTotp.sessionId, totp.createdAt);
    return TotpInsertion::Added;
}

domain::TotpAddition TotpTable::add(const domain::NewTotp& newTotp) {
    const auto work = [&]() -> domain::TotpAddition {
        std::optional<domain::User> user;
        const TotpInsertion outcome = insert(newTotp, user);
        if (outcome != TotpInsertion::Added) return {outcome};
        insertAuditEvent(connection_, {newTotp.auditId, AuditEvent::TotpAdded, user->id, std::nullopt, newTotp.client,
                                       newTotp.totp.createdAt});
        return {outcome, writeNotice(connection_, newTotp.notice, *user)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

domain::TotpRemoval TotpTable::remove(const domain::RemovedTotp& removed) {
    const auto work = [&]() -> domain::TotpRemoval {
        const auto user = lockUser(connection_, removed.userId);
        if (!user) return {};
        if (connection_.execute("DELETE FROM totps WHERE id = ? AND user_id = ?", {removed.id, removed.userId}) == 0)
            return {};
        noteFactors(connection_, removed.userId);
        insertAuditEvent(connection_, {removed.auditId, AuditEvent::TotpRemoved, removed.userId, std::nullopt,
                                       removed.client, removed.now});
        return {true, writeNotice(connection_, removed.notice, *user)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

// It is good once, and so is the token; whoever is second at either finds it taken.
bool TotpTable::takeProof(const domain::SecondStepGuess& guess) {
    const Uuid& owner = guess.pending.first.userId;
    if (const auto& code = guess.proof.recoveryCode) {
        return connection_.execute(
                   "UPDATE recovery_codes SET used_at_us = ? WHERE id = ? AND user_id = ? AND confirmed = 1"
                   " AND used_at_us IS NULL",
                   {guess.session.now, *code, owner}) == 1;
    }
    const auto& match = guess.proof.match;
    if (!match) return false;
    return connection_.execute(
               "UPDATE totps SET last_step = ?, last_used_at_us = ? WHERE id = ? AND user_id = ? AND last_step < ?",
               {match->step, guess.session.now, match->totpId, owner, match->step}) == 1;
}

domain::SecondStepResult TotpTable::judge(const domain::SecondStepGuess& guess, std::optional<domain::User>& user) {
    const Timestamp now = guess.session.now;
    const std::string& firstBucket = guess.pending.first.guessBucket;
    user = lockUser(connection_, guess.pending.first.userId);
    if (!user) return {StepOutcome::Unknown};
    if (guess.proof.addsFactor) {
        // Nothing is guessed. Whoever has got a factor meanwhile shows that.
        const bool owes = guess.signIn != nullptr && domain::owesFactor(*user, *guess.signIn, now);
        return owes ? useToken(guess, *user) : domain::SecondStepResult{StepOutcome::Unknown};
    }
    const std::string& ownBucket =
        isKnownDevice(connection_, guess.session.shownDevice, user) ? guess.deviceBucket : guess.bucket;
    Buckets buckets(connection_, {firstBucket, ownBucket});
    domain::Bucket& own = buckets.at(ownBucket);
    // 80 bits are not guessed.
    const bool isLocked = own.failures() >= domain::kMostFailures;
    if (isLocked && !guess.proof.isRecovery) return {StepOutcome::TooManyFailures};
    for (domain::Bucket* bucket : {&buckets.at(firstBucket), &own}) {
        if (bucket->accepts(guess.guessRule, now)) continue;
        if (bucket->noteRefusal(now)) {
            insertAuditEvent(connection_, {guess.auditId, AuditEvent::OtpLocked, user->id, std::nullopt,
                                           guess.session.client, now, std::string{kTotpMetadata}});
        }
        buckets.write(connection_);
        return {StepOutcome::BudgetExhausted, bucket->hits()};
    }
    const bool isRight = takeProof(guess);
    if (isRight) {
        own.succeed(now, guess.guessRule.longest());
    } else {
        buckets.at(firstBucket).take(guess.guessRule, now);
        own.take(guess.guessRule, now);
        own.fail(now);
    }
    buckets.write(connection_);
    return isRight ? useToken(guess, *user) : domain::SecondStepResult{StepOutcome::Wrong};
}

domain::SecondStepResult TotpTable::useToken(const domain::SecondStepGuess& guess, const domain::User& user) {
    if (!TicketTable(connection_).use(guess.pending.id, guess.pending.expiresAt)) return {StepOutcome::TokenUsed};
    return {domain::mayEnter(user, guess.signIn) ? StepOutcome::SignedIn : StepOutcome::AccountDisabled};
}

void TotpTable::tell(const domain::SecondStepGuess& guess, const domain::User& user, domain::SecondStepResult& result) {
    auto draft = guess.proof.notice;
    if (guess.proof.isRecovery) {
        noteFactors(connection_, user.id);
        insertAuditEvent(connection_, {guess.recoveryAuditId, AuditEvent::RecoveryCodeUsed, user.id, std::nullopt,
                                       guess.session.client, guess.session.now});
        const auto left = connection_.queryOne(
            "SELECT COUNT(*) FROM recovery_codes WHERE user_id = ? AND confirmed = 1 AND used_at_us IS NULL",
            {user.id});
        if (draft && left->integer(0) <= domain::kFewRecoveryCodes) draft->facts.codesLeft = left->integer(0);
    }
    auto notice = writeNotice(connection_, draft, user);
    if (notice) result.notices.push_back(std::move(*notice));
}

domain::SecondStepResult TotpTable::guess(const domain::SecondStepGuess& guess) {
    const auto work = [&] {
        std::optional<domain::User> user;
        domain::SecondStepResult result = judge(guess, user);
        const bool isIn = result.outcome == StepOutcome::SignedIn;
        if (isIn) {
            const std::string methods = methodsBy(guess);
            OpenedSession opened = openSession(connection_, guess.session, methods, *user);
            result.signIn = std::move(opened.signIn);
            if (opened.notice) result.notices.push_back(std::move(*opened.notice));
            tell(guess, *user, result);
        }
        if (isIn || result.outcome == StepOutcome::Wrong || result.outcome == StepOutcome::AccountDisabled) {
            insertAuditEvent(connection_,
                             {guess.auditId, isIn ? AuditEvent::LoginSucceeded : AuditEvent::LoginFailed, user->id,
                              std::nullopt, guess.session.client, guess.session.now, std::string{stepMetadata(guess)},
                              isIn ? std::optional{guess.session.id} : std::nullopt});
        }
        return result;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

std::vector<std::pair<Uuid, std::string>> TotpTable::sealedSecrets(const Uuid& after, unsigned limit) {
    std::vector<std::pair<Uuid, std::string>> secrets;
    for (const db::Row& row :
         connection_.query("SELECT id, secret FROM totps WHERE id > ? ORDER BY id LIMIT ?", {after, limit})) {
        secrets.emplace_back(row.uuid(0), row.text(1));
    }
    return secrets;
}

void TotpTable::reseal(const Uuid& id, const std::string& before, const std::string& sealed) {
    connection_.execute("UPDATE totps SET secret = ? WHERE id = ? AND secret = ?",
                        {db::Param::blob(sealed), id, db::Param::blob(before)});
}

}  // namespace otpgate::store
