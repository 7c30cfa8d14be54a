#include "otpgate/domain/verification_service.h"

#include "domain/verification_context.h"
#include "otpgate/domain/otp_rules.h"

namespace otpgate::domain {

namespace {

// What one owner's applications do with an address is no concern of another's.
std::string ownersBucket(std::string_view kind, const Uuid& ownerId, const Destination& destination) {
    return limitBucket(kind, ownerId.toString() + ":" + destination.value());
}

OtpEvent eventOfGuess(VerificationGuessResult::Outcome outcome) {
    switch (outcome) {
    case VerificationGuessResult::Outcome::Verified: return OtpEvent::Verified;
    case VerificationGuessResult::Outcome::AttemptsExhausted:
    case VerificationGuessResult::Outcome::BudgetExhausted: return OtpEvent::Locked;
    case VerificationGuessResult::Outcome::WrongCode:
    case VerificationGuessResult::Outcome::Used: break;
    }
    return OtpEvent::Failed;
}

}  // namespace

VerificationService::VerificationService(VerificationStore& store, Messenger& messenger, const OtpCodes& codes,
                                         const crypto::KeyRing& ring, const Clock& clock, Random& random,
                                         OtpMetrics& metrics, VerificationSettings settings)
    : store_(store),
      messenger_(messenger),
      codes_(codes),
      ring_(ring),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      settings_(std::move(settings)) {}

RequestedVerification VerificationService::request(const VerificationQuestion& question, const Uuid& ownerId,
                                                   const Client& client) {
    const Timestamp now = clock_.now();
    const VerificationContext context{.id = Uuid::makeV7(now, random_),
                                      .ownerId = ownerId,
                                      .destination = question.to,
                                      .format = question.format,
                                      .purpose = question.purpose,
                                      .metadata = question.metadata,
                                      .codeExpiresAt = now + question.expiresIn,
                                      .expiresAt = now + question.sessionExpiresIn,
                                      .maxAttempts = question.maxAttempts,
                                      .retryCount = 0};
    RequestedVerification requested;
    requested.context = sealContext(ring_, context, random_);
    const bool isCallers = question.delivery == CodeDelivery::Caller;
    const Messenger::Place place = isCallers ? nullptr : messenger_.takePlace();
    const OutboxMessage message{.id = Uuid::makeV7(now, random_),
                                .otpId = context.id,
                                .purpose = Purpose::Verify,
                                .destination = question.to,
                                .locale = question.locale,
                                .requestId = client.requestId,
                                .codeLength = question.format.length,
                                .codeAlphabet = question.format.alphabet,
                                .isDiscarded = false,
                                .attempts = 0,
                                .createdAt = now,
                                .expiresAt = context.codeExpiresAt,
                                .availableAt = now + messenger_.lease()};
    const auto& own = question.keyLimit;
    const LimitRule& rule = own ? own->rule : settings_.requestsPerOwner;
    const auto result = store_.send({.message = isCallers ? std::nullopt : std::optional{message},
                                     .destination = question.to,
                                     .ownerId = ownerId,
                                     .bucket = requestBucketOf(question.to),
                                     .rule = settings_.requestsPerDestination,
                                     .ownerBucket = own ? limitBucket("verification-key", own->keyId.bytes())
                                                        : limitBucket("verification-owner", ownerId.bytes()),
                                     .ownerRule = rule,
                                     .now = now,
                                     .auditId = Uuid::makeV7(now, random_),
                                     .client = client});
    using Outcome = VerificationMessageResult::Outcome;
    requested.isAccepted = result.outcome == Outcome::Accepted;
    if (result.outcome == Outcome::OwnerLimited) {
        requested.limit =
            reportLimit(own ? "verifications_per_key" : "verifications_per_account", rule, result.hits, now);
    } else if (!isCallers) {
        requested.limit = reportLimit("request_per_destination", settings_.requestsPerDestination, result.hits, now);
    }
    metrics_.count(requested.isAccepted ? OtpEvent::Requested : OtpEvent::RateLimited, question.to, Purpose::Verify);
    if (!requested.isAccepted) return requested;
    if (isCallers)
        requested.code = codes_.codeFor(context.id, context.format);
    else
        requested.delivery = messenger_.deliver(message);
    return requested;
}

CheckedVerification VerificationService::check(std::string_view context, std::string_view guess, const Uuid& ownerId,
                                               const Client& client) {
    using Outcome = CheckedVerification::Outcome;
    const Timestamp now = clock_.now();
    CheckedVerification checked;
    auto opened = openContext(ring_, context);
    if (!opened || opened->ownerId != ownerId) {
        metrics_.count(OtpEvent::Failed, std::nullopt, std::nullopt);
        return checked;
    }
    if (opened->expiresAt <= now || opened->codeExpiresAt <= now) {
        metrics_.count(OtpEvent::Expired, opened->destination, Purpose::Verify);
        checked.outcome = opened->expiresAt <= now ? Outcome::SessionExpired : Outcome::CodeExpired;
        return checked;
    }

    // The guess is judged here, but nobody learns the verdict before the store has counted the attempt.
    const auto result = store_.check({.id = opened->id,
                                      .guess = codes_.judge(opened->id, guess, opened->format),
                                      .maxAttempts = opened->maxAttempts,
                                      .expiresAt = opened->expiresAt,
                                      .ownerId = ownerId,
                                      .destination = opened->destination,
                                      .bucket = ownersBucket("verification-guess", ownerId, opened->destination),
                                      .rule = settings_.guessesPerDestination,
                                      .now = now,
                                      .auditId = Uuid::makeV7(now, random_),
                                      .client = client});
    metrics_.count(eventOfGuess(result.outcome), opened->destination, Purpose::Verify);
    switch (result.outcome) {
    case VerificationGuessResult::Outcome::Verified:
        checked.outcome = Outcome::Verified;
        checked.identifier = opened->destination.value();
        checked.purpose = std::move(opened->purpose);
        checked.metadata = std::move(opened->metadata);
        checked.retryCount = result.attempts - 1;
        break;
    case VerificationGuessResult::Outcome::WrongCode:
        checked.outcome = Outcome::WrongCode;
        opened->retryCount = result.attempts;
        checked.context = sealContext(ring_, *opened, random_);
        checked.attemptsLeft = opened->maxAttempts - result.attempts;
        break;
    case VerificationGuessResult::Outcome::Used: checked.outcome = Outcome::Used; break;
    case VerificationGuessResult::Outcome::AttemptsExhausted:
        checked.outcome = Outcome::AttemptsExhausted;
        checked.retryAfter = settings_.resendAfter;
        break;
    case VerificationGuessResult::Outcome::BudgetExhausted:
        checked.outcome = Outcome::BudgetExhausted;
        checked.limit = reportLimit("guesses_per_destination", settings_.guessesPerDestination, result.hits, now);
        break;
    }
    return checked;
}

bool VerificationService::worksInItself() const {
    const Timestamp now = clock_.now();
    const Uuid id = Uuid::makeV7(now, random_);
    const std::string code = codes_.codeFor(id);
    const VerificationContext context{.id = id,
                                      .ownerId = id,
                                      .destination = Destination::fromStored(Channel::Email, "health@localhost"),
                                      .format = codes_.format(),
                                      .purpose = "health",
                                      .metadata = "{}",
                                      .codeExpiresAt = now,
                                      .expiresAt = now,
                                      .maxAttempts = 1,
                                      .retryCount = 0};
    const auto opened = openContext(ring_, sealContext(ring_, context, random_));
    return opened && opened->id == id && opened->purpose == context.purpose && codes_.judge(id, code) == Guess::Right &&
           codes_.judge(id, code + "0") == Guess::Wrong;
}

}  // namespace otpgate::domain
