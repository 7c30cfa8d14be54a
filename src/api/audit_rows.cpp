#include "api/audit_rows.h"

#include "otpgate/domain/destination.h"

namespace otpgate::api {

namespace {

std::optional<std::string> emailOf(const domain::AuditEntry& entry) {
    const bool isEmail = entry.destination && entry.destination->find('@') != std::string::npos;
    return isEmail ? entry.destination : std::nullopt;
}

std::optional<std::string> textOf(const std::optional<Uuid>& id) {
    if (!id) return std::nullopt;
    return id->toString();
}

// User agents and addresses are a stranger's words, and an administrator opens the file in a spreadsheet.
void appendCell(std::string& csv, std::string_view text) {
    constexpr std::string_view kFormulaStarts = "=+-@\t\r";
    const bool looksLikeFormula = !text.empty() && kFormulaStarts.find(text.front()) != std::string_view::npos;
    const bool needsQuotes = text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (needsQuotes) csv += '"';
    if (looksLikeFormula) csv += '\'';
    for (const char c : text) {
        if (c == '"') csv += '"';
        csv += c;
    }
    if (needsQuotes) csv += '"';
}

}  // namespace

void writeAuditEntry(http::JsonWriter& json, const domain::AuditEntry& entry) {
    json.beginObject()
        .member("id", entry.id.toString())
        .member("event", entry.event)
        .member("user_id", textOf(entry.userId))
        .member("email", emailOf(entry))
        .member("destination", entry.destination)
        .member("ip_address", entry.ipAddress)
        .member("user_agent", entry.userAgent)
        .member("request_id", entry.requestId);
    json.key("metadata").raw(entry.metadata);
    json.member("created_at", formatRfc3339(entry.createdAt)).endObject();
}

void appendAuditCsv(std::string& csv, const domain::AuditEntry& entry) {
    for (const std::string& cell :
         {entry.id.toString(), entry.event, textOf(entry.userId).value_or(""), emailOf(entry).value_or(""),
          entry.destination.value_or(""), entry.ipAddress.value_or(""), entry.userAgent.value_or(""),
          entry.requestId.value_or(""), entry.metadata}) {
        appendCell(csv, cell);
        csv += ',';
    }
    csv += formatRfc3339(entry.createdAt);
    csv += "\r\n";
}

}  // namespace otpgate::api
