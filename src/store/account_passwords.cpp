// Counting, changing and resetting passwords; comparing them is not for a transaction to wait for.
#include "otpgate/domain/short_codes.h"
#include "store/account_store.h"
#include "store/audit_events.h"
#include "store/group_calls.h"
#include "store/notices.h"
#include "store/otp_requests.h"
#include "store/rate_limits.h"
#include "store/session_store.h"
#include "store/users.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::Channel;
using domain::CountedGuess;

namespace {

struct Account {
    std::optional<domain::User> user;
    std::optional<std::string> passwordHash;
};

Account findAccount(db::Connection& connection, const domain::Destination& destination) {
    static const std::string byEmail = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.email = ?";
    static const std::string byPhone = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.phone_number = ?";
    const auto row =
        connection.queryOne(destination.channel() == Channel::Email ? byEmail : byPhone, {destination.value()});
    if (!row) return {};
    return {readUser(*row, 0), row->optionalText(kPasswordHashColumn)};
}

// Whoever asked for a reset before does not get to finish it after the password is another.
void voidResets(db::Connection& connection, const domain::User& user, Timestamp now) {
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (!address) continue;
        connection.execute(
            "UPDATE otp_requests SET redeemed_at_us = ?,"
            " expires_at_us = CASE WHEN expires_at_us > ? THEN ? ELSE expires_at_us END"
            " WHERE destination = ? AND purpose = 'reset' AND redeemed_at_us IS NULL",
            {now, now, now, *address});
    }
}

// The address that the reset proves, once: by a receipt, or by a guess that is counted here.
std::optional<domain::Destination> redeemReset(db::Connection& connection, const domain::PasswordReset& reset,
                                               domain::OtpVerifyResult& code) {
    if (const auto* guess = std::get_if<domain::OtpVerification>(&reset.proof)) {
        code = makeCall(connection, *guess);
        return code.destination;
    }
    const Uuid& otpId = std::get<Uuid>(reset.proof);
    auto destination = findProved(connection, otpId, domain::Purpose::Reset);
    if (!destination || !spendReceipt(connection, otpId, domain::Purpose::Reset, reset.now)) return std::nullopt;
    return destination;
}

}  // namespace

domain::CountedGuess AccountTable::countGuess(const domain::PasswordGuess& guess) {
    const auto work = [&]() -> domain::CountedGuess {
        Account account = findAccount(connection_, guess.destination);
        const bool isKnown = isKnownDevice(connection_, guess.device, account.user);
        // As for codes: what others do behind the same client address is no matter of a known device.
        const std::string& id = isKnown ? guess.deviceBucket : guess.bucket;
        const std::string& failureId = isKnown ? guess.deviceFailureBucket : guess.failureBucket;
        std::vector<std::string> counted{id};
        if (!isKnown) counted.push_back(guess.clientBucket);
        Buckets buckets;
        for (const std::string& bucket : counted) buckets.want(bucket);
        if (!failureId.empty()) buckets.want(failureId);
        buckets.read(connection_.lookUp({buckets.lookUp()}).front());
        domain::Bucket none;
        domain::Bucket& failures = failureId.empty() ? none : buckets.at(failureId);
        std::vector<domain::Meter> meters{{&buckets.at(id), &guess.rule}};
        if (!isKnown) meters.push_back({&buckets.at(guess.clientBucket), &guess.clientRule});
        const auto auditRefusalBy = [&](domain::Bucket& bucket) {
            if (!bucket.noteRefusal(guess.now)) return;
            std::optional<Uuid> userId;
            if (account.user) userId = account.user->id;
            insertAuditEvent(connection_, {guess.auditId, AuditEvent::OtpLocked, userId, guess.destination.value(),
                                           guess.client, guess.now, R"({"method":"pwd"})"});
        };
        if (failures.failures() >= domain::kMostFailures) {
            auditRefusalBy(failures);
            buckets.write(connection_);
            return {.outcome = CountedGuess::Outcome::TooManyFailures};
        }
        const auto refuser = domain::takeAll(meters, guess.now);
        if (refuser) auditRefusalBy(*meters[*refuser].bucket);
        // Whether it is one shows later; until then nobody else gets its place.
        if (!refuser) failures.fail(guess.now);
        buckets.write(connection_);
        if (refuser) {
            const auto outcome =
                *refuser == 0 ? CountedGuess::Outcome::DestinationLimited : CountedGuess::Outcome::ClientLimited;
            return {.outcome = outcome, .hits = meters[*refuser].bucket->hits()};
        }
        return {.outcome = CountedGuess::Outcome::Accepted,
                .buckets = std::move(counted),
                .failures = failures.failures(),
                .failureBucket = failureId,
                .isKnownDevice = isKnown,
                .hits = buckets.at(id).hits(),
                .user = std::move(account.user),
                .passwordHash = std::move(account.passwordHash)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

void AccountTable::giveBackGuess(const std::vector<std::string>& counted, const std::string& failureBucket,
                                 Timestamp countedAt) {
    connection_.transact([&] {
        Buckets buckets;
        for (const std::string& bucket : counted) buckets.want(bucket);
        if (!failureBucket.empty()) buckets.want(failureBucket);
        buckets.read(connection_.lookUp({buckets.lookUp()}).front());
        for (const std::string& bucket : counted) buckets.at(bucket).giveBack(countedAt);
        if (!failureBucket.empty()) buckets.at(failureBucket).takeBackFailure();
        buckets.write(connection_);
    });
}

std::optional<domain::OutboxMessage> AccountTable::auditWrongPassword(const domain::WrongPassword& wrong) {
    const auto work = [&]() -> std::optional<domain::OutboxMessage> {
        if (const auto& lane = wrong.failures) {
            Buckets buckets(connection_, {lane->requestBucket});
            buckets.at(lane->requestBucket).noteFailures(lane->failures, wrong.now);
            buckets.write(connection_);
        }
        insertAuditEvent(connection_, {wrong.auditId, AuditEvent::LoginFailed, wrong.userId, wrong.destination.value(),
                                       wrong.client, wrong.now, R"({"method":"pwd"})"});
        if (!wrong.notice || !wrong.userId) return std::nullopt;
        const auto user = findUser(connection_, *wrong.userId);
        const bool isActive = user && user->status == domain::UserStatus::Active;
        return isActive ? writeNotice(connection_, wrong.notice, *user) : std::nullopt;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

void AccountTable::upgradeHash(const Uuid& userId, std::string_view oldHash, std::string_view newHash) {
    connection_.execute("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
                        {newHash, userId, oldHash});
}

std::vector<std::string> AccountTable::passwordCosts() {
    std::vector<std::string> costs;
    for (const db::Row& row : connection_.query("SELECT cost FROM password_costs", {})) costs.push_back(row.text(0));
    return costs;
}

void AccountTable::notePasswordCosts(const std::vector<std::string>& costs) {
    for (const std::string& cost : costs) {
        try {
            connection_.execute("INSERT INTO password_costs (cost) VALUES (?)", {cost});
        } catch (const db::DbError& error) {
            if (error.kind() != db::ErrorKind::Duplicate) throw;
        }
    }
}

std::vector<std::pair<Uuid, std::string>> AccountTable::passwordHashes(const Uuid& after, unsigned limit) {
    std::vector<std::pair<Uuid, std::string>> hashes;
    for (const db::Row& row : connection_.query("SELECT id, password_hash FROM users WHERE id > ?"
                                                " AND password_hash IS NOT NULL ORDER BY id LIMIT ?",
                                                {after, limit})) {
        hashes.emplace_back(row.uuid(0), row.text(1));
    }
    return hashes;
}

std::optional<domain::User> AccountTable::findByReset(const Uuid& otpId) {
    return connection_.transact([&]() -> std::optional<domain::User> {
        const auto destination = findProved(connection_, otpId, domain::Purpose::Reset);
        if (!destination) return std::nullopt;
        return findUser(connection_, *destination);
    });
}

domain::PasswordSetting AccountTable::resetPassword(const domain::PasswordReset& reset) {
    const auto work = [&]() -> domain::PasswordSetting {
        domain::PasswordSetting setting;
        const auto destination = redeemReset(connection_, reset, setting.code);
        if (!destination) return setting;
        const auto user = findUser(connection_, *destination);
        if (!user || user->status != domain::UserStatus::Active) return setting;
        // Whoever has the mailbox alone changes nothing of it.
        setting.needsFactor = user->hasFactor;
        if (setting.needsFactor) return setting;
        connection_.execute("UPDATE users SET password_hash = ?, password_changed_at_us = ? WHERE id = ?",
                            {reset.passwordHash, reset.now, user->id});
        endSessions(connection_, user->id, std::nullopt, "password_reset", reset.now);
        voidResets(connection_, *user, reset.now);
        insertAuditEvent(connection_, {reset.auditId, AuditEvent::PasswordReset, user->id, destination->value(),
                                       reset.client, reset.now});
        setting.isDone = true;
        setting.notice = writeNotice(connection_, reset.notice, *user);
        return setting;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

domain::PasswordSetting AccountTable::changePassword(const domain::PasswordChange& change) {
    const auto work = [&]() -> domain::PasswordSetting {
        const auto changed = connection_.execute(
            "UPDATE users SET password_hash = ?, password_changed_at_us = ?"
            " WHERE id = ? AND password_hash = ? AND status = 'active'",
            {change.newHash, change.now, change.userId, change.oldHash});
        if (changed == 0) return {};
        endSessions(connection_, change.userId, change.keptSession, "password_changed", change.now);
        const auto user = findUser(connection_, change.userId).value();
        voidResets(connection_, user, change.now);
        insertAuditEvent(connection_, {change.auditId, AuditEvent::PasswordChanged, change.userId, std::nullopt,
                                       change.client, change.now});
        return {.isDone = true, .code = {}, .notice = writeNotice(connection_, change.notice, user)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

}  // namespace otpgate::store
