#include "store/sqlite_otp_store.h"

#include "store/otp_requests.h"
#include "store/rate_limits.h"
#include "store/users.h"
#include "store/words.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::Channel;
using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

namespace {

void insertOtpRequest(db::Connection& connection, const domain::NewOtpRequest& request) {
    const std::string& destination = request.destination.value();
    const std::string_view channel = domain::toString(request.destination.channel());
    const std::string_view purpose = domain::toString(request.purpose);
    const Uuid oldestLive = Uuid::lowestV7(request.oldestLive);
    connection.execute(
        "UPDATE otp_requests SET expires_at_us = ? WHERE destination = ? AND purpose = ? AND id >= ?"
        " AND consumed_at_us IS NULL AND expires_at_us > ?",
        {request.now, destination, purpose, oldestLive, request.now});
    connection.execute(
        "INSERT INTO otp_requests (id, destination, channel, purpose, guess_bucket, created_at_us,"
        " expires_at_us, max_attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        {request.id, destination, channel, purpose, db::Param::blob(request.guessBucket), request.now,
         request.expiresAt, request.maxAttempts});
    connection.execute(
        "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us,"
        " expires_at_us, available_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {request.outboxId, request.id, channel, purpose, destination, request.locale, request.client.requestId,
         request.now, request.expiresAt, request.outboxAvailableAt});
}

}  // namespace

domain::OtpRequestResult SqliteOtpStore::request(const domain::NewOtpRequest& request) {
    const auto audit = [&](AuditEvent event) {
        return AuditRow{request.auditId, event, std::nullopt, request.destination.value(), request.client, request.now};
    };
    return connection_.transact([&]() -> domain::OtpRequestResult {
        // Both are looked at before either counts: what is refused is counted nowhere.
        auto client = peekBucket(connection_, request.clientBucket, request.clientRule, request.now);
        if (!client.isAccepted) {
            auditRefusal(connection_, request.clientBucket, audit(AuditEvent::OtpRateLimited));
            return {RequestOutcome::ClientLimited, std::move(client.hits)};
        }
        auto destination = takeFromBucket(connection_, request.destinationBucket, request.destinationRule, request.now);
        if (!destination.isAccepted) {
            auditRefusal(connection_, request.destinationBucket, audit(AuditEvent::OtpRateLimited));
            return {RequestOutcome::DestinationLimited, std::move(destination.hits)};
        }
        takeFromBucket(connection_, request.clientBucket, request.clientRule, request.now);
        insertOtpRequest(connection_, request);
        insertAuditEvent(connection_, audit(AuditEvent::OtpRequested));
        return {RequestOutcome::Accepted, std::move(destination.hits)};
    });
}

// The row of a code whose attempt has just been counted.
struct SqliteOtpStore::LiveOtp {
    domain::Destination destination;
    std::string guessBucket;
    unsigned attemptsLeft;
};

domain::OtpVerifyResult SqliteOtpStore::verify(const domain::OtpVerification& verification) {
    return connection_.transact([&]() -> domain::OtpVerifyResult {
        const auto row = connection_.queryOne(
            "SELECT destination, channel, guess_bucket, attempts, max_attempts,"
            " expires_at_us, consumed_at_us FROM otp_requests WHERE id = ?",
            {verification.otpId});
        domain::OtpVerifyResult result;
        if (!row) return result;
        const auto attempts = row->integer(3);
        const auto maxAttempts = row->integer(4);
        if (!row->isNull(6))
            result.outcome = VerifyOutcome::Used;
        else if (row->timestamp(5) <= verification.now)
            result.outcome = VerifyOutcome::Expired;
        else if (attempts >= maxAttempts)
            result.outcome = VerifyOutcome::AttemptsExhausted;
        if (result.outcome != VerifyOutcome::Unknown) return result;

        const LiveOtp otp{domain::Destination::fromStored(parseChannel(row->text(1)), row->text(0)), row->text(2),
                          static_cast<unsigned>(maxAttempts - attempts - 1)};
        // A right guess is not counted, but a spent budget refuses it like any other: who has it learns nothing more.
        const auto budget = verification.guess == domain::Guess::Wrong ? &takeFromBucket : &peekBucket;
        auto answer = budget(connection_, otp.guessBucket, verification.guessRule, verification.now);
        if (!answer.isAccepted) return refuse(verification, otp, std::move(answer.hits));

        connection_.execute("UPDATE otp_requests SET attempts = attempts + 1 WHERE id = ?", {verification.otpId});
        if (verification.guess == domain::Guess::Right) return signIn(verification, otp);
        insertAuditEvent(connection_, {verification.auditIds[0], AuditEvent::OtpFailed, std::nullopt,
                                       otp.destination.value(), verification.client, verification.now});
        result.outcome = VerifyOutcome::WrongCode;
        result.attemptsLeft = otp.attemptsLeft;
        return result;
    });
}

domain::OtpVerifyResult SqliteOtpStore::refuse(const domain::OtpVerification& verification, const LiveOtp& otp,
                                               std::string hits) {
    auditRefusal(connection_, otp.guessBucket,
                 {verification.auditIds[0], AuditEvent::OtpLocked, std::nullopt, otp.destination.value(),
                  verification.client, verification.now});
    domain::OtpVerifyResult result;
    result.outcome = VerifyOutcome::BudgetExhausted;
    result.hits = std::move(hits);
    return result;
}

domain::OtpVerifyResult SqliteOtpStore::signIn(const domain::OtpVerification& verification, const LiveOtp& otp) {
    const Timestamp now = verification.now;
    const std::string& address = otp.destination.value();
    const bool isEmail = otp.destination.channel() == Channel::Email;
    connection_.execute("UPDATE otp_requests SET consumed_at_us = ? WHERE id = ?", {now, verification.otpId});

    const std::string find = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE " +
                             (isEmail ? "u.email = ?" : "u.phone_number = ?");
    domain::OtpVerifyResult result;
    result.isNewUser = !connection_.queryOne(find, {address});
    if (result.isNewUser) {
        connection_.execute(isEmail ? "INSERT INTO users (id, username, email, email_verified, joined_at_us,"
                                      " last_login_at_us) VALUES (?, ?, ?, 1, ?, ?)"
                                    : "INSERT INTO users (id, username, phone_number, phone_verified, joined_at_us,"
                                      " last_login_at_us) VALUES (?, ?, ?, 1, ?, ?)",
                            {verification.newUserId, address, address, now, now});
    } else {
        connection_.execute(
            isEmail ? "UPDATE users SET email_verified = 1, last_login_at_us ="
                      " CASE WHEN status = 'active' THEN ? ELSE last_login_at_us END WHERE email = ?"
                    : "UPDATE users SET phone_verified = 1, last_login_at_us ="
                      " CASE WHEN status = 'active' THEN ? ELSE last_login_at_us END WHERE phone_number = ?",
            {now, address});
    }
    result.user = readUser(connection_.queryOne(find, {address}).value(), 0);

    const auto audit = [&](const Uuid& id, AuditEvent event) {
        insertAuditEvent(connection_, {id, event, result.user->id, address, verification.client, now});
    };
    const bool isActive = result.user->status == domain::UserStatus::Active;
    audit(verification.auditIds[0], AuditEvent::OtpVerified);
    if (result.isNewUser) audit(verification.auditIds[1], AuditEvent::UserRegistered);
    audit(verification.auditIds[2], isActive ? AuditEvent::LoginSucceeded : AuditEvent::LoginFailed);
    if (!isActive) {
        domain::OtpVerifyResult disabled;
        disabled.outcome = VerifyOutcome::AccountDisabled;
        return disabled;
    }
    connection_.execute(
        "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us,"
        " authenticated_at_us, ip_address, user_agent, install_id, platform, app_version, device_name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {verification.sessionId, result.user->id, now, now, verification.sessionExpiresAt, now,
         verification.client.address, verification.client.userAgent, verification.device.installId,
         verification.device.platform, verification.device.appVersion, verification.device.name});
    result.outcome = VerifyOutcome::Verified;
    result.sessionId = verification.sessionId;
    return result;
}

std::optional<Uuid> SqliteOtpStore::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                               Timestamp since) {
    return findNewestOtp(connection_, destination, purpose, since);
}

}  // namespace otpgate::store
