// GET /api/v1/audit/logs: pages as Django REST Framework's PageNumberPagination gives them, or CSV.
#include "api/audit_fields.h"
#include "api/audit_rows.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <array>

namespace otpgate::api {

namespace {

using http::ApiError;
using http::ErrorCode;

constexpr unsigned kEventsPerPage = 10;
constexpr unsigned kMaxPageSize = 50;
// Neither counting nor skipping goes further: what lies behind is found by its dates.
constexpr unsigned kMaxCount = 100'000;
constexpr unsigned kMaxCsvRows = 10'000;
constexpr unsigned kCsvBatch = 1'000;
constexpr const char* kTruncatedHeader = "X-Truncated";

// In the order of the alphabet, as the links of the pages have them.
constexpr std::array<AuditParameter, 4> kParameters{{{"email", &setAuditDestination},
                                                     {"event", &setAuditEvent},
                                                     {"from_date", &setAuditBegin},
                                                     {"to_date", &setAuditEnd}}};

domain::AuditFilter readFilter(const http::Request& request, const domain::User& reader) {
    domain::AuditFilter filter;
    filter.scope = domain::auditScopeOf(reader);
    readAuditParameters(request, kParameters, filter);
    return filter;
}

std::optional<unsigned> positiveNumber(std::string_view text) {
    const auto number = parseNumber<unsigned>(text);
    return number && *number > 0 ? number : std::nullopt;
}

struct PageRequest {
    unsigned number = 1;
    unsigned size = kEventsPerPage;
    unsigned offset() const { return (number - 1) * size; }
};

[[noreturn]] void throwNoSuchPage() {
    throw ApiError(ErrorCode::NotFound).detail("There is no such page.");
}

// As the framework's clients know it: a size that is none is the usual one, a page that is none does not exist.
PageRequest readPage(const http::Request& request) {
    PageRequest page;
    page.size = std::min(positiveNumber(request.queryParameter("page_size").value_or("")).value_or(kEventsPerPage),
                         kMaxPageSize);
    const auto number = positiveNumber(request.queryParameter("page").value_or("1"));
    if (!number || *number > kMaxCount) throwNoSuchPage();
    page.number = *number;
    return page;
}

std::string linkTo(unsigned page, const http::Request& request, const std::string& publicUrl) {
    std::string query;
    const auto add = [&query](std::string_view name, std::string_view value) {
        query += (query.empty() ? "?" : "&") + std::string{name} + "=" + percentEncoded(value);
    };
    const auto repeat = [&](const char* name) {
        const auto value = request.queryParameter(name);
        if (value && !value->empty()) add(name, *value);
    };
    for (const char* name : {"email", "event", "from_date"}) repeat(name);
    if (page > 1) add("page", std::to_string(page));
    for (const char* name : {"page_size", "to_date"}) repeat(name);
    return publicUrl + "/api/v1/audit/logs" + query;
}

http::Response showEvents(domain::AuditStore& audit, const ApiSettings& settings, const http::Request& request,
                          const domain::AuditFilter& filter) {
    const PageRequest page = readPage(request);
    const auto count = static_cast<unsigned>(audit.count(filter, kMaxCount));
    if (page.number > 1 && page.offset() >= count) throwNoSuchPage();
    const bool isLast = page.offset() + page.size >= count;
    const auto link = [&](unsigned number) { return linkTo(number, request, settings.publicUrl); };

    http::JsonWriter json;
    json.beginObject()
        .member("count", count)
        .member("next", isLast ? std::nullopt : std::optional{link(page.number + 1)})
        .member("previous", page.number == 1 ? std::nullopt : std::optional{link(page.number - 1)});
    json.key("results").beginArray();
    for (const auto& entry : audit.page(filter, page.offset(), page.size)) writeAuditEntry(json, entry);
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response exportCsv(domain::AuditStore& audit, const domain::AuditFilter& filter) {
    http::Response response;
    response.contentType = "text/csv; charset=utf-8; header=present";
    response.body = kAuditCsvHeader;
    std::optional<Uuid> last;
    bool isMore = true;
    for (unsigned written = 0; isMore && written < kMaxCsvRows; written += kCsvBatch) {
        const auto entries = audit.next(filter, last, kCsvBatch);
        for (const auto& entry : entries) appendAuditCsv(response.body, entry);
        isMore = entries.size() == kCsvBatch;
        if (isMore) last = entries.back().id;
    }
    if (isMore && !audit.next(filter, last, 1).empty()) {
        response.with(kTruncatedHeader, std::to_string(kMaxCsvRows));
    }
    response.with("Content-Disposition", R"(attachment; filename="otpgate-audit.csv")");
    return response;
}

// Whether the client names text/csv, and not after application/json.
bool prefersCsv(const http::Request& request) {
    const auto accept = request.header("accept");
    if (!accept) return false;
    const std::string lower = toLower(*accept);
    return lower.find("text/csv") < lower.find("application/json");
}

}  // namespace

http::Response listAuditLogs(const http::Request& request, const Caller& caller, domain::AuditStore& audit,
                             const ApiSettings& settings) {
    const auto filter = readFilter(request, caller.user);
    auto response = prefersCsv(request) ? exportCsv(audit, filter) : showEvents(audit, settings, request, filter);
    response.with("Vary", "Accept");
    return response;
}

}  // namespace otpgate::api
