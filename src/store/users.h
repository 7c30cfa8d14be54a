// The columns of the table users, in one place.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::store {

// For a SELECT from `users u`; readUser() reads them from `first` on.
inline constexpr std::string_view kUserColumns =
    "u.id, u.unique_name, u.email, u.phone_number, u.email_verified, u.phone_verified, u.first_name, u.last_name, "
    "u.locale,"
    " u.role, u.status, u.joined_at_us, u.last_login_at_us, u.password_hash, u.display_name, u.group_names, "
    "u.time_zone, u.factors, u.factor_wanted_since_us";
inline constexpr std::size_t kUserColumnCount = 19;
inline constexpr std::size_t kPasswordHashColumn = 13;  // among them

// Of the column group_names.
std::vector<std::string> readGroupNames(std::string_view names);

domain::User readUser(const db::Row& row, std::size_t first);

// The account that the address belongs to.
std::optional<domain::User> findUser(db::Connection& connection, const domain::Destination& destination);
std::optional<domain::User> findUser(db::Connection& connection, const Uuid& id);
// The same, and nobody else changes it before the transaction ends.
std::optional<domain::User> lockUser(db::Connection& connection, const Uuid& id);

// The same question whether or not there is such a user.
bool isKnownDevice(db::Connection& connection, const domain::ShownDevice& device,
                   const std::optional<domain::User>& user);

// Inside a transaction that has locked the user. False: the name is, or was, another account's.
bool claimUsername(db::Connection& connection, std::string_view name, const Uuid& userId, Timestamp now);

}  // namespace otpgate::store
