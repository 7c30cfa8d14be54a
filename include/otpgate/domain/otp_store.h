// What the domain needs of a database to hand out codes and redeem them. Each function is one atomic step: all of it is
// stored, or none. One object a thread. Throws ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/short_codes.h"
#include "otpgate/domain/sign_in_rule.h"
#include "otpgate/domain/sign_up_rule.h"
#include "otpgate/domain/work_challenge.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

// What a client shows to prove that it has signed in before; its MAC has been checked, its row has not.
using ShownDevice = std::optional<Uuid>;

// Whom a code may be sent to.
enum class AccountRule {
    Any,          // register, verify, change: the account does not matter
    ActiveOrNew,  // login that may register
    Active        // login, reset
};
// What happens to a request that the rule does not let through: the same work without a message, or an answer by name.
enum class Disclosure { Hide, Reveal };
// What happens to the live code of the same destination and purpose.
enum class Resend { Rotate, Repeat };

struct NewOtpRequest {
    Uuid id;
    Destination destination;
    Purpose purpose = Purpose::Login;
    std::string_view methods = "otp";  // what a login with this code will have proved
    std::string locale;                // wished for; else the account's counts, else client.languages
    AccountRule accountRule = AccountRule::ActiveOrNew;
    const SignInRule* signIn = nullptr;  // what lets an account in; nullptr: that it is active
    Disclosure disclosure = Disclosure::Hide;
    Resend resend = Resend::Rotate;
    bool isRegistration = false;  // a form waits beside the code, so the code is repeated to nobody
    LinkUse linkUse = LinkUse::Off;
    Timestamp now;
    Timestamp expiresAt;
    unsigned maxAttempts = 0;
    Timestamp oldestLive;     // no code made before that can still be good
    std::string guessBucket;  // of limitBucket(): where wrong guesses of this code are counted
    std::string clientBucket;
    LimitRule clientRule;
    std::string destinationBucket;
    LimitRule destinationRule;  // for the device's bucket too
    // A device that the account knows has buckets and codes of its own, which strangers cannot spend.
    ShownDevice device;
    std::string deviceGuessBucket;  // of all its devices: each sign-in may make another one
    std::string deviceBucket;       // of all its devices
    // Of purpose change: the user who asks. The code is of a lane of its own then, with the strangers' limits.
    std::optional<Uuid> ownerId = std::nullopt;
    std::string accountBucket{};  // where it counts as that user's
    LimitRule accountLimit{};
    AskForWork askForWork = AskForWork::Off;
    std::string workBucket{};  // where the work that was done is spent; empty: none was done
    Uuid outboxId;
    Timestamp outboxAvailableAt;  // the creating process sends it itself until then
    Uuid auditId;
    Client client;
};

struct OtpRequestResult {
    enum class Outcome {
        Accepted,
        ClientLimited,
        AccountLimited,
        DestinationLimited,
        WorkNeeded,  // nothing was counted
        UserNotFound,
        AccountDisabled
    };
    Outcome outcome = Outcome::Accepted;
    std::string hits;  // of the bucket that refused, or of the destination's: packed times, see LimitHits
    // These where Accepted; with Resend::Repeat of the code that is sent again.
    Uuid otpId;
    Timestamp expiresAt;
    bool isDiscarded = false;
    std::string languages{};  // as the message's locale says them, with the account's
    // What is sent. By a link alone nobody resets a password: it signs in.
    Means means = Means::Code;
    Purpose purpose = Purpose::Login;
};

enum class Guess { Wrong, Right };
// What was shown: the code, or the link of its message. A link that is wrong is no guess at anything: 128 bits.
enum class GuessBy { Code, Link };
// How a guess names its code. Who names the id is who asked for the code: nobody else was told it.
enum class CodeNamedBy { Address, Id };

// The connection to the database was lost when a guess was being committed: it may have counted, or may yet.
class OutcomeUnknown : public ServiceUnavailable {
public:
    using ServiceUnavailable::ServiceUnavailable;
};

struct OtpVerification {
    Uuid otpId;
    std::optional<Purpose> purpose;  // what the code must be for; nullopt: anything
    // The user who changes an address: to all others a code of purpose change is Unknown.
    std::optional<Uuid> ownerId = std::nullopt;
    CodeNamedBy namedBy = CodeNamedBy::Address;
    Guess guess = Guess::Wrong;
    GuessBy by = GuessBy::Code;
    LinkUse linkUse = LinkUse::Off;
    std::optional<Destination> typedAddress = std::nullopt;  // where there is one, the code's must be the same
    LimitRule guessRule;
    Timestamp now;
    // For the session that a right guess for a login opens, and the user that it may create.
    bool mayRegister = true;
    const SignUpRule* signUp = nullptr;  // to whose addresses; nullptr: everybody's
    const SignInRule* signIn = nullptr;  // of an account that is there; nullptr: every active one
    Uuid newUserId{};
    Uuid sessionId{};
    Timestamp sessionExpiresAt{};
    ShownDevice shownDevice = std::nullopt;
    Uuid newDeviceId{};
    Device device{};
    std::array<Uuid, 3> auditIds;                      // at most three events: the code's, the registration, the login
    std::optional<NoticeDraft> notice = std::nullopt;  // of a login by a device that the account did not know
    std::optional<NoticeDraft> failuresNotice = std::nullopt;  // of the last wrong guess before links alone count
    Client client;
    // This very guess, with these ids and this time, was made before, and nobody knows whether it was committed.
    bool isRepeated = false;
};

// The session that a sign-in by other means than a code opens.
struct NewSession {
    Uuid id;
    Timestamp now;
    Timestamp expiresAt;
    ShownDevice shownDevice;
    Uuid newDeviceId;
    Device device;
    std::optional<NoticeDraft> notice = std::nullopt;  // of a device that the account did not know
    Client client;
};

struct SignIn {
    bool isNewUser = false;
    User user;
    Uuid sessionId;
    Uuid deviceId;
    std::string methods;
};

// A right code for an account that opens by more, of which an authenticator app may be the rest: see second_step.h.
struct FirstStep {
    Uuid userId;
    std::string methods;
    std::string guessBucket;  // where wrong guesses at that code were counted, and those at the app are
    // Which of them the account has; the token does not say it.
    bool takesTotp = false;
    bool takesRecoveryCode = false;
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
        AccountDisabled,
        NeedsFactor  // the code is right, and the account opens by more than that
    };
    Outcome outcome = Outcome::Unknown;
    unsigned attemptsLeft = 0;
    std::string hits;  // of the guess bucket, where the budget is exhausted
    // Of the code; without a channel there is none with this id, and the purpose says nothing.
    std::optional<Channel> channel;
    Purpose purpose = Purpose::Login;
    // These where Verified.
    std::optional<Destination> destination;
    std::optional<SignIn> signIn;                        // of a login
    bool isSignInRepeated = false;                       // and its session is there, by the same guess before
    std::optional<OutboxMessage> notice = std::nullopt;  // the one that was written
    std::optional<FirstStep> firstStep = std::nullopt;   // where NeedsFactor, and there is a second one
};

// A code whose link was opened: what its reader may be told.
struct OpenedLink {
    Destination destination;
    Purpose purpose = Purpose::Login;
    std::optional<Timestamp> consumedAt;
    Timestamp expiresAt;
    bool hasTriesLeft = true;
    unsigned failures = 0;  // in a row, of its lane
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
    // bucket. Who has signed in before is given notice of a device that is new to the account. Throws OutcomeUnknown
    // where the guess may have counted, and another try could not find out.
    virtual OtpVerifyResult verify(const OtpVerification& verification) = 0;
    // The code of the destination and purpose that is good now, or else the newest that is younger than `since`: of the
    // device's own, where there are any, else of the strangers'.
    virtual std::optional<Uuid> findNewest(const Destination& destination, Purpose purpose, const ShownDevice& device,
                                           Timestamp since, Timestamp now) = 0;
    // Changes nothing.
    virtual std::optional<OpenedLink> findOpened(const Uuid& otpId) = 0;
};

}  // namespace otpgate::domain
