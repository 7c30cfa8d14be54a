#include "store/mysql_otp_store.h"

#include "store/bucket_rule.h"
#include "store/otp_requests.h"
#include "store/packed_call.h"
#include "store/users.h"
#include "store/words.h"

#include <array>
#include <span>
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

// In the order and widths of otp_request.sql.
domain::OtpRequestResult MysqlOtpStore::request(const domain::NewOtpRequest& request) {
    PackedCall call(1069);
    call.id(request.id)
        .text(request.destination.value(), 254)
        .text(domain::toString(request.destination.channel()), 8)
        .text(domain::toString(request.purpose), 16)
        .text(request.methods, 16)
        .text(request.locale, 35)
        .text(request.client.languages, 70)
        .text(wordOf(request.accountRule), 16)
        .flag(request.disclosure == domain::Disclosure::Reveal)
        .flag(request.resend == domain::Resend::Repeat)
        .time(request.now)
        .time(request.expiresAt)
        .integer(request.maxAttempts)
        .id(Uuid::lowestV7(request.oldestLive))
        .bucket(request.guessBucket)
        .bucket(request.clientBucket)
        .rule({request.clientRule, request.now})
        .bucket(request.destinationBucket)
        .rule({request.destinationRule, request.now})
        .id(request.ownerId ? *request.ownerId : request.device.value_or(kStrangers))
        .bucket(request.deviceGuessBucket)
        .bucket(request.deviceBucket)
        .id(request.outboxId)
        .time(request.outboxAvailableAt)
        .id(request.auditId)
        .text(request.client.address, 45)
        .text(request.client.userAgent, 255)
        .text(request.client.requestId, 64);
    // Whether the device is known, and which of the buckets count, only the database can tell.
    const std::array<std::string_view, 3> buckets{request.clientBucket, request.destinationBucket,
                                                  request.deviceBucket};
    const std::span keys = request.device ? std::span{buckets} : std::span{buckets}.first(2);
    const db::Row row = connection_.callGrouped("CALL otp_request(?)", {call.view(), keys});
    domain::OtpRequestResult result;
    result.outcome = parseRequestOutcome(row.text(1));
    result.hits = row.text(2);
    if (result.outcome == domain::OtpRequestResult::Outcome::Accepted) {
        result.otpId = row.uuid(3);
        result.expiresAt = row.timestamp(4);
        result.isDiscarded = row.integer(5) != 0;
        result.languages = row.text(6);
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
