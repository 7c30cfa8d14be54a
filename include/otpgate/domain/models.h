// The words of the domain as plain values: what services pass on and stores read and write.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/destination.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class Purpose {
    Login,
    Register,
    Verify,
    Reset,
    Change  // of an account's address: sent to the new one, good for the user who asked only
};
std::string_view toString(Purpose purpose);  // "login"
std::optional<Purpose> parsePurpose(std::string_view text);

// Who asks, as every audit row wants to know it.
struct Client {
    std::string address;  // canonical IP text
    std::string network;  // what limits count: IPv4 whole, IPv6 as its /64
    std::string userAgent;
    std::string requestId;
    std::string languages{};  // that it accepts, as OutboxMessage::locale says them
    // The administrator who acts on somebody's account, for the audit trail; nobody where it is one's own.
    std::optional<Uuid> actor{};
};

// What a client tells of the device it runs on; all optional, cut to the column's length.
struct Device {
    std::string installId;
    std::string platform;
    std::string appVersion;
    std::string name;
    std::string timeZone{};  // of the IANA: "Europe/Berlin"; not kept with the device, but with its user
};

enum class Role { User, Admin };
std::string_view toString(Role role);

enum class UserStatus { Active, Disabled };
std::string_view toString(UserStatus status);

struct User {
    Uuid id;
    std::optional<std::string> username;  // one account's alone, see username.h
    std::optional<std::string> email;
    std::optional<std::string> phoneNumber;
    bool emailVerified = false;
    bool phoneVerified = false;
    std::string firstName;
    std::string lastName;
    std::string locale;
    Role role = Role::User;
    UserStatus status = UserStatus::Active;
    bool hasPassword = false;
    Timestamp joinedAt;
    std::optional<Timestamp> lastLoginAt;
    std::string displayName;          // what its owner likes to be called; may be empty
    std::vector<std::string> groups;  // that it is a member of, in the order of their names
    std::string timeZone{};           // of the last sign-in that told one, see Device
    // A passkey that verifies its user, or an authenticator app: a code alone does not open the account, see step_up.h.
    bool hasFactor = false;
    bool hasTotp = false;
    bool hasVerifyingPasskey = false;
    bool hasRecoveryCodes = false;  // for a factor that is lost; no factor itself
    // When it was first told to have a factor, see sign_in_rule.h.
    std::optional<Timestamp> factorWantedSince{};
};

// Proved or not.
std::vector<std::string> addressesOf(const User& user);

struct Session {
    Uuid id;
    Uuid userId;
    std::optional<Uuid> deviceId;
    std::int64_t refreshCounter = 0;
    std::string methods;  // how its user signed in, of RFC 8176, separated by spaces: "otp", "pwd otp"
    Timestamp createdAt;
    Timestamp lastSeenAt;
    Timestamp expiresAt;
    Timestamp authenticatedAt;
    std::string address;
    std::string userAgent;
    Device device;
};

enum class CodeAlphabet {
    Digits,
    Letters  // digits and capitals without 0, 1, I, L, O and U: no two look alike, and few words come out
};
std::string_view toString(CodeAlphabet alphabet);  // "digits", "letters"
std::optional<CodeAlphabet> parseCodeAlphabet(std::string_view text);

enum class MessageKind {
    Code,
    Link,  // in place of the code
    // Notices: they tell an account's owner what happened.
    NewSignIn,        // by a device that the account did not know
    PasswordChanged,  // or set anew
    AddressChanged,   // to the old address and to the new one
    ManyFailures,     // so many wrong guesses in a row that short codes do not count any more
    PasskeyAdded,
    PasskeyRemoved,
    TotpAdded,  // an authenticator app
    TotpRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    DeviceTrusted  // it is not asked for the second step for a while
};
std::string_view toString(MessageKind kind);  // "code", "new_sign_in"
std::optional<MessageKind> parseMessageKind(std::string_view text);
// Whether somebody waits for it, to sign in by it: code or link.
bool carriesSecret(MessageKind kind);

// What a notice tells, besides when it happened.
struct NoticeFacts {
    std::string ipAddress;                    // of whoever did it; may be empty
    std::string device;                       // its name, platform or user agent; may be empty; the client chose it
    std::string changedAddress;               // of AddressChanged: the new address, masked
    std::string timeZone{};                   // that its reader lives in, see Device; empty: not known
    std::optional<std::int64_t> codesLeft{};  // of RecoveryCodeUsed: few enough to say it
};

// What a message's locale says: the request's own wish, what the account says, what the client accepts.
std::string joinLanguages(std::string_view wish, std::string_view accounts, std::string_view accepted);
// What an account that is made now remembers of what its client accepts: the most wanted tag; may be empty.
std::string_view firstLanguage(std::string_view accepted);

// A message that waits to be sent. The code is not in it: whoever sends derives it from `otpId`.
struct OutboxMessage {
    Uuid id;
    MessageKind kind = MessageKind::Code;
    Uuid otpId;  // zeros in a notice, as is `purpose` of no meaning there
    Purpose purpose = Purpose::Login;
    Destination destination;
    // Tags of BCP 47 by comma, the most wanted first; may be empty. Whoever sends takes the first that has templates.
    std::string locale;
    std::string requestId;
    // Of the code; a length of 0 means what the settings say.
    unsigned codeLength = 0;
    CodeAlphabet codeAlphabet = CodeAlphabet::Digits;
    bool isDiscarded = false;  // never sent: it stands for an account that does not exist
    unsigned attempts = 0;     // sendings that failed so far
    NoticeFacts notice{};      // of a notice
    Timestamp createdAt{};     // of a notice: when it happened
    Timestamp expiresAt;       // never sent from then on
    Timestamp availableAt;     // others keep away until then: the lease of whoever holds this value
};

enum class AuditEvent {
    OtpRequested,
    OtpSent,
    OtpSendFailed,
    NoticeSent,
    NoticeSendFailed,
    OtpVerified,
    OtpFailed,
    OtpLocked,
    OtpRateLimited,
    UserRegistered,
    LoginSucceeded,
    LoginFailed,
    TokenRefreshed,
    TokenReused,
    SessionRevoked,
    PasswordReset,
    PasswordChanged,
    AddressChanged,
    ProfileUpdated,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    RoleChanged,
    GroupJoined,
    GroupLeft,
    GroupCreated,
    GroupDeleted,
    LimitsCleared,
    MessageSentAgain,
    AccountExported,
    TestMessageRequested,
    RegistrationRefused,
    ApiKeyCreated,
    ApiKeyRevoked,
    VerificationRequested,
    VerificationSucceeded,
    VerificationFailed,
    PasskeyAdded,
    PasskeyRemoved,
    TotpAdded,
    TotpRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    FactorsReset,
    ApplicationSignedIn,  // an application got a grant
    ConsentGiven,
    ConsentWithdrawn,
    ClientCreated,
    ClientChanged,
    ClientSecretRotated,
    ClientDisabled,
    ClientEnabled,
    ClientDeleted,
    WebhookAdded,
    WebhookRemoved,
    WebhookSecretRotated,
    WebhookRetried,
};
std::string_view toString(AuditEvent event);  // "OTP_REQUESTED"
std::optional<AuditEvent> parseAuditEvent(std::string_view text);

}  // namespace otpgate::domain
