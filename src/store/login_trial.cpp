#include "otpgate/store/login_trial.h"

#include "store/group_calls.h"

namespace otpgate::store {

using namespace std::chrono_literals;

namespace {

// RFC 6761, section 6.4: no such domain will ever be.
constexpr std::string_view kDomain = "@otpgate.invalid";
const domain::Client kClient{"::1", "::1", "health check", ""};

class TakenBack {};

const auto kInsertTrialRow =
    db::RowStatement::insert("rate_limits", {"bucket", "hits", "expires_at_us", "refused_at_us"});
const auto kRemoveTrialRow = db::RowStatement::remove("rate_limits", "bucket");

void require(bool isSo, const char* what) {
    if (!isSo) throw ServiceUnavailable(std::string{"a login that was tried went wrong: "} + what);
}

domain::NewOtpRequest requestFor(const std::string& address, Random& random, Timestamp now) {
    const auto limit = domain::LimitRule::parse("9/1h").value();
    return {.id = Uuid::makeV7(now, random),
            .destination = domain::Destination::fromStored(domain::Channel::Email, address),
            .locale = {},
            .now = now,
            .expiresAt = now + 1min,
            .maxAttempts = 1,
            .oldestLive = now - 1min,
            .guessBucket = domain::limitBucket("guess", address),
            .clientBucket = domain::limitBucket("request-client", address),
            .clientRule = limit,
            .destinationBucket = domain::limitBucket("request", address),
            .destinationRule = limit,
            .device = {},
            .deviceGuessBucket = {},
            .deviceBucket = {},
            .outboxId = Uuid::makeV7(now, random),
            .outboxAvailableAt = now + 1min,
            .auditId = Uuid::makeV7(now, random),
            .client = kClient};
}

void askFor(db::Connection& connection, const domain::NewOtpRequest& request) {
    require(makeCall(connection, request).outcome == domain::OtpRequestResult::Outcome::Accepted, "no code was made");
}

void signIn(db::Connection& connection, const domain::NewOtpRequest& request, Random& random) {
    const Timestamp now = request.now;
    const domain::OtpVerification guess{
        .otpId = request.id,
        .purpose = request.purpose,
        .guess = domain::Guess::Right,
        .guessRule = request.destinationRule,
        .now = now,
        .newUserId = Uuid::makeV7(now, random),
        .sessionId = Uuid::makeV7(now, random),
        .sessionExpiresAt = now + 1min,
        .newDeviceId = Uuid::makeV7(now, random),
        .auditIds = {Uuid::makeV7(now, random), Uuid::makeV7(now, random), Uuid::makeV7(now, random)},
        .client = kClient};
    require(makeCall(connection, guess).signIn.has_value(), "the right code opened no session");
    const domain::SessionRefresh refresh{.sessionId = guess.sessionId,
                                         .counter = 0,
                                         .now = now,
                                         .lifetimes = {1min, 1min},
                                         .graceSince = now,
                                         .auditId = Uuid::makeV7(now, random),
                                         .client = kClient};
    require(makeCall(connection, refresh).outcome == domain::SessionRefreshResult::Outcome::Rotated,
            "the session was not refreshed");
    const std::vector finished{domain::FinishedMessage{{.id = request.outboxId,
                                                        .otpId = request.id,
                                                        .destination = request.destination,
                                                        .locale = {},
                                                        .requestId = {},
                                                        .expiresAt = request.expiresAt,
                                                        .availableAt = request.outboxAvailableAt},
                                                       domain::MessageEnd::Sent,
                                                       "",
                                                       Uuid::makeV7(now, random)}};
    makeCall(connection, DeliveredMessages{finished, now});
}

}  // namespace

void tryLogin(db::Connection& connection, Random& random, Timestamp now) {
    const std::string address = Uuid::makeV7(now, random).toString() + std::string{kDomain};
    const domain::NewOtpRequest voided = requestFor(address, random, now);
    const domain::NewOtpRequest request = requestFor(address, random, now + 1ms);
    try {
        connection.transact([&] {
            askFor(connection, voided);
            askFor(connection, request);
            signIn(connection, request, random);
            throw TakenBack{};
        });
    } catch (const TakenBack&) {
        // As it was meant.
    }
    const auto bucket = db::Param::blob(request.destinationBucket);
    connection.transact([&] {
        connection.write(kInsertTrialRow, {bucket, db::Param::blob(""), now, now});
        connection.write(kRemoveTrialRow, {bucket});
    });
}

}  // namespace otpgate::store
