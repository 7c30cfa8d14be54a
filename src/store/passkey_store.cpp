#include "store/passkey_store.h"

#include "otpgate/crypto/hash.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/otp_rules.h"
#include "otpgate/domain/passkey_rules.h"
#include "store/audit_events.h"
#include "store/factors.h"
#include "store/notices.h"
#include "store/rate_limits.h"
#include "store/sign_ins.h"
#include "store/ticket_store.h"
#include "store/users.h"

#include <algorithm>
#include <stdexcept>

namespace otpgate::store {

using domain::AuditEvent;
using domain::Passkey;
using domain::PasskeyInsertion;
using PasskeyOutcome = domain::PasskeySignInResult::Outcome;

namespace {

constexpr std::string_view kPasskeyColumns =
    "p.id, p.user_id, p.user_handle, p.credential_id, p.algorithm, p.public_key, p.name, p.transports, p.aaguid,"
    " p.sign_count, p.backup_eligible, p.backed_up, p.created_at_us, p.last_used_at_us,"
    " p.verifies_user";

const db::LookUp kById("SELECT " + std::string{kPasskeyColumns} + " FROM passkeys p WHERE", "p.id = ?",
                       db::Locking::Wait);

Passkey readPasskey(const db::Row& row) {
    const auto algorithm = crypto::parsePasskeyAlgorithm(row.integer(4));
    if (!algorithm) throw std::runtime_error("unknown algorithm of a passkey in the database");
    return {.id = row.uuid(0),
            .userId = row.uuid(1),
            .userHandle = row.uuid(2),
            .credentialId = row.text(3),
            .key = {*algorithm, row.text(5)},
            .name = row.text(6),
            .transports = row.text(7),
            .aaguid = row.text(8),
            .signCount = static_cast<std::uint32_t>(row.integer(9)),
            .backupEligible = row.integer(10) != 0,
            .backedUp = row.integer(11) != 0,
            .verifiesUser = row.integer(14) != 0,
            .createdAt = row.timestamp(12),
            .lastUsedAt = row.optionalTimestamp(13)};
}

constexpr std::string_view kPasskeyMetadata = R"({"method":"passkey"})";
constexpr std::string_view kCloned = R"({"method":"passkey","reason":"counter"})";

}  // namespace

std::vector<Passkey> PasskeyTable::list(const Uuid& userId) {
    static const std::string sql =
        "SELECT " + std::string{kPasskeyColumns} + " FROM passkeys p WHERE p.user_id = ? ORDER BY p.id";
    std::vector<Passkey> passkeys;
    for (const db::Row& row : connection_.query(sql, {userId})) passkeys.push_back(readPasskey(row));
    return passkeys;
}

// By its hash: an index takes no thousand bytes.
std::optional<Passkey> PasskeyTable::find(std::string_view credentialId) {
    static const std::string sql =
        "SELECT " + std::string{kPasskeyColumns} + " FROM passkeys p WHERE p.credential_hash = ?";
    const std::string hash = crypto::sha256(credentialId);
    const auto row = connection_.queryOne(sql, {db::Param::blob(hash)});
    if (!row) return std::nullopt;
    return readPasskey(*row);
}

// In the transaction of what it is used for: that is undone together with it.
bool PasskeyTable::useChallenge(const domain::ChallengeUse& challenge) {
    return TicketTable(connection_).use(challenge.id, challenge.expiresAt);
}

bool PasskeyTable::isSite(const std::string& rpId, Timestamp now) {
    try {
        connection_.execute("INSERT INTO passkey_site (id, rp_id, since_us) VALUES (1, ?, ?)", {rpId, now});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
    }
    return this->rpId() == rpId;
}

std::optional<std::string> PasskeyTable::rpId() {
    const auto row = connection_.queryOne("SELECT rp_id FROM passkey_site WHERE id = ?", {1});
    if (!row) return std::nullopt;
    return row->text(0);
}

PasskeyInsertion PasskeyTable::insert(const domain::NewPasskey& newPasskey) {
    const Passkey& passkey = newPasskey.passkey;
    if (!useChallenge(newPasskey.challenge)) return PasskeyInsertion::ChallengeUsed;
    const auto methods = lockSession(connection_, newPasskey.sessionId);
    if (!methods) return PasskeyInsertion::SessionEnded;
    // Who is locked has one added at a time, so what is counted is still true when the row is written.
    const auto user = lockUser(connection_, passkey.userId);
    if (!user) return PasskeyInsertion::SessionEnded;
    if (!domain::mayAddFactor(*methods, user->hasFactor)) return PasskeyInsertion::NeedsFactor;
    const auto others = list(passkey.userId);
    if (others.size() >= newPasskey.most) return PasskeyInsertion::TooMany;
    if (!others.empty() && others.front().userHandle != passkey.userHandle) return PasskeyInsertion::OtherUser;
    if (find(passkey.credentialId)) return PasskeyInsertion::KnownAlready;
    if (!isSite(newPasskey.rpId, passkey.createdAt)) return PasskeyInsertion::OtherSite;
    const std::string hash = crypto::sha256(passkey.credentialId);
    try {
        connection_.execute(
            "INSERT INTO passkeys (id, user_id, user_handle, credential_id, credential_hash, algorithm, public_key, "
            "name,"
            " transports, aaguid, sign_count, backup_eligible, backed_up, verifies_user, created_at_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {passkey.id, passkey.userId, passkey.userHandle, db::Param::blob(passkey.credentialId),
             db::Param::blob(hash), static_cast<int>(passkey.key.algorithm), db::Param::blob(passkey.key.bytes),
             passkey.name, passkey.transports, db::Param::blob(passkey.aaguid), passkey.signCount,
             passkey.backupEligible ? 1 : 0, passkey.backedUp ? 1 : 0, passkey.verifiesUser ? 1 : 0,
             passkey.createdAt});
    } catch (const db::DbError& error) {
        // Somebody else was faster; the statement ends, not the transaction.
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return PasskeyInsertion::KnownAlready;
    }
    if (passkey.verifiesUser) protect(newPasskey, user->hasFactor);
    return PasskeyInsertion::Added;
}

// Whoever made it has just shown it, in this session.
void PasskeyTable::protect(const domain::NewPasskey& newPasskey, bool hadFactor) {
    const Passkey& passkey = newPasskey.passkey;
    raiseSession(connection_, newPasskey.sessionId, newPasskey.methods, passkey.createdAt, newPasskey.lifetimes);
    noteFactors(connection_, passkey.userId);
    if (!hadFactor) endOtherSessions(connection_, passkey.userId, newPasskey.sessionId, passkey.createdAt);
}

domain::PasskeyAddition PasskeyTable::add(const domain::NewPasskey& newPasskey) {
    const auto work = [&]() -> domain::PasskeyAddition {
        const PasskeyInsertion outcome = insert(newPasskey);
        if (outcome != PasskeyInsertion::Added) return {outcome};
        const Passkey& passkey = newPasskey.passkey;
        insertAuditEvent(connection_, {newPasskey.auditId, AuditEvent::PasskeyAdded, passkey.userId, std::nullopt,
                                       newPasskey.client, passkey.createdAt});
        return {outcome, writeNotice(connection_, newPasskey.notice, *findUser(connection_, passkey.userId))};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

bool PasskeyTable::rename(const Uuid& id, const Uuid& userId, std::string_view name) {
    return connection_.transact([&] {
        const auto rows = connection_.lookUp({{kById, {id}}})[0];
        if (rows.empty() || rows[0].uuid(1) != userId) return false;
        connection_.execute("UPDATE passkeys SET name = ? WHERE id = ?", {name, id});
        return true;
    });
}

domain::PasskeyRemoval PasskeyTable::remove(const domain::RemovedPasskey& removed) {
    const auto work = [&]() -> domain::PasskeyRemoval {
        const auto user = lockUser(connection_, removed.userId);
        if (!user) return {};
        if (connection_.execute("DELETE FROM passkeys WHERE id = ? AND user_id = ?", {removed.id, removed.userId}) == 0)
            return {};
        noteFactors(connection_, removed.userId);
        insertAuditEvent(connection_, {removed.auditId, AuditEvent::PasskeyRemoved, removed.userId, std::nullopt,
                                       removed.client, removed.now});
        return {true, writeNotice(connection_, removed.notice, *user)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

domain::PasskeySignInResult PasskeyTable::judge(const domain::PasskeySignIn& signIn, domain::User& user) {
    // Whoever removes it, or signs in by it at the same time, comes before or after this.
    const auto rows = connection_.lookUp({{kById, {signIn.passkey.id}}})[0];
    auto owner = rows.empty() ? std::nullopt : lockUser(connection_, signIn.passkey.userId);
    if (!owner) return {PasskeyOutcome::Removed};
    user = std::move(*owner);
    const bool isRight = signIn.facts && domain::countsOn(readPasskey(rows[0]).signCount, signIn.facts->signCount);
    const bool isKnown = isKnownDevice(connection_, signIn.session.shownDevice, user);
    Buckets buckets(connection_, {signIn.clientBucket, signIn.accountBucket});
    domain::Bucket& client = buckets.at(signIn.clientBucket);
    domain::Bucket& account = buckets.at(signIn.accountBucket);
    // As for codes: what others do behind the same client address is no matter of a known device. What is refused is
    // not tried, so the challenge stays, too.
    const bool isClientsTurn = isKnown || client.accepts(signIn.clientRule, signIn.session.now);
    if (!isClientsTurn || !account.accepts(signIn.accountRule, signIn.session.now)) {
        domain::Bucket& refuser = isClientsTurn ? account : client;
        if (refuser.noteRefusal(signIn.session.now)) {
            insertAuditEvent(connection_, {signIn.auditId, AuditEvent::OtpLocked, user.id, std::nullopt,
                                           signIn.session.client, signIn.session.now, std::string{kPasskeyMetadata}});
        }
        buckets.write(connection_);
        return {isClientsTurn ? PasskeyOutcome::AccountLimited : PasskeyOutcome::ClientLimited, refuser.hits()};
    }
    if (!useChallenge(signIn.challenge)) return {PasskeyOutcome::ChallengeUsed};
    if (isRight || isKnown) {
        account.take(signIn.accountRule, signIn.session.now);
    } else {
        client.take(signIn.clientRule, signIn.session.now);
    }
    buckets.write(connection_);
    if (!isRight) return {signIn.facts ? PasskeyOutcome::Cloned : PasskeyOutcome::Wrong};
    if (!domain::mayEnter(user, signIn.signIn)) return {PasskeyOutcome::AccountDisabled};
    const Timestamp now = signIn.session.now;
    const bool owesFactor = signIn.signIn != nullptr && domain::owesFactor(user, *signIn.signIn, now);
    if (!domain::opensAccount(signIn.methods, user.hasFactor) || owesFactor) return {PasskeyOutcome::NeedsFactor};
    if (signIn.signIn != nullptr) domain::noteWantedFactor(user, *signIn.signIn, now);
    return {PasskeyOutcome::SignedIn};
}

domain::PasskeySignInResult PasskeyTable::signIn(const domain::PasskeySignIn& signIn) {
    const Timestamp now = signIn.session.now;
    const auto work = [&] {
        domain::User user;
        domain::PasskeySignInResult result = judge(signIn, user);
        const bool isJudged =
            result.outcome != PasskeyOutcome::ChallengeUsed && result.outcome != PasskeyOutcome::Removed &&
            result.outcome != PasskeyOutcome::ClientLimited && result.outcome != PasskeyOutcome::AccountLimited;
        if (!isJudged) return result;
        const bool isIn = result.outcome == PasskeyOutcome::SignedIn;
        if (isIn) {
            OpenedSession opened = openSession(connection_, signIn.session, signIn.methods, user);
            result.signIn = std::move(opened.signIn);
            result.notice = std::move(opened.notice);
            connection_.execute(
                "UPDATE passkeys SET sign_count = ?, backed_up = ?, last_used_at_us = ?,"
                " verifies_user = CASE WHEN ? = 1 THEN 1 ELSE verifies_user END WHERE id = ?",
                {signIn.facts->signCount, signIn.facts->backedUp ? 1 : 0, signIn.session.now,
                 signIn.facts->userVerified ? 1 : 0, signIn.passkey.id});
            // One that was not known to verify its user before.
            if (signIn.facts->userVerified && !user.hasVerifyingPasskey) {
                noteFactors(connection_, user.id);
                if (!user.hasFactor) endOtherSessions(connection_, user.id, signIn.session.id, now);
            }
        }
        insertAuditEvent(connection_,
                         {signIn.auditId, isIn ? AuditEvent::LoginSucceeded : AuditEvent::LoginFailed, user.id,
                          std::nullopt, signIn.session.client, signIn.session.now,
                          std::string{result.outcome == PasskeyOutcome::Cloned ? kCloned : kPasskeyMetadata},
                          isIn ? std::optional{signIn.session.id} : std::nullopt});
        return result;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

}  // namespace otpgate::store
