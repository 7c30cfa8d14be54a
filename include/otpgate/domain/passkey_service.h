// Passkeys: registers them, signs in by them, lists and removes them. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/passkey_rules.h"
#include "otpgate/domain/passkey_store.h"
#include "otpgate/domain/session_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

inline constexpr unsigned kMaxPasskeys = 20;  // of one user
inline constexpr std::chrono::minutes kChallengeLifetime{5};

struct PasskeySettings {
    std::string rpId;    // empty: there are none here
    std::string origin;  // of the pages that may ask for them
    SignInRule signIn{};
    SessionLifetimes sessions{};
    bool isOffered() const { return !rpId.empty(); }
};

struct PasskeyLimits {
    LimitRule wrongPerClient;
    LimitRule signInsPerAccount;
};

// What a browser is asked to make.
struct PasskeyInvitation {
    std::string challenge;  // base64url, as browsers repeat it
    Uuid userHandle;
    std::vector<Passkey> known;  // not to be made twice
};

// What a browser answers, taken apart.
struct PasskeyCreation {
    ClientData clientData;
    std::string attestationObject;
    std::string transports;
    std::string name;
};
struct PasskeyAssertion {
    ClientData clientData;
    std::string credentialId;
    std::string authenticatorData;
    std::string signature;
    std::string userHandle;
};

struct AddedPasskey {
    enum class Outcome { Added, Wrong, KnownAlready, TooMany, NeedsFactor, OtherSite, SessionEnded };
    Outcome outcome = Outcome::Wrong;
    std::optional<Passkey> passkey = std::nullopt;
};

struct PasskeyVerdict {
    enum class Outcome { SignedIn, Unknown, Wrong, Limited, AccountDisabled, NeedsFactor };
    Outcome outcome = Outcome::Wrong;
    std::optional<SignIn> signIn = std::nullopt;
    std::optional<LimitReport> limit = std::nullopt;  // where Limited
};

class PasskeyService {
public:
    PasskeyService(PasskeyStore& store, Messenger& messenger, const crypto::KeyRing& ring, const Clock& clock,
                   Random& random, PasskeySettings settings, PasskeyLimits limits, NoticeSettings notices);

    bool areOffered() const { return settings_.isOffered(); }
    const std::string& rpId() const { return settings_.rpId; }

    PasskeyInvitation invite(const User& user);
    AddedPasskey add(const AuthenticatedSession& caller, const PasskeyCreation& creation, const Client& client);

    // A challenge that anybody may answer who has a passkey here. Nothing of it is stored until then.
    std::string challenge() const;
    PasskeyVerdict signIn(const PasskeyAssertion& assertion, const Device& device, const Asker& asker);

    std::vector<Passkey> list(const Uuid& userId) { return store_.list(userId); }
    // False: the user has no such passkey.
    bool rename(const Uuid& id, const Uuid& userId, std::string_view name);
    bool remove(const Uuid& id, const AuthenticatedSession& caller, const Client& client);

private:
    struct Challenge {
        ChallengeUse use;
        Uuid userId;      // zeros: anybody
        Uuid userHandle;  // zeros: of a sign-in
    };
    std::string makeChallenge(const Uuid& userId, const Uuid& userHandle) const;
    std::optional<Challenge> openChallenge(std::string_view text, Ceremony ceremony) const;
    Uuid randomId() const;
    std::optional<NoticeDraft> draft(MessageKind kind, const Device& device, const Client& client, Timestamp now);

    PasskeyStore& store_;
    Messenger& messenger_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    PasskeySettings settings_;
    PasskeyLimits limits_;
    NoticeSettings notices_;
};

}  // namespace otpgate::domain
