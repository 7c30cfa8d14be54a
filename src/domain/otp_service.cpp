#include "otpgate/domain/otp_service.h"

#include "domain/otp_receipt.h"
#include "otpgate/crypto/signed_token.h"
#include "otpgate/domain/otp_rules.h"
#include "otpgate/domain/second_step.h"

#include <algorithm>
#include <utility>

namespace otpgate::domain {

namespace {

// Whose codes a guess that names an address may be at. The guesses of a device, and of a user who changes an address,
// are counted by themselves, as their codes are.
std::string subjectOf(Purpose purpose, const Destination& destination, const std::optional<Uuid>& guesser) {
    std::string subject{toString(purpose)};
    if (guesser) subject += guesser->bytes();
    return subject + ":" + destination.value();
}

// What a refusal by name is counted as: nothing, for no code was asked of anybody.
std::optional<OtpEvent> eventOf(OtpRequestResult::Outcome outcome) {
    switch (outcome) {
    case OtpRequestResult::Outcome::Accepted: return OtpEvent::Requested;
    case OtpRequestResult::Outcome::ClientLimited:
    case OtpRequestResult::Outcome::AccountLimited:
    case OtpRequestResult::Outcome::DestinationLimited: return OtpEvent::RateLimited;
    case OtpRequestResult::Outcome::WorkNeeded:
    case OtpRequestResult::Outcome::UserNotFound:
    case OtpRequestResult::Outcome::AccountDisabled: break;
    }
    return std::nullopt;
}

// No part of it has a line's end.
std::string workSubject(const OtpQuestion& question, const Asker& asker) {
    return std::string{toString(question.purpose)} + '\n' + question.destination.value() + '\n' + asker.client.network;
}

OtpEvent eventOf(OtpVerifyResult::Outcome outcome) {
    switch (outcome) {
    case OtpVerifyResult::Outcome::Verified: return OtpEvent::Verified;
    case OtpVerifyResult::Outcome::Expired: return OtpEvent::Expired;
    case OtpVerifyResult::Outcome::AttemptsExhausted:
    case OtpVerifyResult::Outcome::BudgetExhausted: return OtpEvent::Locked;
    case OtpVerifyResult::Outcome::WrongCode:
    case OtpVerifyResult::Outcome::Unknown:
    case OtpVerifyResult::Outcome::Used:
    case OtpVerifyResult::Outcome::AccountDisabled:
    case OtpVerifyResult::Outcome::NeedsFactor: break;
    }
    return OtpEvent::Failed;
}

}  // namespace

std::optional<LimitReport> reportLimit(std::string_view name, const LimitRule& rule, std::string hits, Timestamp now) {
    if (rule.isUnlimited()) return std::nullopt;
    return LimitReport{name, LimitHits{std::move(hits)}.state(rule, now)};
}

OtpService::OtpService(OtpStore& store, Messenger& messenger, const OtpCodes& codes, const crypto::KeyRing& ring,
                       const Clock& clock, Random& random, OtpMetrics& metrics, ProcessCounts& unknownGuesses,
                       UnansweredGuesses& unansweredGuesses, OtpSettings settings, NoticeSettings notices,
                       HumanCheck* humanCheck)
    : store_(store),
      messenger_(messenger),
      codes_(codes),
      ring_(ring),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      unknownGuesses_(unknownGuesses),
      unansweredGuesses_(unansweredGuesses),
      settings_(std::move(settings)),
      notices_(std::move(notices)),
      humanCheck_(humanCheck) {}

AccountRule OtpService::accountRule(const OtpQuestion& question) const {
    const bool mayBeNew = question.newAccounts == NewAccounts::Allowed;
    switch (question.purpose) {
    case Purpose::Login: {
        const bool isWelcome = settings_.autoRegister && settings_.signUp.allows(question.destination);
        return isWelcome && mayBeNew ? AccountRule::ActiveOrNew : AccountRule::Active;
    }
    case Purpose::Reset: return AccountRule::Active;
    case Purpose::Verify: return mayBeNew ? AccountRule::Any : AccountRule::Active;
    case Purpose::Register:
    case Purpose::Change: return AccountRule::Any;
    }
    return AccountRule::Active;
}

RequestedOtp OtpService::request(const OtpQuestion& question, const Asker& asker) {
    const Timestamp now = clock_.now();
    RequestedOtp requested = requestOnce(question, asker, now, workBucket(question, asker, now));
    const bool isHumanShown = humanCheck_ != nullptr && !asker.humanToken.empty();
    if (requested.outcome != OtpRequestResult::Outcome::WorkNeeded || !isHumanShown) return requested;
    const HumanVerdict verdict = humanCheck_->ask(asker.humanToken, asker.client.address, asker.client.network);
    if (verdict != HumanVerdict::Human) {
        requested.shown = verdict;
        return requested;
    }
    requested = requestOnce(question, asker, clock_.now(), humanTokenBucket(asker.humanToken));
    // It was spent already: whatever the service says, a token is good for one request.
    if (requested.outcome == OtpRequestResult::Outcome::WorkNeeded) requested.shown = HumanVerdict::Refused;
    return requested;
}

RequestedOtp OtpService::requestOnce(const OtpQuestion& question, const Asker& asker, Timestamp now,
                                     const std::string& workBucket) {
    // Where the account decides whether anything is sent and nobody may know, nobody waits for it.
    const bool isSecret = accountRule(question) == AccountRule::Active &&
                          std::min(question.disclosure, settings_.disclosure) == Disclosure::Hide;
    const Messenger::Place place = isSecret ? nullptr : messenger_.takePlace();
    const std::chrono::seconds lifetime = settings_.lifetime(question.destination.channel());
    const std::string& address = question.destination.value();
    const NewOtpRequest request{.id = Uuid::makeV7(now, random_),
                                .destination = question.destination,
                                .purpose = question.purpose,
                                .methods = question.methods,
                                .locale = question.locale,
                                .accountRule = accountRule(question),
                                .signIn = &settings_.signIn,
                                .disclosure = std::min(question.disclosure, settings_.disclosure),
                                .resend = question.isRegistration ? Resend::Rotate : settings_.onResend,
                                .isRegistration = question.isRegistration,
                                .linkUse = settings_.linkUse,
                                .now = now,
                                .expiresAt = now + lifetime,
                                .maxAttempts = settings_.maxAttempts,
                                .oldestLive = now - lifetime,
                                .guessBucket = limitBucket("guess", address),
                                .clientBucket = limitBucket("request-client", asker.client.network),
                                .clientRule = settings_.requestsPerClient,
                                .destinationBucket = requestBucketOf(question.destination),
                                .destinationRule = settings_.requestsPerDestination,
                                .device = asker.device,
                                .deviceGuessBucket = limitBucket("guess-device", address),
                                .deviceBucket = deviceRequestBucketOf(question.destination),
                                .ownerId = question.ownerId,
                                .accountBucket = limitBucket("change", question.ownerId.value_or(Uuid{}).bytes()),
                                .accountLimit = settings_.changesPerAccount,
                                .askForWork = settings_.work.when,
                                .workBucket = workBucket,
                                .outboxId = Uuid::makeV7(now, random_),
                                .outboxAvailableAt = now + messenger_.lease(),
                                .auditId = Uuid::makeV7(now, random_),
                                .client = asker.client};
    const OtpRequestResult result = store_.request(request);
    if (const auto event = eventOf(result.outcome)) metrics_.count(*event, question.destination, question.purpose);

    RequestedOtp requested{.outcome = result.outcome,
                           .id = result.otpId,
                           .expiresIn = std::chrono::ceil<std::chrono::seconds>(result.expiresAt - now),
                           .resendIn = settings_.resendAfter,
                           .limit = std::nullopt,
                           .delivery = Delivery::UnderWay,
                           .means = result.means};
    if (result.outcome == OtpRequestResult::Outcome::WorkNeeded) {
        if (!result.hits.empty())
            requested.limit = reportLimit("request_per_client", settings_.requestsPerClient, result.hits, now);
        requested.challenge = challengeFor(question, asker, now);
        return requested;
    }
    if (result.outcome == OtpRequestResult::Outcome::ClientLimited) {
        requested.limit = reportLimit("request_per_client", settings_.requestsPerClient, result.hits, now);
        return requested;
    }
    if (result.outcome == OtpRequestResult::Outcome::AccountLimited) {
        requested.limit = reportLimit("changes_per_account", settings_.changesPerAccount, result.hits, now);
        return requested;
    }
    requested.limit = reportLimit("request_per_destination", settings_.requestsPerDestination, result.hits, now);
    if (result.outcome != OtpRequestResult::Outcome::Accepted) return requested;
    unknownGuesses_.forget(subjectOf(question.purpose, question.destination, question.ownerId));
    if (asker.device) unknownGuesses_.forget(subjectOf(question.purpose, question.destination, asker.device));
    const OutboxMessage message{.id = request.outboxId,
                                .kind = kindOf(result.means),
                                .otpId = result.otpId,
                                .purpose = result.purpose,
                                .destination = question.destination,
                                .locale = result.languages,
                                .requestId = asker.client.requestId,
                                .codeLength = 0,
                                .isDiscarded = result.isDiscarded,
                                .attempts = 0,
                                .createdAt = now,
                                .expiresAt = result.expiresAt,
                                .availableAt = request.outboxAvailableAt};
    if (isSecret)
        messenger_.handOver(message);
    else
        requested.delivery = messenger_.deliver(message);
    return requested;
}

std::string OtpService::workBucket(const OtpQuestion& question, const Asker& asker, Timestamp now) const {
    if (settings_.work.when == AskForWork::Off || settings_.humanCheck.isUsed() || !asker.work) return {};
    return solvedWork(ring_, workSubject(question, asker), *asker.work, now).value_or("");
}

std::string OtpService::challengeFor(const OtpQuestion& question, const Asker& asker, Timestamp now) const {
    if (settings_.humanCheck.isUsed()) return settings_.humanCheck.toJson();
    return makeWorkChallenge(ring_, workSubject(question, asker), settings_.work.steps, now, random_).toJson();
}

Uuid OtpService::findCode(const OtpReference& reference, const ShownDevice& device, Timestamp now) {
    if (reference.otpId) return *reference.otpId;
    // A code that has expired is still found for as long again, so that its owner learns why it does not work.
    const Timestamp since = now - 2 * settings_.lifetime(reference.destination->channel());
    const auto& lane = reference.ownerId ? reference.ownerId : device;
    const auto newest =
        store_.findNewest(*reference.destination, reference.purpose.value_or(Purpose::Login), lane, since, now);
    // Where there is none, an id that no code has: the same work, the same answer.
    return newest ? *newest : Uuid::makeV7(now, random_);
}

VerifiedOtp OtpService::verify(const OtpReference& reference, std::string_view guess, const Device& device,
                               const Asker& asker, Timestamp sessionEnd) {
    return redeem(reference, guess, asker, signIn(device, asker, sessionEnd));
}

VerifiedOtp OtpService::verifyLink(const Uuid& otpId, const std::optional<Destination>& typedAddress,
                                   const Device& device, const Asker& asker, Timestamp sessionEnd) {
    const OtpReference reference{.otpId = otpId,
                                 .destination = std::nullopt,
                                 .purpose = Purpose::Login,
                                 .by = GuessBy::Link,
                                 .typedAddress = typedAddress};
    return redeem(reference, otpId, Guess::Right, asker, signIn(device, asker, sessionEnd));
}

OtpService::Redemption OtpService::signIn(const Device& device, const Asker& asker, Timestamp sessionEnd) {
    return [this, &device, &asker, sessionEnd](OtpVerification& verification) {
        const Timestamp now = verification.now;
        verification.mayRegister = settings_.autoRegister;
        verification.signUp = &settings_.signUp;
        verification.signIn = &settings_.signIn;
        verification.newUserId = Uuid::makeV7(now, random_);
        verification.sessionId = Uuid::makeV7(now, random_);
        verification.sessionExpiresAt = sessionEnd;
        if (asker.secondStep == SecondStep::UnlessTrusted) verification.deviceTrust = settings_.deviceTrust;
        verification.newDeviceId = Uuid::makeV7(now, random_);
        verification.device = device;
        verification.notice = draftNotice(notices_,
                                          {MessageKind::NewSignIn, describeDevice(device, asker.client.userAgent),
                                           asker.client, now, messenger_.lease()},
                                          random_);
        if (auto first = unansweredGuesses_.take(verification)) verification = std::move(*first);
        return count(verification);
    };
}

OtpVerifyResult OtpService::count(const OtpVerification& verification) try {
    return store_.verify(verification);
} catch (const OutcomeUnknown&) {
    unansweredGuesses_.remember(verification);
    throw;
}

VerifiedOtp OtpService::redeem(const OtpReference& reference, std::string_view guess, const Asker& asker,
                               const Redemption& redemption) {
    const Uuid otpId = findCode(reference, asker.device, clock_.now());
    return redeem(reference, otpId, codes_.judge(otpId, guess), asker, redemption);
}

VerifiedOtp OtpService::redeem(const OtpReference& reference, const Uuid& otpId, Guess guess, const Asker& asker,
                               const Redemption& redemption) {
    const Timestamp now = clock_.now();
    OtpVerification verification{
        .otpId = otpId,
        .purpose = reference.purpose,
        .ownerId = reference.ownerId,
        .namedBy = reference.otpId ? CodeNamedBy::Id : CodeNamedBy::Address,
        .guess = guess,
        .by = reference.by,
        .linkUse = settings_.linkUse,
        .typedAddress = reference.typedAddress,
        .guessRule = settings_.guessesPerDestination,
        .now = now,
        .shownDevice = asker.device,
        .auditIds = {Uuid::makeV7(now, random_), Uuid::makeV7(now, random_), Uuid::makeV7(now, random_)},
        .failuresNotice =
            draftNotice(notices_, {MessageKind::ManyFailures, "", asker.client, now, messenger_.lease()}, random_),
        .client = asker.client};
    OtpVerifyResult result = redemption(verification);
    if (result.notice) messenger_.handOver(*result.notice);
    return report(reference, verification, std::move(result));
}

// Who names an address alone is told the same whether there is a code or not: that one lives, was used or is locked
// says that somebody wants to sign in. So nothing that he is told comes from the code's row, which counts the tries of
// all processes and would differ from a count of this one. A right guess is told the truth.
void OtpService::hideWhatIsThere(const OtpReference& reference, const OtpVerification& verification,
                                 OtpVerifyResult& result) {
    using Outcome = OtpVerifyResult::Outcome;
    if (!reference.destination || reference.otpId || verification.guess == Guess::Right) return;
    const std::string subject = subjectOf(reference.purpose.value_or(Purpose::Login), *reference.destination,
                                          reference.ownerId ? reference.ownerId : verification.shownDevice);
    const Timestamp end = verification.now + settings_.lifetime(reference.destination->channel());
    const unsigned guesses = unknownGuesses_.count(subject, verification.now, end);
    result.outcome = guesses > settings_.maxAttempts ? Outcome::AttemptsExhausted : Outcome::Unknown;
    result.attemptsLeft = settings_.maxAttempts - std::min(guesses, settings_.maxAttempts);
}

VerifiedOtp OtpService::report(const OtpReference& reference, const OtpVerification& verification,
                               OtpVerifyResult result) {
    metrics_.count(eventOf(result.outcome), result.channel,
                   result.channel ? std::optional{result.purpose} : std::nullopt);
    // As many as after the first wrong guess at a code that exists.
    if (result.outcome == OtpVerifyResult::Outcome::Unknown) result.attemptsLeft = settings_.maxAttempts - 1;
    hideWhatIsThere(reference, verification, result);

    VerifiedOtp verified;
    verified.outcome = result.outcome;
    verified.attemptsLeft = result.attemptsLeft;
    switch (result.outcome) {
    case OtpVerifyResult::Outcome::Verified:
        verified.otpId = verification.otpId;
        verified.purpose = result.purpose;
        verified.destination = std::move(result.destination);
        verified.signIn = std::move(result.signIn);
        break;
    case OtpVerifyResult::Outcome::BudgetExhausted:
        verified.limit =
            reportLimit("guesses_per_destination", settings_.guessesPerDestination, result.hits, clock_.now());
        if (verified.limit) verified.retryAfter = verified.limit->state.reset;
        break;
    case OtpVerifyResult::Outcome::AttemptsExhausted: verified.retryAfter = settings_.resendAfter; break;
    case OtpVerifyResult::Outcome::WrongCode:
    case OtpVerifyResult::Outcome::Unknown:
    case OtpVerifyResult::Outcome::Used:
    case OtpVerifyResult::Outcome::Expired:
    case OtpVerifyResult::Outcome::AccountDisabled: break;
    case OtpVerifyResult::Outcome::NeedsFactor:
        if (result.firstStep) {
            verified.takesTotp = result.firstStep->takesTotp;
            verified.takesRecoveryCode = result.firstStep->takesRecoveryCode;
            verified.addsFactor = result.firstStep->addsFactor;
            verified.secondStepToken = makeSecondStepToken(
                ring_, {Uuid::makeV7(clock_.now(), random_), *result.firstStep, clock_.now() + kSecondStepLifetime});
        }
        break;
    }
    return verified;
}

LinkElsewhere OtpService::lookAtLink(const Uuid& otpId) {
    using Outcome = OtpVerifyResult::Outcome;
    const auto opened = store_.findOpened(otpId);
    if (!opened || opened->purpose != Purpose::Login) return {};
    if (opened->consumedAt) return {.outcome = Outcome::Used, .destination = std::nullopt, .code = {}};
    if (opened->expiresAt <= clock_.now()) {
        return {.outcome = Outcome::Expired, .destination = std::nullopt, .code = {}};
    }
    LinkElsewhere link{.outcome = Outcome::Verified, .destination = opened->destination, .code = {}};
    const bool counts =
        takesShortCodes(settings_.linkUse, opened->purpose, opened->destination.channel(), opened->failures);
    if (counts && opened->hasTriesLeft) link.code = codes_.codeFor(otpId);
    return link;
}

std::string OtpService::askerProofOf(const Uuid& otpId) const {
    return crypto::signToken(ring_, crypto::KeyUse::OtpAsker, otpId.bytes());
}

bool OtpService::isAskerProof(std::string_view proof, const Uuid& otpId) const {
    const auto asked = crypto::openToken(ring_, crypto::KeyUse::OtpAsker, proof, otpId.bytes().size());
    return asked && *asked == otpId.bytes();
}

std::string OtpService::receiptOf(const VerifiedOtp& verified) const {
    return makeOtpReceipt(ring_, verified.otpId, verified.purpose, clock_.now());
}

std::optional<Uuid> OtpService::parseReceipt(std::string_view token, Purpose purpose) const {
    return parseOtpReceipt(ring_, token, purpose, clock_.now());
}

}  // namespace otpgate::domain
