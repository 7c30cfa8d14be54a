#include "otpgate/domain/otp_service.h"

namespace otpgate::domain {

namespace {

// The process that wrote a message sends it itself for so long; then whoever looks first takes it from the outbox.
constexpr std::chrono::seconds kHandOverLease{10};

std::optional<LimitReport> reportOf(std::string_view name, const LimitRule& rule, std::string hits, Timestamp now) {
    if (rule.isUnlimited()) return std::nullopt;
    return LimitReport{name, LimitHits{std::move(hits)}.state(rule, now)};
}

}  // namespace

OtpService::OtpService(OtpStore& store, SessionService& sessions, Messenger& messenger, const OtpCodes& codes,
                       const Clock& clock, Random& random, OtpSettings settings)
    : store_(store),
      sessions_(sessions),
      messenger_(messenger),
      codes_(codes),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)) {}

RequestedOtp OtpService::request(const Destination& destination, Purpose purpose, const std::string& locale,
                                 const Client& client) {
    const Timestamp now = clock_.now();
    const Uuid id = Uuid::makeV7(now, random_);
    const OutboxMessage message{.id = Uuid::makeV7(now, random_),
                                .otpId = id,
                                .purpose = purpose,
                                .destination = destination,
                                .locale = locale,
                                .requestId = client.requestId,
                                .attempts = 0,
                                .expiresAt = now + settings_.emailLifetime,
                                .availableAt = now + kHandOverLease};
    const OtpRequestResult result = store_.request({.id = id,
                                                    .destination = destination,
                                                    .purpose = purpose,
                                                    .locale = locale,
                                                    .now = now,
                                                    .expiresAt = message.expiresAt,
                                                    .maxAttempts = settings_.maxAttempts,
                                                    .oldestLive = now - settings_.emailLifetime,
                                                    .guessBucket = limitBucket("guess", destination.value()),
                                                    .clientBucket = limitBucket("request-client", client.network),
                                                    .clientRule = settings_.requestsPerClient,
                                                    .destinationBucket = limitBucket("request", destination.value()),
                                                    .destinationRule = settings_.requestsPerDestination,
                                                    .outboxId = message.id,
                                                    .outboxAvailableAt = message.availableAt,
                                                    .auditId = Uuid::makeV7(now, random_),
                                                    .client = client});

    RequestedOtp requested{.isAccepted = false,
                           .id = id,
                           .expiresIn = settings_.emailLifetime,
                           .resendIn = settings_.resendAfter,
                           .limit = std::nullopt};
    switch (result.outcome) {
    case OtpRequestResult::Outcome::ClientLimited:
        requested.limit = reportOf("request_per_client", settings_.requestsPerClient, result.hits, now);
        return requested;
    case OtpRequestResult::Outcome::Accepted:
        requested.isAccepted = true;
        messenger_.handOver(message);
        break;
    case OtpRequestResult::Outcome::DestinationLimited: break;
    }
    requested.limit = reportOf("request_per_destination", settings_.requestsPerDestination, result.hits, now);
    return requested;
}

VerifiedOtp OtpService::verify(const Uuid& otpId, std::string_view guess, const Device& device, const Client& client) {
    const Timestamp now = clock_.now();
    // The guess is judged here, but nobody learns the verdict before the store has counted the attempt.
    OtpVerifyResult result =
        store_.verify({.otpId = otpId,
                       .guess = codes_.judge(otpId, guess),
                       .guessRule = settings_.guessesPerDestination,
                       .now = now,
                       .newUserId = Uuid::makeV7(now, random_),
                       .sessionId = Uuid::makeV7(now, random_),
                       .sessionExpiresAt = sessions_.sessionEnd(now),
                       .device = device,
                       .auditIds = {Uuid::makeV7(now, random_), Uuid::makeV7(now, random_), Uuid::makeV7(now, random_)},
                       .client = client});

    VerifiedOtp verified;
    verified.outcome = result.outcome;
    verified.attemptsLeft = result.attemptsLeft;
    switch (result.outcome) {
    case OtpVerifyResult::Outcome::Verified:
        verified.isNewUser = result.isNewUser;
        verified.tokens = sessions_.issueFirst(result.sessionId, result.user->id, now);
        verified.user = std::move(result.user);
        break;
    case OtpVerifyResult::Outcome::Unknown:
        // Looks like the first wrong guess at a code that exists.
        verified.attemptsLeft = settings_.maxAttempts - 1;
        break;
    case OtpVerifyResult::Outcome::BudgetExhausted:
        verified.limit = reportOf("guesses_per_destination", settings_.guessesPerDestination, result.hits, now);
        if (verified.limit) verified.retryAfter = verified.limit->state.reset;
        break;
    case OtpVerifyResult::Outcome::AttemptsExhausted: verified.retryAfter = settings_.resendAfter; break;
    case OtpVerifyResult::Outcome::WrongCode:
    case OtpVerifyResult::Outcome::Used:
    case OtpVerifyResult::Outcome::Expired:
    case OtpVerifyResult::Outcome::AccountDisabled: break;
    }
    return verified;
}

VerifiedOtp OtpService::verify(const Destination& destination, Purpose purpose, std::string_view guess,
                               const Device& device, const Client& client) {
    const Timestamp now = clock_.now();
    // A code that has expired is still found for as long again, so that its owner learns why it does not work.
    const auto otpId = store_.findNewest(destination, purpose, now - 2 * settings_.emailLifetime);
    // Where there is none, an id that no code has: the same work, the same answer.
    return verify(otpId ? *otpId : Uuid::makeV7(now, random_), guess, device, client);
}

}  // namespace otpgate::domain
