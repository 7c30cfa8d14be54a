// All that is known of one person as one JSON object: for its owner's route and for the command.
#pragma once

#include "otpgate/domain/account_service.h"
#include "otpgate/domain/audit_store.h"

#include <string>

namespace otpgate::api {

// The newest events of the trail, this many at most; `events_complete` says whether they are all.
inline constexpr unsigned kMostExportedEvents = 10'000;

std::string exportOf(const domain::User& user, domain::AccountService& accounts, domain::AuditStore& audit,
                     Timestamp now, unsigned mostEvents = kMostExportedEvents);

}  // namespace otpgate::api
