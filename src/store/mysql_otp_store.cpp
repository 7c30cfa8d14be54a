#include "store/mysql_otp_store.h"

#include "store/otp_requests.h"
#include "store/users.h"
#include "store/words.h"

#include <array>
#include <stdexcept>

namespace otpgate::store {

namespace {

// A rule as the procedures take it: count and window in microseconds, twice; a count of 0 is no window.
std::array<std::int64_t, 4> flat(const domain::LimitRule& rule) {
    std::array<std::int64_t, 4> values{};
    std::size_t i = 0;
    for (const domain::LimitWindow& window : rule.windows()) {
        values.at(i++) = window.count;
        values.at(i++) = std::chrono::microseconds{window.window}.count();
    }
    return values;
}

domain::OtpRequestResult::Outcome parseRequestOutcome(std::string_view word) {
    using Outcome = domain::OtpRequestResult::Outcome;
    if (word == "accepted") return Outcome::Accepted;
    if (word == "client_limited") return Outcome::ClientLimited;
    if (word == "destination_limited") return Outcome::DestinationLimited;
    throw std::runtime_error("unknown outcome of otp_request: " + std::string{word});
}

}  // namespace

domain::OtpRequestResult MysqlOtpStore::request(const domain::NewOtpRequest& request) {
    const auto client = flat(request.clientRule);
    const auto destination = flat(request.destinationRule);
    const Uuid oldestLive = Uuid::lowestV7(request.oldestLive);
    const auto rows = connection_.call(
        "CALL otp_request(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {request.id,
         request.destination.value(),
         domain::toString(request.destination.channel()),
         domain::toString(request.purpose),
         request.locale,
         request.now,
         request.expiresAt,
         request.maxAttempts,
         oldestLive,
         db::Param::blob(request.guessBucket),
         db::Param::blob(request.clientBucket),
         client[0],
         client[1],
         client[2],
         client[3],
         db::Param::blob(request.destinationBucket),
         destination[0],
         destination[1],
         destination[2],
         destination[3],
         request.outboxId,
         request.outboxAvailableAt,
         request.auditId,
         request.client.address,
         request.client.userAgent,
         request.client.requestId});
    return {parseRequestOutcome(rows.at(0).text(0)), rows.at(0).text(1)};
}

domain::OtpVerifyResult MysqlOtpStore::verify(const domain::OtpVerification& verification) {
    const auto guesses = flat(verification.guessRule);
    const auto rows = connection_.call("CALL otp_verify(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                       {verification.otpId,
                                        verification.guess == domain::Guess::Right ? 1 : 0,
                                        verification.now,
                                        guesses[0],
                                        guesses[1],
                                        guesses[2],
                                        guesses[3],
                                        verification.newUserId,
                                        verification.sessionId,
                                        verification.sessionExpiresAt,
                                        verification.device.installId,
                                        verification.device.platform,
                                        verification.device.appVersion,
                                        verification.device.name,
                                        verification.auditIds[0],
                                        verification.auditIds[1],
                                        verification.auditIds[2],
                                        verification.client.address,
                                        verification.client.userAgent,
                                        verification.client.requestId});
    const db::Row& row = rows.at(0);
    domain::OtpVerifyResult result;
    result.outcome = parseVerifyOutcome(row.text(0));
    result.attemptsLeft = static_cast<unsigned>(row.integer(1));
    result.hits = row.text(2);
    if (result.outcome == domain::OtpVerifyResult::Outcome::Verified) {
        result.sessionId = verification.sessionId;
        result.isNewUser = row.integer(3) != 0;
        result.user = readUser(row, 4);
    }
    return result;
}

std::optional<Uuid> MysqlOtpStore::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                              Timestamp since) {
    return findNewestOtp(connection_, destination, purpose, since);
}

}  // namespace otpgate::store
