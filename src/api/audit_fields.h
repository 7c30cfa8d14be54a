// The filters of the audit trail as text: query parameters of the route, options of the command.
#pragma once

#include "otpgate/domain/audit_store.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::api {

// Each sets its part of the filter; nullopt when done, or the sentence that says what the text must be.
std::optional<std::string_view> setAuditEvent(domain::AuditFilter& filter, std::string_view text);
std::optional<std::string_view> setAuditDestination(domain::AuditFilter& filter, std::string_view text);
// YYYY-MM-DD or RFC 3339, both inclusive: "to" a date is to its last moment, "to" a second to its end.
std::optional<std::string_view> setAuditBegin(domain::AuditFilter& filter, std::string_view text);
std::optional<std::string_view> setAuditEnd(domain::AuditFilter& filter, std::string_view text);

}  // namespace otpgate::api
