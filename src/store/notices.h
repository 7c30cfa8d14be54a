// Notices, written in the transaction of what they tell.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/notice.h"

#include <optional>

namespace otpgate::store {

// Within the caller's transaction. nullopt: there is no draft, or nowhere to tell this user.
std::optional<domain::OutboxMessage> writeNotice(db::Connection& connection,
                                                 const std::optional<domain::NoticeDraft>& draft,
                                                 const domain::User& user);

}  // namespace otpgate::store
