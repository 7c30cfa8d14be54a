// Notices, written in the transaction of what they tell.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/notice.h"

#include <optional>

namespace otpgate::store {

// Within the caller's transaction, which is run again where somebody else counts the first notice to this address
// meanwhile (RetryOn::DeadlockOrDuplicate). nullopt: there is no draft, nowhere to tell this user, or he was told
// enough.
std::optional<domain::OutboxMessage> writeNotice(db::Connection& connection,
                                                 const std::optional<domain::NoticeDraft>& draft,
                                                 const domain::User& user);
std::optional<domain::OutboxMessage> writeNotice(db::Connection& connection, const domain::NoticeDraft& draft,
                                                 const domain::User& user, const domain::Destination& recipient);

}  // namespace otpgate::store
