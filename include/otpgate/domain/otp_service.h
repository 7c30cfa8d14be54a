// Asking for a code and redeeming it. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/human_check.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/otp_metrics.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/process_counts.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/domain/unanswered_guesses.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct OtpSettings {
    CodeFormat format;
    std::chrono::seconds emailLifetime{600};
    std::chrono::seconds smsLifetime{300};
    unsigned maxAttempts = 3;
    std::chrono::seconds resendAfter{30};
    Resend onResend = Resend::Rotate;
    LinkUse linkUse = LinkUse::Off;
    bool autoRegister = true;
    SignUpRule signUp;
    SignInRule signIn;
    DeviceTrust deviceTrust{};
    Disclosure disclosure = Disclosure::Hide;
    std::string fixedCode;
    LimitRule requestsPerDestination;
    LimitRule requestsPerClient;
    LimitRule guessesPerDestination;
    LimitRule changesPerAccount;
    WorkSettings work;
    HumanCheckSite humanCheck;  // in place of work

    std::chrono::seconds lifetime(Channel channel) const {
        return channel == Channel::Sms ? smsLifetime : emailLifetime;
    }
};

// How a limit stands, and which of them it is ("request_per_client").
struct LimitReport {
    std::string_view name;
    LimitState state;
};

// nullopt for an unlimited rule.
std::optional<LimitReport> reportLimit(std::string_view name, const LimitRule& rule, std::string hits, Timestamp now);

// Whether a device that its owner trusts stands for the second step: not where a sign-in is to prove more than that.
enum class SecondStep { UnlessTrusted, Always };

// Who asks, and by which device, if it proves to be one that the account knows.
struct Asker {
    Client client;
    ShownDevice device;
    std::optional<WorkSolution> work{};  // that was asked for
    std::string humanToken{};            // in its place, of a service that checks visitors
    SecondStep secondStep = SecondStep::UnlessTrusted;
};

// Whether a code may make an account where there is none. Refused: only who has one gets a message.
enum class NewAccounts { Allowed, Refused };

struct OtpQuestion {
    Destination destination;
    Purpose purpose = Purpose::Login;
    std::string locale;
    std::string_view methods = "otp";            // "pwd otp" after a right password
    Disclosure disclosure = Disclosure::Reveal;  // at most: the settings may hide more
    std::optional<Uuid> ownerId = std::nullopt;  // of purpose change: the user who asks
    NewAccounts newAccounts = NewAccounts::Allowed;
    bool isRegistration = false;  // of purpose verify: see RegistrationService
};

struct RequestedOtp {
    OtpRequestResult::Outcome outcome = OtpRequestResult::Outcome::Accepted;
    Uuid id;
    std::chrono::seconds expiresIn{0};
    std::chrono::seconds resendIn{0};
    std::optional<LimitReport> limit;        // of the destination, or the one that refused; nullopt: unlimited
    Delivery delivery = Delivery::UnderWay;  // where Accepted
    Means means = Means::Code;               // where Accepted
    // These where WorkNeeded: what is to be solved, as JSON; and what became of the check that was shown, if one was.
    std::string challenge = {};
    std::optional<HumanVerdict> shown = std::nullopt;
};

// Which code a guess is at: an id, or the newest code of a destination.
struct OtpReference {
    std::optional<Uuid> otpId;
    std::optional<Destination> destination;  // where there is no id
    // What the code must be for; an id may leave it open.
    std::optional<Purpose> purpose;
    // Of purpose change: the user who guesses, and whose code it must be.
    std::optional<Uuid> ownerId = std::nullopt;
    // The link of its message was opened, which names it; and the address that was typed with it, where one was.
    GuessBy by = GuessBy::Code;
    std::optional<Destination> typedAddress = std::nullopt;
};

// A link that was opened in a browser that cannot prove to be the one that asked.
struct LinkElsewhere {
    OtpVerifyResult::Outcome outcome = OtpVerifyResult::Outcome::Unknown;  // Verified: it is good
    std::optional<Destination> destination;
    std::string code;  // to be typed where it was asked for; empty: none counts
};

struct VerifiedOtp {
    OtpVerifyResult::Outcome outcome = OtpVerifyResult::Outcome::Unknown;
    unsigned attemptsLeft = 0;
    std::chrono::seconds retryAfter{0};  // where attempts or budget are exhausted
    std::optional<LimitReport> limit;    // where the budget is exhausted
    // These where Verified.
    Uuid otpId;
    Purpose purpose = Purpose::Login;
    std::optional<Destination> destination;
    std::optional<SignIn> signIn;  // of a login
    // Where NeedsFactor, and a code of an authenticator app is the rest: what is shown with it (second_step.h).
    std::string secondStepToken{};
    bool takesTotp = false;  // with it
    bool takesRecoveryCode = false;
    bool addsFactor = false;
};

class OtpService {
public:
    OtpService(OtpStore& store, Messenger& messenger, const OtpCodes& codes, const crypto::KeyRing& ring,
               const Clock& clock, Random& random, OtpMetrics& metrics, ProcessCounts& unknownGuesses,
               UnansweredGuesses& unansweredGuesses, OtpSettings settings, NoticeSettings notices,
               HumanCheck* humanCheck = nullptr);

    // Takes a few seconds longer where a service is asked whether the visitor is human: only where work is needed, so
    // no token is spent in vain, and nobody makes us ask who is not asked himself.
    RequestedOtp request(const OtpQuestion& question, const Asker& asker);

    // A login opens a session that lasts until `sessionEnd`. Throws OutcomeUnknown where the guess may have counted;
    // the same client's next try with the same code is answered as this one would have been (unanswered_guesses.h).
    VerifiedOtp verify(const OtpReference& reference, std::string_view guess, const Device& device, const Asker& asker,
                       Timestamp sessionEnd);

    // A sign-in by the link in a message, as openLink() has read it, like verify(). `typedAddress`: see signInByLink()
    // of the API, which decides whether it needs one.
    VerifiedOtp verifyLink(const Uuid& otpId, const std::optional<Destination>& typedAddress, const Device& device,
                           const Asker& asker, Timestamp sessionEnd);
    // The id of the code whose message holds this link; nullopt: it is none of ours.
    std::optional<Uuid> openLink(std::string_view secret) const { return codes_.openLink(secret); }
    // What whoever opened it may be told without spending it.
    LinkElsewhere lookAtLink(const Uuid& otpId);
    // What a browser shows to prove that it asked for this code: others were told the id, by a link that they sent.
    std::string askerProofOf(const Uuid& otpId) const;
    bool isAskerProof(std::string_view proof, const Uuid& otpId) const;

    // For what a right guess does beyond a sign-in: `redemption` has a store count it and put it to use, in one
    // transaction. It may complete the verification before.
    using Redemption = std::function<OtpVerifyResult(OtpVerification& verification)>;
    VerifiedOtp redeem(const OtpReference& reference, std::string_view guess, const Asker& asker,
                       const Redemption& redemption);

    // What a verified code is exchanged for: verification_token, reset_token. See otp_receipt.h.
    std::string receiptOf(const VerifiedOtp& verified) const;
    std::optional<Uuid> parseReceipt(std::string_view token, Purpose purpose) const;

private:
    VerifiedOtp redeem(const OtpReference& reference, const Uuid& otpId, Guess guess, const Asker& asker,
                       const Redemption& redemption);
    Redemption signIn(const Device& device, const Asker& asker, Timestamp sessionEnd);
    OtpVerifyResult count(const OtpVerification& verification);
    AccountRule accountRule(const OtpQuestion& question) const;
    // `workBucket`: see NewOtpRequest.
    RequestedOtp requestOnce(const OtpQuestion& question, const Asker& asker, Timestamp now,
                             const std::string& workBucket);
    // Empty: no work was done for this.
    std::string workBucket(const OtpQuestion& question, const Asker& asker, Timestamp now) const;
    std::string challengeFor(const OtpQuestion& question, const Asker& asker, Timestamp now) const;
    Uuid findCode(const OtpReference& reference, const ShownDevice& device, Timestamp now);
    void hideWhatIsThere(const OtpReference& reference, const OtpVerification& verification, OtpVerifyResult& result);
    VerifiedOtp report(const OtpReference& reference, const OtpVerification& verification, OtpVerifyResult result);

    OtpStore& store_;
    Messenger& messenger_;
    const OtpCodes& codes_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    OtpMetrics& metrics_;
    ProcessCounts& unknownGuesses_;
    UnansweredGuesses& unansweredGuesses_;
    OtpSettings settings_;
    NoticeSettings notices_;
    HumanCheck* humanCheck_;  // null where no service is used
};

}  // namespace otpgate::domain
