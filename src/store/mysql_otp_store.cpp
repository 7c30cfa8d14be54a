#include "store/mysql_otp_store.h"

#include "store/bucket_rule.h"
#include "store/otp_requests.h"
#include "store/users.h"
#include "store/words.h"

#include <stdexcept>

namespace otpgate::store {

namespace {

domain::OtpRequestResult::Outcome parseRequestOutcome(std::string_view word) {
    using Outcome = domain::OtpRequestResult::Outcome;
    if (word == "accepted") return Outcome::Accepted;
    if (word == "client_limited") return Outcome::ClientLimited;
    if (word == "destination_limited") return Outcome::DestinationLimited;
    if (word == "user_not_found") return Outcome::UserNotFound;
    if (word == "account_disabled") return Outcome::AccountDisabled;
    throw std::runtime_error("unknown outcome of otp_request: " + std::string{word});
}

std::string_view wordOf(domain::AccountRule rule) {
    switch (rule) {
    case domain::AccountRule::Any: return "any";
    case domain::AccountRule::ActiveOrNew: return "active_or_new";
    case domain::AccountRule::Active: return "active";
    }
    return {};
}

// `CALL name(?, ?, ...)`, with as many marks as there are values.
template <std::size_t N>
std::string callOf(std::string_view name, const db::Param (&)[N]) {
    std::string sql = "CALL " + std::string{name} + "(?";
    for (std::size_t i = 1; i < N; ++i) sql += ", ?";
    return sql + ")";
}

}  // namespace

domain::OtpRequestResult MysqlOtpStore::request(const domain::NewOtpRequest& request) {
    const BucketRule client(request.clientRule, request.now);
    const BucketRule destination(request.destinationRule, request.now);
    const std::string hit = domain::packTime(request.now);
    const Uuid oldestLive = Uuid::lowestV7(request.oldestLive);
    const Uuid lane = request.ownerId ? *request.ownerId : request.device.value_or(kStrangers);
    const db::Param params[] = {request.id,
                                request.destination.value(),
                                domain::toString(request.destination.channel()),
                                domain::toString(request.purpose),
                                request.methods,
                                request.locale,
                                request.client.languages,
                                wordOf(request.accountRule),
                                request.disclosure == domain::Disclosure::Reveal ? 1 : 0,
                                request.resend == domain::Resend::Repeat ? 1 : 0,
                                request.now,
                                request.expiresAt,
                                request.maxAttempts,
                                oldestLive,
                                db::Param::blob(request.guessBucket),
                                db::Param::blob(hit),
                                db::Param::blob(request.clientBucket),
                                client.keep,
                                client.expiresAt,
                                client.places[0],
                                db::Param::blob(client.since[0]),
                                client.places[1],
                                db::Param::blob(client.since[1]),
                                db::Param::blob(request.destinationBucket),
                                destination.keep,
                                destination.expiresAt,
                                destination.places[0],
                                db::Param::blob(destination.since[0]),
                                destination.places[1],
                                db::Param::blob(destination.since[1]),
                                lane,
                                db::Param::blob(request.deviceGuessBucket),
                                db::Param::blob(request.deviceBucket),
                                request.outboxId,
                                request.outboxAvailableAt,
                                request.auditId,
                                request.client.address,
                                request.client.userAgent,
                                request.client.requestId};
    static const std::string sql = callOf("otp_request", params);
    const auto rows = connection_.call(sql, params);
    const db::Row& row = rows.at(0);
    domain::OtpRequestResult result;
    result.outcome = parseRequestOutcome(row.text(0));
    result.hits = row.text(1);
    if (result.outcome == domain::OtpRequestResult::Outcome::Accepted) {
        result.otpId = row.uuid(2);
        result.expiresAt = row.timestamp(3);
        result.isDiscarded = row.integer(4) != 0;
        result.languages = row.text(5);
    }
    return result;
}

domain::OtpVerifyResult MysqlOtpStore::verify(const domain::OtpVerification& verification) {
    const BucketRule guesses(verification.guessRule, verification.now);
    const std::string hit = domain::packTime(verification.now);
    std::optional<std::string_view> purpose;
    if (verification.purpose) purpose = domain::toString(*verification.purpose);
    const domain::NoticeDraft noNotice;
    const domain::NoticeDraft& notice = verification.notice ? *verification.notice : noNotice;
    std::optional<Uuid> noticeId;
    if (verification.notice) noticeId = notice.id;
    const db::Param params[] = {verification.otpId,
                                purpose,
                                verification.guess == domain::Guess::Right ? 1 : 0,
                                verification.now,
                                db::Param::blob(hit),
                                guesses.keep,
                                guesses.expiresAt,
                                guesses.places[0],
                                db::Param::blob(guesses.since[0]),
                                guesses.places[1],
                                db::Param::blob(guesses.since[1]),
                                verification.mayRegister ? 1 : 0,
                                verification.newUserId,
                                domain::firstLanguage(verification.client.languages),
                                verification.sessionId,
                                verification.sessionExpiresAt,
                                verification.shownDevice,
                                verification.newDeviceId,
                                verification.device.installId,
                                verification.device.platform,
                                verification.device.appVersion,
                                verification.device.name,
                                verification.auditIds[0],
                                verification.auditIds[1],
                                verification.auditIds[2],
                                noticeId,
                                notice.bySms == domain::NoticeBySms::WhereNoMail ? 1 : 0,
                                notice.facts.device,
                                notice.expiresAt,
                                notice.availableAt,
                                verification.client.address,
                                verification.client.userAgent,
                                verification.client.requestId};
    static const std::string sql = callOf("otp_verify", params);
    const auto rows = connection_.call(sql, params);
    const db::Row& row = rows.at(0);
    domain::OtpVerifyResult result;
    result.outcome = parseVerifyOutcome(row.text(0));
    result.attemptsLeft = static_cast<unsigned>(row.integer(1));
    result.hits = row.text(2);
    if (row.isNull(3)) return result;
    result.purpose = parsePurpose(row.text(3));
    result.channel = parseChannel(row.text(4));
    if (result.outcome != domain::OtpVerifyResult::Outcome::Verified) return result;
    result.destination = domain::Destination::fromStored(*result.channel, row.text(5));
    if (result.purpose == domain::Purpose::Login) {
        result.signIn = {.isNewUser = row.integer(6) != 0,
                         .user = readUser(row, 10),
                         .sessionId = verification.sessionId,
                         .deviceId = row.uuid(7),
                         .methods = row.text(8)};
        if (const auto channel = row.optionalText(9)) {
            const domain::User& user = result.signIn->user;
            const auto recipient = domain::addressOf(user, parseChannel(*channel));
            if (recipient) result.notice = domain::makeNotice(notice, *recipient, user.locale);
        }
    }
    return result;
}

std::optional<Uuid> MysqlOtpStore::findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                              const domain::ShownDevice& device, Timestamp since) {
    return findNewestOtp(connection_, destination, purpose, device, since);
}

}  // namespace otpgate::store
