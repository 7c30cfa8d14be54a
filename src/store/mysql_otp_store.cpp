#include "store/mysql_otp_store.h"

#include "store/bucket_rule.h"
#include "store/otp_requests.h"
#include "store/packed_call.h"
#include "store/users.h"
#include "store/words.h"

#include <stdexcept>
#include <vector>

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
    // Whether the device is known, and so which of the buckets count, only the database can tell.
    std::vector<std::string_view> buckets{request.destinationBucket};
    if (!request.clientRule.isUnlimited()) buckets.emplace_back(request.clientBucket);
    if (request.device) buckets.emplace_back(request.deviceBucket);
    const db::Row row = connection_.callGrouped("CALL otp_request(?)", {call.view(), buckets});
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

// In the order and widths of otp_verify.sql.
domain::OtpVerifyResult MysqlOtpStore::verify(const domain::OtpVerification& verification) {
    const domain::NoticeDraft noNotice;
    const domain::NoticeDraft& notice = verification.notice ? *verification.notice : noNotice;
    PackedCall call(1161);
    call.id(verification.otpId)
        .text(verification.purpose ? domain::toString(*verification.purpose) : "", 16)
        .flag(verification.guess == domain::Guess::Right)
        .time(verification.now)
        .rule({verification.guessRule, verification.now})
        .flag(verification.mayRegister)
        .id(verification.newUserId)
        .text(domain::firstLanguage(verification.client.languages), 35)
        .id(verification.sessionId)
        .time(verification.sessionExpiresAt)
        .id(verification.shownDevice.value_or(Uuid{}))
        .id(verification.newDeviceId)
        .text(verification.device.installId, 100)
        .text(verification.device.platform, 32)
        .text(verification.device.appVersion, 32)
        .text(verification.device.name, 100)
        .id(verification.auditIds[0])
        .id(verification.auditIds[1])
        .id(verification.auditIds[2])
        .id(notice.id)
        .flag(notice.bySms == domain::NoticeBySms::WhereNoMail)
        .text(notice.facts.device, 255)
        .time(notice.expiresAt)
        .time(notice.availableAt)
        .text(verification.client.address, 45)
        .text(verification.client.userAgent, 255)
        .text(verification.client.requestId, 64);
    const std::string_view keys[] = {verification.otpId.bytes()};
    const db::Row row = connection_.callGrouped("CALL otp_verify(?)", {call.view(), keys});
    domain::OtpVerifyResult result;
    result.outcome = parseVerifyOutcome(row.text(1));
    result.attemptsLeft = static_cast<unsigned>(row.integer(2));
    result.hits = row.text(3);
    if (row.isNull(4)) return result;
    result.purpose = parsePurpose(row.text(4));
    result.channel = parseChannel(row.text(5));
    if (result.outcome != domain::OtpVerifyResult::Outcome::Verified) return result;
    result.destination = domain::Destination::fromStored(*result.channel, row.text(6));
    if (result.purpose == domain::Purpose::Login) {
        result.signIn = {.isNewUser = row.integer(7) != 0,
                         .user = readUser(row, 11),
                         .sessionId = verification.sessionId,
                         .deviceId = row.uuid(8),
                         .methods = row.text(9)};
        if (const auto channel = row.optionalText(10)) {
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
