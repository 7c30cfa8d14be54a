// Authenticator apps (TOTP): adds, lists and removes them, and takes their codes as the second step of a sign-in. One
// object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/session_store.h"
#include "otpgate/domain/totp_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

inline constexpr unsigned kMaxTotps = 5;  // of one user
inline constexpr std::chrono::minutes kTotpInvitationLifetime{15};

// A secret that nobody keeps yet but who has asked for it: it is stored with its first code.
struct TotpInvitation {
    std::string token;
    std::string secret;
};

struct AddedTotp {
    enum class Outcome { Added, BadToken, WrongCode, KnownAlready, TooMany, NeedsFactor, SessionEnded };
    Outcome outcome = Outcome::WrongCode;
    std::optional<Totp> totp = std::nullopt;
};

enum class TrustWish { None, Trust };

struct SecondStepVerdict {
    enum class Outcome { SignedIn, BadToken, Wrong, Limited, TooManyFailures, AccountDisabled };
    Outcome outcome = Outcome::Wrong;
    std::optional<SignIn> signIn = std::nullopt;
    std::optional<LimitReport> limit = std::nullopt;  // where Limited
};

struct SecondStepSettings {
    LimitRule guesses;
    SessionLifetimes sessions{};
    SignInRule signIn{};
    DeviceTrust deviceTrust{};  // none: no device is trusted
};

class TotpService {
public:
    TotpService(TotpStore& store, Messenger& messenger, const crypto::KeyRing& ring, const Clock& clock, Random& random,
                SecondStepSettings settings, NoticeSettings notices);

    TotpInvitation invite(const Uuid& userId);
    AddedTotp add(const AuthenticatedSession& caller, std::string_view token, std::string_view code,
                  const std::string& name, const Client& client);

    std::vector<Totp> list(const Uuid& userId) { return store_.list(userId); }
    // False: the user has no such app.
    bool remove(const Uuid& id, const AuthenticatedSession& caller, const Client& client);

    // The rest of a sign-in: `token` is VerifiedOtp::secondStepToken. With TrustWish::Trust the device stands for this
    // step from then on, as long as the settings say.
    SecondStepVerdict signIn(std::string_view token, std::string_view code, const Device& device, const Asker& asker,
                             TrustWish wish);
    // Of an account that must have a factor first: the session may only add one (step_up.h).
    SecondStepVerdict signInToAddFactor(std::string_view token, const Device& device, const Asker& asker);
    // The same by whatever was shown; open() reads the token.
    std::optional<PendingStep> open(std::string_view token) const;
    SecondStepVerdict finish(const PendingStep& pending, const SecondStepProof& proof, const Device& device,
                             const Asker& asker, TrustWish wish = TrustWish::None);

private:
    std::optional<NoticeDraft> draft(MessageKind kind, const Device& device, const Client& client, Timestamp now);
    std::optional<SecondStepProof::Match> match(const Uuid& userId, std::string_view code, Timestamp now);

    TotpStore& store_;
    Messenger& messenger_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    SecondStepSettings settings_;
    NoticeSettings notices_;
};

// Seals every secret anew, under the ring's first key. Throws ConfigurationError for one that none of its keys opens.
void resealTotps(TotpStore& store, const crypto::KeyRing& ring, Random& random);

}  // namespace otpgate::domain
