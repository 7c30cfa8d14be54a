// What the domain needs of a database. Each function is one atomic step: all of it is stored, or none. Implementations
// in store/, one object a thread. All throw ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace otpgate::domain {

// ---- OTP requests

struct NewOtpRequest {
    Uuid id;
    Destination destination;
    Purpose purpose = Purpose::Login;
    std::string locale;
    Timestamp now;
    Timestamp expiresAt;
    unsigned maxAttempts = 0;
    Timestamp oldestLive;     // no code made before that can still be good
    std::string guessBucket;  // of limitBucket(): where wrong guesses of this code are counted
    std::string clientBucket;
    LimitRule clientRule;
    std::string destinationBucket;
    LimitRule destinationRule;
    Uuid outboxId;
    Timestamp outboxAvailableAt;  // the creating process sends it itself until then
    Uuid auditId;
    Client client;
};

struct OtpRequestResult {
    enum class Outcome { Accepted, ClientLimited, DestinationLimited };
    Outcome outcome = Outcome::Accepted;
    std::string hits;  // of the bucket that refused, or of the destination's: packed times, see LimitHits
};

enum class Guess { Wrong, Right };

struct OtpVerification {
    Uuid otpId;
    Guess guess = Guess::Wrong;
    LimitRule guessRule;
    Timestamp now;
    // For the session that a right guess opens, and the user that it may create.
    Uuid newUserId;
    Uuid sessionId;
    Timestamp sessionExpiresAt;
    Device device;
    std::array<Uuid, 3> auditIds;  // at most three events: the code's, the registration, the login
    Client client;
};

struct OtpVerifyResult {
    enum class Outcome {
        Verified,
        WrongCode,
        Unknown,
        Used,
        Expired,
        AttemptsExhausted,
        BudgetExhausted,
        AccountDisabled
    };
    Outcome outcome = Outcome::Unknown;
    unsigned attemptsLeft = 0;
    std::string hits;  // of the guess bucket, where the budget is exhausted
    Uuid sessionId;    // these where Verified
    bool isNewUser = false;
    std::optional<User> user;
};

class OtpStore {
public:
    virtual ~OtpStore() = default;
    // Counts the request against the client's and the destination's limit; when both accept, voids the older codes of
    // the destination and purpose and writes the code's row, the outbox row and the audit row. A refusal counts nowhere
    // and is audited once a minute a bucket.
    virtual OtpRequestResult request(const NewOtpRequest& request) = 0;
    // Counts the attempt before it lets the outcome be known. One of many right guesses wins: it consumes the code,
    // finds or creates the user, marks the address verified, opens the session. A wrong guess is counted against the
    // bucket.
    virtual OtpVerifyResult verify(const OtpVerification& verification) = 0;
    // The newest code of the destination and purpose that is younger than `since`, spent or not.
    virtual std::optional<Uuid> findNewest(const Destination& destination, Purpose purpose, Timestamp since) = 0;
};

// ---- Sessions

struct SessionRefresh {
    Uuid sessionId;
    std::int64_t counter = 0;  // of the refresh token that was shown
    Timestamp now;
    Timestamp expiresAt;
    Timestamp graceSince;  // a rotation after this is recent: its predecessor still gets the successor
    Uuid auditId;
    Client client;
};

struct SessionRefreshResult {
    enum class Outcome { Rotated, Repeated, Reused, Ended };
    Outcome outcome = Outcome::Ended;
    Uuid userId;
    Timestamp authenticatedAt;
};

struct AuthenticatedSession {
    Session session;
    User user;
};

struct RevokeSession {
    Uuid sessionId;
    Uuid userId;
    std::string_view reason;  // "logout", "ended_by_user"
    Timestamp now;
    Uuid auditId;
    Client client;
};

class SessionStore {
public:
    virtual ~SessionStore() = default;
    // The token with counter c becomes c + 1. Its predecessor within the grace time is Repeated; an older one revokes
    // the session (Reused). Ended: unknown, revoked, expired, or the user is disabled.
    virtual SessionRefreshResult refresh(const SessionRefresh& refresh) = 0;
    // Neither revoked nor expired, and the user is active.
    virtual std::optional<AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) = 0;
    virtual std::vector<Session> listActive(const Uuid& userId, Timestamp now) = 0;  // newest first, at most 100
    // Whether there was such an active session of this user.
    virtual bool revoke(const RevokeSession& revocation) = 0;
};

// ---- Outbox (the courier's)

struct FinishedMessage {
    OutboxMessage message;
    AuditEvent event = AuditEvent::OtpSent;  // or OtpSendFailed
    std::string reason;                      // why it failed, without secrets; at most 200 bytes are kept
    Uuid auditId;
};

class OutboxStore {
public:
    virtual ~OutboxStore() = default;
    // Takes up to `limit` messages that are available, the longest waiting first, and leases them until `leaseUntil`.
    virtual std::vector<OutboxMessage> claimAvailable(Timestamp now, Timestamp leaseUntil, unsigned limit) = 0;
    // Extends the lease of a message that nobody else took meanwhile; sets message.availableAt. False: somebody has it.
    virtual bool renewLease(OutboxMessage& message, Timestamp leaseUntil) = 0;
    // Removes the rows and writes their audit events, all in one transaction.
    virtual void finish(std::span<const FinishedMessage> messages, Timestamp now) = 0;
    // Counts a failed sending and lets the message rest until `availableAt`.
    virtual void postpone(const OutboxMessage& message, Timestamp availableAt, std::string_view reason) = 0;
};

// ---- Signing keys

struct StoredSigningKey {
    std::int64_t sequence = 0;  // 1, 2, 3: unique, so that two processes never add the same one
    std::string keyId;
    std::string sealedPem;
    Timestamp createdAt;
    Timestamp activeFrom;  // signs from then on; published at once
};

class SigningKeyStore {
public:
    virtual ~SigningKeyStore() = default;
    virtual std::vector<StoredSigningKey> list() = 0;   // by sequence
    virtual bool add(const StoredSigningKey& key) = 0;  // false: the sequence is taken
    virtual void removeUpTo(std::int64_t sequence) = 0;
};

// ---- Clean-up

class RetentionStore {
public:
    virtual ~RetentionStore() = default;
    struct Bounds {
        Timestamp now;
        Timestamp otpRequestsBefore;
        Timestamp sessionsBefore;
        Timestamp auditBefore;
    };
    // Deletes at most `batch` rows a table; returns how many went. Small batches, so no login waits for it.
    virtual std::uint64_t purge(const Bounds& bounds, unsigned batch) = 0;
};

}  // namespace otpgate::domain
