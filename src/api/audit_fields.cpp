#include "api/audit_fields.h"

#include "otpgate/http/errors.h"

namespace otpgate::api {

namespace {

constexpr std::string_view kNoTime = "must be a date such as 2026-11-20 or a time such as 2026-11-20T05:12:00Z";

// In a query string a + that nobody encoded has become a space: "05:12:00 02:00".
std::optional<TimeSpan> parseQueryTime(std::string_view text) {
    constexpr std::size_t kOffsetLength = 6;
    std::string time{text};
    if (time.size() > kOffsetLength + 10) {
        char& sign = time[time.size() - kOffsetLength];
        if (sign == ' ') sign = '+';
    }
    return parseDateOrTime(time);
}

}  // namespace

std::optional<std::string_view> setAuditEvent(domain::AuditFilter& filter, std::string_view text) {
    filter.event = domain::parseAuditEvent(text);
    if (!filter.event) return "must be the name of an event such as LOGIN_FAILED";
    return std::nullopt;
}

std::optional<std::string_view> setAuditDestination(domain::AuditFilter& filter, std::string_view text) {
    const auto destination = domain::Destination::parse(text, domain::EmailValidation::International);
    if (!destination) return "must be an e-mail address or a telephone number";
    filter.destination = destination->value();
    return std::nullopt;
}

std::optional<std::string_view> setAuditBegin(domain::AuditFilter& filter, std::string_view text) {
    const auto span = parseQueryTime(text);
    if (!span) return kNoTime;
    filter.since = span->begin;
    return std::nullopt;
}

std::optional<std::string_view> setAuditEnd(domain::AuditFilter& filter, std::string_view text) {
    const auto span = parseQueryTime(text);
    if (!span) return kNoTime;
    // Ids know milliseconds: the one that the end lies in belongs to it.
    filter.before = std::chrono::ceil<std::chrono::milliseconds>(span->end);
    return std::nullopt;
}

void readAuditParameters(const http::Request& request, std::span<const AuditParameter> parameters,
                         domain::AuditFilter& filter) {
    http::ApiError error(http::ErrorCode::ValidationError);
    bool isWrong = false;
    for (const AuditParameter& parameter : parameters) {
        const auto text = request.queryParameter(parameter.name);
        if (!text || text->empty()) continue;
        const auto complaint = parameter.set(filter, *text);
        if (!complaint) continue;
        error.field(parameter.name, std::string{*complaint});
        isWrong = true;
    }
    if (isWrong) throw std::move(error);
}

}  // namespace otpgate::api
