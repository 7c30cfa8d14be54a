#include "store/outbox_rows.h"

#include "otpgate/base/text.h"
#include "store/webhook_events.h"
#include "store/words.h"

#include <algorithm>
#include <map>
#include <set>

namespace otpgate::store {

namespace {

constexpr std::size_t kReasonBytes = 200;
constexpr std::string_view kDelay = "delay_ms";

const auto kInsertMessage = db::RowStatement::insert(
    "outbox", {"id", "kind", "otp_id", "channel", "purpose", "destination", "locale", "request_id", "created_at_us",
               "expires_at_us", "available_at_us", "code_length", "code_alphabet", "discard", "ip_address", "device",
               "changed_address", "time_zone", "codes_left"});
const auto kAuditEnd =
    db::RowStatement::insert("audit_events", {"id", "event", "destination", "request_id", "metadata", "created_at_us"});

const db::LookUp kCode(
    "SELECT o.id, o.consumed_at_us, o.expires_at_us, o.attempts, o.max_attempts"
    " FROM otp_requests o WHERE",
    "o.id = ?", db::Locking::None);
const db::LookUp kVerification("SELECT v.id, v.consumed_at_us, v.expires_at_us FROM verification_attempts v WHERE",
                               "v.id = ?", db::Locking::None);

}  // namespace

void insertMessage(db::Connection& connection, const domain::OutboxMessage& message) {
    connection.write(
        kInsertMessage,
        {message.id, domain::toString(message.kind), message.otpId, domain::toString(message.destination.channel()),
         domain::toString(message.purpose), message.destination.value(), message.locale, message.requestId,
         message.createdAt, message.expiresAt, message.availableAt, message.codeLength,
         domain::toString(message.codeAlphabet), message.isDiscarded ? 1 : 0, message.notice.ipAddress,
         message.notice.device, message.notice.changedAddress, message.notice.timeZone, message.notice.codesLeft});
}

domain::OutboxMessage messageOf(const db::Row& row) {
    return {.id = row.uuid(0),
            .kind = parseMessageKind(row.text(13)),
            .otpId = row.uuid(1),
            .purpose = parsePurpose(row.text(3)),
            .destination = domain::Destination::fromStored(parseChannel(row.text(2)), row.text(4)),
            .locale = row.text(5),
            .requestId = row.text(6),
            .codeLength = static_cast<unsigned>(row.integer(10)),
            .codeAlphabet = parseCodeAlphabet(row.text(12)),
            .isDiscarded = row.integer(11) != 0,
            .attempts = static_cast<unsigned>(row.integer(7)),
            .notice = {.ipAddress = row.text(14),
                       .device = row.text(15),
                       .changedAddress = row.text(16),
                       .timeZone = row.text(18),
                       .codesLeft = row.optionalInteger(19)},
            .createdAt = row.timestamp(17),
            .expiresAt = row.timestamp(8),
            .availableAt = row.timestamp(9)};
}

std::optional<std::string> metadataOf(const domain::FinishedMessage& finished, Timestamp now) {
    std::string json;
    const auto add = [&json](std::string_view name, std::string_view value) {
        json += (json.empty() ? "{\"" : ",\"") + std::string{name} + "\":\"";
        for (const char c : value) json += c == '"' || c == '\\' ? '\'' : c;
        json += '"';
    };
    if (finished.message.kind != domain::MessageKind::Code) add("kind", domain::toString(finished.message.kind));
    if (!finished.reason.empty()) add("reason", plainReason(finished.reason));
    if (domain::eventOf(finished) == domain::AuditEvent::OtpSent) {
        const auto delay = std::chrono::floor<std::chrono::milliseconds>(now - finished.message.createdAt);
        add(kDelay, std::to_string(std::max(delay.count(), decltype(delay.count()){0})));
    }
    return json.empty() ? std::nullopt : std::optional{json + "}"};
}

std::optional<std::chrono::milliseconds> delayIn(std::string_view metadata) {
    const std::string mark = "\"" + std::string{kDelay} + "\":\"";
    const std::size_t found = metadata.find(mark);
    if (found == std::string_view::npos) return std::nullopt;
    metadata.remove_prefix(found + mark.size());
    const auto delay = parseNumber<std::int64_t>(metadata.substr(0, metadata.find('"')));
    if (!delay) return std::nullopt;
    return std::chrono::milliseconds{*delay};
}

void auditFinished(db::Connection& connection, const domain::FinishedMessage& finished, Timestamp now) {
    const domain::OutboxMessage& message = finished.message;
    connection.write(kAuditEnd, {finished.auditId, domain::toString(domain::eventOf(finished)),
                                 message.destination.value(), message.requestId, metadataOf(finished, now), now});
    // Nobody ever meant to send what is discarded.
    if (message.isDiscarded) return;
    noteEvent(connection, {.id = finished.auditId,
                           .event = domain::WebhookEvent::MessageFailed,
                           .details = domain::detailsOf(message),
                           .createdAt = now});
}

std::string plainReason(std::string_view reason) {
    return printable(reason.substr(0, kReasonBytes), ' ');
}

std::vector<domain::CodeState> readCodeStates(db::Connection& connection,
                                              std::span<const domain::OutboxMessage> messages, Timestamp now) {
    std::set<Uuid> codes;
    std::set<Uuid> verifications;
    for (const auto& message : messages) {
        if (!domain::carriesSecret(message.kind) || message.isDiscarded) continue;
        (message.codeLength == 0 ? codes : verifications).insert(message.otpId);
    }
    const auto found = connection.lookUp(
        {{kCode, {codes.begin(), codes.end()}}, {kVerification, {verifications.begin(), verifications.end()}}});
    std::map<Uuid, domain::CodeFacts> facts;
    for (const db::Row& row : found[0])
        facts[row.uuid(0)] = {row.optionalTimestamp(1), row.timestamp(2), row.integer(3) < row.integer(4)};
    for (const db::Row& row : found[1]) facts[row.uuid(0)] = {row.optionalTimestamp(1), row.timestamp(2)};
    std::vector<domain::CodeState> states;
    states.reserve(messages.size());
    for (const auto& message : messages) {
        const auto known = facts.find(message.otpId);
        states.push_back(
            domain::codeStateOf(message, known == facts.end() ? std::nullopt : std::optional{known->second}, now));
    }
    return states;
}

}  // namespace otpgate::store
