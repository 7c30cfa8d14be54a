#include "store/sqlite_otp_store.h"

#include "store/notices.h"
#include "store/otp_requests.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"
#include "store/users.h"
#include "store/words.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::Channel;
using domain::UserStatus;
using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

namespace {

// Who asks for a code, as the tables know them.
struct Asker {
    std::optional<Uuid> userId;
    std::optional<UserStatus> status;
    std::string locale;
    bool isKnownDevice = false;
};

Asker findAsker(db::Connection& connection, const domain::NewOtpRequest& request) {
    const auto user = connection.queryOne(request.destination.channel() == Channel::Email
                                              ? "SELECT id, status, locale FROM users WHERE email = ?"
                                              : "SELECT id, status, locale FROM users WHERE phone_number = ?",
                                          {request.destination.value()});
    if (!user) return {};
    Asker asker{user->uuid(0), parseUserStatus(user->text(1)), user->text(2), false};
    if (request.device) {
        asker.isKnownDevice =
            connection
                .queryOne("SELECT id FROM devices WHERE id = ? AND user_id = ? AND revoked_at_us IS NULL",
                          {*request.device, *asker.userId})
                .has_value();
    }
    return asker;
}

bool isLetThrough(domain::AccountRule rule, const Asker& asker) {
    switch (rule) {
    case domain::AccountRule::Any: return true;
    case domain::AccountRule::ActiveOrNew: return !asker.status || *asker.status == UserStatus::Active;
    case domain::AccountRule::Active: return asker.status == UserStatus::Active;
    }
    return false;
}

struct LiveCode {
    Uuid id;
    Timestamp expiresAt;
};

std::optional<LiveCode> findLiveCode(db::Connection& connection, const domain::NewOtpRequest& request,
                                     const Uuid& lane) {
    const Uuid oldestLive = Uuid::lowestV7(request.oldestLive);
    const auto row = connection.queryOne(
        "SELECT id, expires_at_us FROM otp_requests WHERE destination = ? AND purpose = ? AND lane = ? AND id >= ?"
        " AND consumed_at_us IS NULL AND expires_at_us > ? AND attempts < max_attempts AND amr = ?"
        " ORDER BY id DESC LIMIT 1",
        {request.destination.value(), domain::toString(request.purpose), lane, oldestLive, request.now,
         request.methods});
    if (!row) return std::nullopt;
    return LiveCode{row->uuid(0), row->timestamp(1)};
}

LiveCode insertCode(db::Connection& connection, const domain::NewOtpRequest& request, const Uuid& lane,
                    const std::string& guessBucket) {
    const std::string_view purpose = domain::toString(request.purpose);
    const Uuid oldestLive = Uuid::lowestV7(request.oldestLive);
    connection.execute(
        "UPDATE otp_requests SET expires_at_us = ? WHERE destination = ? AND purpose = ? AND lane = ? AND id >= ?"
        " AND consumed_at_us IS NULL AND expires_at_us > ?",
        {request.now, request.destination.value(), purpose, lane, oldestLive, request.now});
    connection.execute(
        "INSERT INTO otp_requests (id, destination, channel, purpose, lane, amr, guess_bucket,"
        " created_at_us, expires_at_us, max_attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {request.id, request.destination.value(), domain::toString(request.destination.channel()), purpose, lane,
         request.methods, db::Param::blob(guessBucket), request.now, request.expiresAt, request.maxAttempts});
    return {request.id, request.expiresAt};
}

// Of a code that there is.
domain::OtpVerifyResult resultOf(VerifyOutcome outcome, Channel channel, domain::Purpose purpose) {
    domain::OtpVerifyResult result;
    result.outcome = outcome;
    result.channel = channel;
    result.purpose = purpose;
    return result;
}

}  // namespace

domain::OtpRequestResult SqliteOtpStore::request(const domain::NewOtpRequest& request) {
    const Timestamp now = request.now;
    return connection_.transact([&]() -> domain::OtpRequestResult {
        const Asker asker = findAsker(connection_, request);
        const auto audit = [&](AuditEvent event, const std::optional<Uuid>& userId) {
            return AuditRow{request.auditId, event, userId, request.destination.value(), request.client, now};
        };
        const auto refuse = [&](RequestOutcome outcome, const std::string& bucket, std::string hits) {
            auditRefusal(connection_, bucket, audit(AuditEvent::OtpRateLimited, std::nullopt));
            return domain::OtpRequestResult{outcome, std::move(hits), {}, {}, false};
        };

        // Both are looked at before either counts: what is refused is counted nowhere. Of a known device neither counts
        // what strangers ask for this address nor what others do behind the same client address.
        const std::string& bucket = asker.isKnownDevice ? request.deviceBucket : request.destinationBucket;
        if (!asker.isKnownDevice) {
            auto client = peekBucket(connection_, request.clientBucket, request.clientRule, now);
            if (!client.isAccepted) {
                return refuse(RequestOutcome::ClientLimited, request.clientBucket, std::move(client.hits));
            }
        }
        auto taken = takeFromBucket(connection_, bucket, request.destinationRule, now);
        if (!taken.isAccepted) return refuse(RequestOutcome::DestinationLimited, bucket, std::move(taken.hits));
        if (!asker.isKnownDevice) takeFromBucket(connection_, request.clientBucket, request.clientRule, now);

        const bool isDiscarded = !isLetThrough(request.accountRule, asker);
        if (isDiscarded && request.disclosure == domain::Disclosure::Reveal) {
            // Counted, so that a list of addresses cannot be tried at will.
            return {asker.userId ? RequestOutcome::AccountDisabled : RequestOutcome::UserNotFound,
                    std::move(taken.hits),
                    {},
                    {},
                    false};
        }

        const Uuid lane = asker.isKnownDevice ? *request.device : request.ownerId.value_or(kStrangers);
        std::optional<LiveCode> code;
        if (request.resend == domain::Resend::Repeat) code = findLiveCode(connection_, request, lane);
        if (!code) {
            code = insertCode(connection_, request, lane,
                              asker.isKnownDevice ? request.deviceGuessBucket : request.guessBucket);
        }
        const std::string languages = domain::joinLanguages(request.locale, asker.locale, request.client.languages);
        insertMessage(connection_, {.id = request.outboxId,
                                    .otpId = code->id,
                                    .purpose = request.purpose,
                                    .destination = request.destination,
                                    .locale = languages,
                                    .requestId = request.client.requestId,
                                    .isDiscarded = isDiscarded,
                                    .createdAt = now,
                                    .expiresAt = code->expiresAt,
                                    .availableAt = request.outboxAvailableAt});
        insertAuditEvent(connection_,
                         audit(AuditEvent::OtpRequested, request.ownerId ? request.ownerId : asker.userId));
        return {RequestOutcome::Accepted, std::move(taken.hits), code->id, code->expiresAt, isDiscarded, languages};
    });
}

// The row of a code whose attempt is about to be counted.
struct SqliteOtpStore::LiveOtp {
    domain::Destination destination;
    domain::Purpose purpose;
    std::string methods;
    std::string guessBucket;
    unsigned attemptsLeft;
};

domain::OtpVerifyResult SqliteOtpStore::verify(const domain::OtpVerification& verification) {
    return connection_.transact([&]() -> domain::OtpVerifyResult {
        const auto row = connection_.queryOne(
            "SELECT destination, channel, purpose, amr, guess_bucket, attempts,"
            " max_attempts, expires_at_us, consumed_at_us FROM otp_requests WHERE id = ?",
            {verification.otpId});
        if (!row) return {};
        const auto channel = parseChannel(row->text(1));
        const auto purpose = parsePurpose(row->text(2));
        auto result = resultOf(VerifyOutcome::Unknown, channel, purpose);
        const auto attempts = row->integer(5);
        const auto maxAttempts = row->integer(6);
        if (verification.purpose && *verification.purpose != purpose) return result;
        if (purpose == domain::Purpose::Change)
            result.outcome = VerifyOutcome::OwnerNeeded;
        else if (!row->isNull(8))
            result.outcome = VerifyOutcome::Used;
        else if (row->timestamp(7) <= verification.now)
            result.outcome = VerifyOutcome::Expired;
        else if (attempts >= maxAttempts)
            result.outcome = VerifyOutcome::AttemptsExhausted;
        if (result.outcome != VerifyOutcome::Unknown) return result;

        const LiveOtp otp{domain::Destination::fromStored(channel, row->text(0)), purpose, row->text(3), row->text(4),
                          static_cast<unsigned>(maxAttempts - attempts - 1)};
        // A right guess is not counted, but a spent budget refuses it like any other: who has it learns nothing more.
        const auto budget = verification.guess == domain::Guess::Wrong ? &takeFromBucket : &peekBucket;
        auto answer = budget(connection_, otp.guessBucket, verification.guessRule, verification.now);
        if (!answer.isAccepted) return refuse(verification, otp, std::move(answer.hits));

        connection_.execute("UPDATE otp_requests SET attempts = attempts + 1 WHERE id = ?", {verification.otpId});
        if (verification.guess == domain::Guess::Right) return succeed(verification, otp);
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
    auto result = resultOf(VerifyOutcome::BudgetExhausted, otp.destination.channel(), otp.purpose);
    result.hits = std::move(hits);
    return result;
}

domain::OtpVerifyResult SqliteOtpStore::succeed(const domain::OtpVerification& verification, const LiveOtp& otp) {
    connection_.execute("UPDATE otp_requests SET consumed_at_us = ? WHERE id = ?",
                        {verification.now, verification.otpId});
    if (otp.purpose == domain::Purpose::Login) return signIn(verification, otp);

    // The address is proved, whoever asked for the code.
    const bool isEmail = otp.destination.channel() == Channel::Email;
    const auto user = findUser(connection_, otp.destination);
    if (user) {
        connection_.execute(isEmail ? "UPDATE users SET email_verified = 1 WHERE id = ?"
                                    : "UPDATE users SET phone_verified = 1 WHERE id = ?",
                            {user->id});
    }
    insertAuditEvent(connection_,
                     {verification.auditIds[0], AuditEvent::OtpVerified, user ? std::optional{user->id} : std::nullopt,
                      otp.destination.value(), verification.client, verification.now});
    auto result = resultOf(VerifyOutcome::Verified, otp.destination.channel(), otp.purpose);
    result.destination = otp.destination;
    return result;
}

domain::OtpVerifyResult SqliteOtpStore::signIn(const domain::OtpVerification& verification, const LiveOtp& otp) {
    const Timestamp now = verification.now;
    const std::string& address = otp.destination.value();
    const bool isEmail = otp.destination.channel() == Channel::Email;
    const auto before = findUser(connection_, otp.destination);
    const bool isNew = verification.mayRegister && !before;
    if (isNew) {
        connection_.execute(
            isEmail ? "INSERT INTO users (id, username, email, email_verified, locale, joined_at_us,"
                      " last_login_at_us) VALUES (?, ?, ?, 1, ?, ?, ?)"
                    : "INSERT INTO users (id, username, phone_number, phone_verified, locale,"
                      " joined_at_us, last_login_at_us) VALUES (?, ?, ?, 1, ?, ?, ?)",
            {verification.newUserId, address, address, domain::firstLanguage(verification.client.languages), now, now});
    } else {
        connection_.execute(
            isEmail ? "UPDATE users SET email_verified = 1, last_login_at_us ="
                      " CASE WHEN status = 'active' THEN ? ELSE last_login_at_us END WHERE email = ?"
                    : "UPDATE users SET phone_verified = 1, last_login_at_us ="
                      " CASE WHEN status = 'active' THEN ? ELSE last_login_at_us END WHERE phone_number = ?",
            {now, address});
    }
    auto user = findUser(connection_, otp.destination);

    const auto audit = [&](const Uuid& id, AuditEvent event) {
        insertAuditEvent(connection_,
                         {id, event, user ? std::optional{user->id} : std::nullopt, address, verification.client, now});
    };
    const bool isActive = user && user->status == UserStatus::Active;
    audit(verification.auditIds[0], AuditEvent::OtpVerified);
    if (isNew) audit(verification.auditIds[1], AuditEvent::UserRegistered);
    audit(verification.auditIds[2], isActive ? AuditEvent::LoginSucceeded : AuditEvent::LoginFailed);
    auto result = resultOf(VerifyOutcome::Verified, otp.destination.channel(), otp.purpose);
    if (!isActive) {
        result.outcome = user ? VerifyOutcome::AccountDisabled : VerifyOutcome::Unknown;
        return result;
    }
    const Uuid deviceId = rememberDevice(verification, user->id);
    connection_.execute(
        "INSERT INTO sessions (id, user_id, device_id, amr, created_at_us, last_seen_at_us, expires_at_us,"
        " authenticated_at_us, ip_address, user_agent, install_id, platform, app_version, device_name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {verification.sessionId, user->id, deviceId, otp.methods, now, now, verification.sessionExpiresAt, now,
         verification.client.address, verification.client.userAgent, verification.device.installId,
         verification.device.platform, verification.device.appVersion, verification.device.name});
    result.destination = otp.destination;
    const bool isNewDevice = deviceId == verification.newDeviceId;
    if (isNewDevice && before && before->lastLoginAt) {
        result.notice = writeNotice(connection_, verification.notice, *user);
    }
    result.signIn = {isNew, std::move(*user), verification.sessionId, deviceId, otp.methods};
    return result;
}

Uuid SqliteOtpStore::rememberDevice(const domain::OtpVerification& verification, const Uuid& userId) {
    const domain::Device& device = verification.device;
    // The device that proves itself stays the same one; so does an installation that names itself; else it is a new
    // one.
    const auto known = connection_.queryOne(
        "SELECT id FROM devices WHERE user_id = ? AND revoked_at_us IS NULL"
        " AND (id = ? OR (? <> '' AND install_id = ?)) ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END, id DESC LIMIT 1",
        {userId, verification.shownDevice, device.installId, device.installId, verification.shownDevice});
    if (!known) {
        connection_.execute(
            "INSERT INTO devices (id, user_id, install_id, platform, app_version, device_name,"
            " created_at_us, last_seen_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            {verification.newDeviceId, userId, device.installId, device.platform, device.appVersion, device.name,
             verification.now, verification.now});
        return verification.newDeviceId;
    }
    connection_.execute(
        "UPDATE devices SET last_seen_at_us = ?, platform = ?, app_version = ?, device_name = ?"
        " WHERE id = ?",
        {verification.now, device.platform, device.appVersion, device.name, known->uuid(0)});
    return known->uuid(0);
}

std::optional<Uuid> SqliteOtpStore::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                               const domain::ShownDevice& device, Timestamp since) {
    return findNewestOtp(connection_, destination, purpose, device, since);
}

}  // namespace otpgate::store
