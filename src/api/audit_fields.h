// The filters of the audit trail as text: query parameters of the route, options of the command.
#pragma once

#include "otpgate/domain/audit_store.h"
#include "otpgate/http/request.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace otpgate::api {

// Each sets its part of the filter; nullopt when done, or the sentence that says what the text must be.
std::optional<std::string_view> setAuditEvent(domain::AuditFilter& filter, std::string_view text);
std::optional<std::string_view> setAuditDestination(domain::AuditFilter& filter, std::string_view text);
// YYYY-MM-DD or RFC 3339, both inclusive: "to" a date is to its last moment, "to" a second to its end.
std::optional<std::string_view> setAuditBegin(domain::AuditFilter& filter, std::string_view text);
std::optional<std::string_view> setAuditEnd(domain::AuditFilter& filter, std::string_view text);

struct AuditParameter {
    const char* name;
    std::optional<std::string_view> (*set)(domain::AuditFilter&, std::string_view);
};
// From the query; empty ones say nothing. Throws ApiError ValidationError that names every wrong one.
void readAuditParameters(const http::Request& request, std::span<const AuditParameter> parameters,
                         domain::AuditFilter& filter);

}  // namespace otpgate::api
