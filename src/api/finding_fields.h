// What was found out about an installation, as JSON: for administrators, and for `otpgate doctor --json`.
#pragma once

#include "otpgate/base/findings.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

// {"well": true, "findings": [{"check", "level", "what", "why", "todo"}]}, in the order of looking.
void writeFindings(http::JsonWriter& json, const Findings& findings);

}  // namespace otpgate::api
