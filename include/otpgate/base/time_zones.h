// Times as their readers' clocks show them, by the time zones of the IANA, which ICU brings along.
#pragma once

#include "otpgate/base/clock.h"

#include <string>
#include <string_view>

namespace otpgate {

// "2026-11-20 09:15 UTC+1": to the minute, in a zone such as "Europe/Berlin". In UTC, "2026-11-20 08:15 UTC", where
// there is no zone of this name. Any thread may call.
std::string toLocalMinutes(Timestamp time, std::string_view zone);

}  // namespace otpgate
