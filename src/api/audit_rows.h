// How an audit event is written for readers: the same members as JSON and as CSV. For the route and the command.
#pragma once

#include "otpgate/domain/audit_store.h"
#include "otpgate/http/json.h"

#include <string>
#include <string_view>

namespace otpgate::api {

void writeAuditEntry(http::JsonWriter& json, const domain::AuditEntry& entry);

// RFC 4180, with the first line of names. A cell that a spreadsheet would take for a formula begins with an apostrophe.
inline constexpr std::string_view kAuditCsvHeader =
    "id,event,user_id,email,destination,ip_address,user_agent,request_id,metadata,created_at\r\n";
void appendAuditCsv(std::string& csv, const domain::AuditEntry& entry);

}  // namespace otpgate::api
