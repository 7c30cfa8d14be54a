// New rows of the table users. A user name must have been claimed, a group be there.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/account_store.h"

#include <optional>
#include <span>
#include <string>

namespace otpgate::store {

// False: an address is taken, and nothing is written. A duplicate key ends the statement, not the transaction, on both
// engines.
bool insertUser(db::Connection& connection, const domain::User& user, const std::optional<std::string>& passwordHash);
// All of them in one statement, or none; a few hundred at most.
bool insertUsers(db::Connection& connection, std::span<const domain::ImportedUser> users);

}  // namespace otpgate::store
