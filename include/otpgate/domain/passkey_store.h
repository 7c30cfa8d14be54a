// What the domain needs of the table passkeys. Each function is one atomic step; one object a thread; throws
// ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/crypto/webauthn.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/otp_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct Passkey {
    Uuid id;
    Uuid userId;
    Uuid userHandle;  // what authenticators know the account by; random, of all passkeys of the user
    std::string credentialId;
    crypto::PasskeyPublicKey key;
    std::string name;
    std::string transports;  // by spaces, as the browser named them
    std::string aaguid;
    std::uint32_t signCount = 0;
    bool backupEligible = false;
    bool backedUp = false;
    // Has verified its user, by PIN or biometric, here at least once: two factors in one, which protect the account.
    bool verifiesUser = false;
    Timestamp createdAt;
    std::optional<Timestamp> lastUsedAt;
};

// What a challenge is for, once: see TicketStore.
struct ChallengeUse {
    Uuid id;
    Timestamp expiresAt;
};

struct NewPasskey {
    Passkey passkey;
    ChallengeUse challenge;
    Uuid sessionId;       // which asks for it, and must not have ended by then
    std::string methods;  // that its user has shown by making it: the session's from then on, where it is a factor
    SessionLifetimes lifetimes{};
    std::string rpId;
    unsigned most = 0;  // of one user
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};

enum class PasskeyInsertion {
    Added,
    ChallengeUsed,
    SessionEnded,
    KnownAlready,  // the credential is somebody's, perhaps this user's
    OtherUser,     // its handle is not the one that the user's other passkeys have
    TooMany,
    NeedsFactor,  // the account has got a factor meanwhile, and the session was opened without
    OtherSite     // passkeys were begun here for another RP ID
};

struct PasskeyAddition {
    PasskeyInsertion outcome = PasskeyInsertion::SessionEnded;
    std::optional<OutboxMessage> notice = std::nullopt;  // the one that was written
};

struct RemovedPasskey {
    Uuid id;
    Uuid userId;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};

struct PasskeyRemoval {
    bool isDone = false;
    std::optional<OutboxMessage> notice = std::nullopt;
};

// A signature that was verified, or found wrong, and what a right one opens.
struct PasskeySignIn {
    Passkey passkey;  // as it was read
    ChallengeUse challenge;
    std::optional<crypto::AuthenticatorFacts> facts;  // none: the answer is wrong
    std::string methods;
    std::string clientBucket;  // where wrong answers of unknown devices count
    LimitRule clientRule;
    std::string accountBucket;  // where everything else does
    LimitRule accountRule;
    NewSession session;
    Uuid auditId;
    const SignInRule* signIn = nullptr;  // of the account; nullptr: every active one
};

struct PasskeySignInResult {
    enum class Outcome {
        SignedIn,
        ChallengeUsed,
        Wrong,
        Cloned,   // its counter does not go on from where it was: there are two of it
        Removed,  // meanwhile
        ClientLimited,
        AccountLimited,
        AccountDisabled,
        NeedsFactor  // it did not verify its user, and the account has one that does
    };
    Outcome outcome = Outcome::Wrong;
    std::string hits{};  // of the bucket that refused
    std::optional<SignIn> signIn = std::nullopt;
    std::optional<OutboxMessage> notice = std::nullopt;
};

class PasskeyStore {
public:
    virtual ~PasskeyStore() = default;
    virtual std::vector<Passkey> list(const Uuid& userId) = 0;  // the oldest first
    virtual std::optional<Passkey> find(std::string_view credentialId) = 0;
    // The first passkey of all fixes the RP ID. Consumes the challenge, whatever comes of it. With the account's first
    // factor its other sessions end: whoever opened them has shown less than it wants from now on.
    virtual PasskeyAddition add(const NewPasskey& passkey) = 0;
    // False: the user has no such passkey.
    virtual bool rename(const Uuid& id, const Uuid& userId, std::string_view name) = 0;
    virtual PasskeyRemoval remove(const RemovedPasskey& removed) = 0;
    // Consumes the challenge; of all who answer it one wins. A wrong answer is counted against the client, and where
    // that has no place left nobody gets in; which passkeys there are does not show.
    virtual PasskeySignInResult signIn(const PasskeySignIn& signIn) = 0;
    // The RP ID that the first passkey has fixed.
    virtual std::optional<std::string> rpId() = 0;
};

}  // namespace otpgate::domain
