// GET /api/v1/auth/me/export.
#include "api/account_export.h"

#include "api/audit_rows.h"
#include "api/endpoints.h"
#include "api/views.h"

#include <algorithm>

namespace otpgate::api {

namespace {

constexpr unsigned kBatch = 500;

struct WriteValue {
    http::JsonWriter& json;

    void operator()(std::monostate) const { json.null(); }
    void operator()(const std::string& text) const { json.value(text); }
    void operator()(std::int64_t number) const { json.value(number); }
    void operator()(Timestamp time) const { json.value(formatRfc3339(time)); }
};

void writeSection(http::JsonWriter& json, const domain::ExportSection& section) {
    json.key(section.name).beginArray();
    for (const auto& row : section.rows) {
        json.beginObject();
        for (const auto& [name, value] : row) {
            json.key(name);
            std::visit(WriteValue{json}, value);
        }
        json.endObject();
    }
    json.endArray();
}

void writeEvents(http::JsonWriter& json, const domain::User& user, domain::AuditStore& audit, unsigned most) {
    domain::AuditFilter filter;
    filter.scope = domain::ownAuditScope(user);
    std::optional<Uuid> last;
    unsigned left = most;
    bool isComplete = false;
    json.key("events").beginArray();
    while (left > 0 && !isComplete) {
        const unsigned asked = std::min(left, kBatch);
        const auto entries = audit.next(filter, last, asked);
        for (const domain::AuditEntry& entry : entries) writeAuditEntry(json, entry);
        isComplete = entries.size() < asked;
        left -= static_cast<unsigned>(entries.size());
        if (!entries.empty()) last = entries.back().id;
    }
    json.endArray().member("events_complete", isComplete);
}

}  // namespace

std::string exportOf(const domain::User& user, domain::AccountService& accounts, domain::AuditStore& audit,
                     Timestamp now, unsigned mostEvents) {
    http::JsonWriter json;
    json.beginObject().member("exported_at", formatRfc3339(now)).key("user");
    writeUser(json, user);
    for (const domain::ExportSection& section : accounts.exportOf(user)) writeSection(json, section);
    writeEvents(json, user, audit, mostEvents);
    json.endObject();
    return json.take();
}

http::Response exportMe(const http::Request&, const Caller& caller, domain::AccountService& accounts,
                        domain::AuditStore& audit, const Clock& clock) {
    http::Response response;
    response.body = exportOf(caller.user, accounts, audit, clock.now());
    response.with("Content-Disposition", "attachment; filename=\"account.json\"");
    return response;
}

}  // namespace otpgate::api
