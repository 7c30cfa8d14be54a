// What the domain needs of the table users beyond signing in by code: passwords, profiles, registration, deletion, and
// what administrators do. Each function is one atomic step unless it says otherwise; one object a thread. Throws
// ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/account_export.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/pending_registration.h"
#include "otpgate/domain/short_codes.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace otpgate::domain {

// A password that is about to be compared, so that it is counted before.
struct PasswordGuess {
    Destination destination;
    ShownDevice device;  // a device that the account knows counts in its own bucket
    std::string bucket;
    std::string deviceBucket;
    std::string failureBucket;  // of the codes of its lane: what is wrong in a row adds up there
    std::string deviceFailureBucket;
    LimitRule rule;
    std::string clientBucket;  // not of a device that the account knows
    LimitRule clientRule;
    Timestamp now;
    Uuid auditId;  // of a refusal
    Client client;
};

struct CountedGuess {
    enum class Outcome { Accepted, DestinationLimited, ClientLimited, TooManyFailures };
    Outcome outcome = Outcome::Accepted;
    std::vector<std::string> buckets{};  // where it was counted
    unsigned failures = 0;               // in a row, with this one, as if it were wrong
    std::string failureBucket{};
    bool isKnownDevice = false;
    std::string hits{};  // of the bucket that refused, else of the address's: packed, see LimitHits
    // Where the guess is accepted and there is such an account.
    std::optional<User> user{};
    std::optional<std::string> passwordHash{};
};

struct WrongPassword {
    std::optional<Uuid> userId;
    Destination destination;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;     // see OtpVerification::failuresNotice
    std::optional<LaneFailures> failures = std::nullopt;  // to be noted
};

struct PasswordReset {
    // What proves the address: a code of purpose reset that was verified before, or a guess at one.
    std::variant<Uuid, OtpVerification> proof;
    std::string passwordHash;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};

struct PasswordChange {
    Uuid userId;
    std::string oldHash;
    std::string newHash;
    Uuid keptSession;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};

struct PasswordSetting {
    bool isDone = false;
    bool needsFactor = false;                            // of a reset: the account wants more than a code
    OtpVerifyResult code{};                              // of a reset by a guess
    std::optional<OutboxMessage> notice = std::nullopt;  // the one that was written
};

struct AddressChange {
    OtpVerification guess;  // at a code of purpose change of the user ownerId
    Uuid keptSession;       // the one that asks
    Uuid auditId;           // of the change
    std::optional<NoticeDraft> notice = std::nullopt;
    Uuid secondNoticeId;
};

struct AddressChangeResult {
    OtpVerifyResult code;
    bool isTaken = false;      // where the code is Verified: another account has the address
    std::optional<User> user;  // else: as it is then
    std::vector<OutboxMessage> notices;
};

// An address that an administrator vouches for.
struct AddressAssignment {
    Uuid userId;
    Destination address;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
    Uuid secondNoticeId;
};

struct AddressAssigned {
    enum class Outcome { Done, NoSuchUser, Taken };
    Outcome outcome = Outcome::Done;
    std::vector<OutboxMessage> notices;
};

// A user who registers, or whom an administrator makes. `user` is complete, its address in email or phoneNumber.
struct NewAccount {
    User user;
    std::optional<std::string> passwordHash;
    std::optional<Uuid> otpId;  // the verified code whose receipt proves the address, and is spent by this
    std::string clientBucket;   // counted where it is proved by a receipt: the request for the code counted else
    LimitRule clientRule;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct AccountCreation {
    enum class Outcome { Created, Taken, ReceiptSpent, ClientLimited };
    Outcome outcome = Outcome::Created;
    std::string hits;  // of the client's bucket, where it was asked
};

// Who gives a user name: an owner does so once.
enum class NameGiver { Owner, Administrator };

// What is absent stays as it is.
struct ProfileChange {
    Uuid userId;
    std::optional<std::string> username;  // as parseUsername() gives it
    std::optional<std::string> displayName;
    std::optional<std::string> firstName;
    std::optional<std::string> lastName;
    std::optional<std::string> locale;
    NameGiver giver = NameGiver::Owner;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct ProfileUpdate {
    enum class Outcome {
        Updated,
        NoSuchUser,
        NameTaken,   // it is, or was, another account's
        NamedBefore  // and it is not an administrator who gives another name
    };
    Outcome outcome = Outcome::NoSuchUser;
    std::optional<User> user;  // where Updated, as it is then
};

struct UserDeletion {
    User user;
    std::vector<std::string> buckets;  // of its addresses and devices
    Timestamp now;
    Uuid auditId;
    std::optional<Uuid> actor{};  // who is not the user
};

struct StatusChange {
    Uuid userId;
    UserStatus status = UserStatus::Disabled;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct RoleChange {
    Uuid userId;
    Role role = Role::Admin;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct ImportedUser {
    User user;
    std::optional<std::string> passwordHash;
};

enum class ImportResult {
    Added,
    AddedUnnamed,  // the user name is, or was, another account's: it is the display name, unless there is one
    Unchanged      // whoever has the address is left alone
};

class AccountStore {
public:
    virtual ~AccountStore() = default;

    // Finds the account and takes a place of the address's bucket and of the client's, in the same statements whether
    // or not there is one. Exact, however many ask at once. A refusal counts nowhere and is audited (OTP_LOCKED) once a
    // minute a bucket.
    virtual CountedGuess countGuess(const PasswordGuess& guess) = 0;
    // The places that were taken at `countedAt` are free again, and there was no failure: the password was right, or
    // was not compared. Without a `failureBucket` none was counted.
    virtual void giveBackGuess(const std::vector<std::string>& buckets, const std::string& failureBucket,
                               Timestamp countedAt) = 0;
    // The notice that was written, where one is to be and the user can be told.
    virtual std::optional<OutboxMessage> auditWrongPassword(const WrongPassword& wrong) = 0;
    // Only while the old hash is there still.
    virtual void upgradeHash(const Uuid& userId, std::string_view oldHash, std::string_view newHash) = 0;

    // The account whose address a verified code of purpose reset proves, while its receipt is not spent.
    virtual std::optional<User> findByReset(const Uuid& otpId) = 0;
    // Spends the code's receipt, or counts and consumes as OtpStore::verify; sets the password, ends every session,
    // forgets every device and voids what else could reset it. Not done: the receipt is spent, the guess was not right,
    // or there is no active account.
    virtual PasswordSetting resetPassword(const PasswordReset& reset) = 0;
    // Not done: the old hash is not there any more. Ends the other sessions.
    virtual PasswordSetting changePassword(const PasswordChange& change) = 0;

    // Counts and consumes as OtpStore::verify; a code that is not this user's is Unknown, and nothing is counted. A
    // right guess gives the user the code's address, verified. Where that replaces another one, what was sent to the
    // old address is void, the other sessions end and their devices are forgotten. Who has the address already keeps
    // it.
    virtual AddressChangeResult changeAddress(const AddressChange& change) = 0;
    // The same without a code, for an account that may be disabled: every session ends.
    virtual AddressAssigned assignAddress(const AddressAssignment& assignment) = 0;

    // Puts the form beside the code that was sent for it (NewOtpRequest::isRegistration), while that lives. The same
    // work whoever has the address.
    virtual void keepRegistration(const Uuid& otpId, const PendingRegistration& registration) = 0;
    virtual AccountCreation create(const NewAccount& account) = 0;
    virtual std::optional<User> find(const Uuid& id) = 0;
    virtual std::optional<User> find(const Destination& destination) = 0;
    virtual std::optional<User> findNamed(std::string_view username) = 0;
    virtual std::vector<User> list(const Uuid& after, unsigned limit) = 0;  // by id
    // All of it, or nothing.
    virtual ProfileUpdate updateProfile(const ProfileChange& change) = 0;
    virtual bool setStatus(const StatusChange& change) = 0;  // false: it is so already, or there is no such user
    virtual bool setRole(const RoleChange& change) = 0;

    // What the tables hold of the user and of these addresses, which are the user's; not one step. The account itself
    // and the audit trail are read elsewhere.
    virtual std::vector<ExportSection> exportOf(const Uuid& userId, std::span<const std::string> addresses) = 0;

    // Removes the user with all that belongs to it; of the audit trail event, id, user and time stay, and the user name
    // is nobody else's. Many steps, of which the account itself is the last: a removal that was interrupted can be
    // repeated. False: there is no such user.
    virtual bool remove(const UserDeletion& deletion) = 0;

    // The names of what hashes cost (crypto/password_costs.h) that somebody has or had here.
    virtual std::vector<std::string> passwordCosts() = 0;
    virtual void notePasswordCosts(const std::vector<std::string>& costs) = 0;
    // Hashes by the ids of their users, in the order of these.
    virtual std::vector<std::pair<Uuid, std::string>> passwordHashes(const Uuid& after, unsigned limit) = 0;

    // In one transaction; of each what became of it. Groups that are not there are left out.
    virtual std::vector<ImportResult> import(std::span<const ImportedUser> users, Timestamp now) = 0;
};

}  // namespace otpgate::domain
