#include "store/users.h"

#include "store/words.h"

namespace otpgate::store {

domain::User readUser(const db::Row& row, std::size_t first) {
    return {.id = row.uuid(first),
            .username = row.text(first + 1),
            .email = row.optionalText(first + 2),
            .phoneNumber = row.optionalText(first + 3),
            .emailVerified = row.integer(first + 4) != 0,
            .phoneVerified = row.integer(first + 5) != 0,
            .firstName = row.text(first + 6),
            .lastName = row.text(first + 7),
            .locale = row.text(first + 8),
            .role = parseRole(row.text(first + 9)),
            .status = parseUserStatus(row.text(first + 10)),
            .hasPassword = !row.isNull(first + 13),
            .joinedAt = row.timestamp(first + 11),
            .lastLoginAt = row.optionalTimestamp(first + 12)};
}

std::optional<domain::User> findUser(db::Connection& connection, const domain::Destination& destination) {
    static const std::string byEmail = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.email = ?";
    static const std::string byPhone = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.phone_number = ?";
    const bool isEmail = destination.channel() == domain::Channel::Email;
    const auto row = connection.queryOne(isEmail ? byEmail : byPhone, {destination.value()});
    if (!row) return std::nullopt;
    return readUser(*row, 0);
}

std::optional<domain::User> findUser(db::Connection& connection, const Uuid& id) {
    static const std::string sql = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.id = ?";
    const auto row = connection.queryOne(sql, {id});
    if (!row) return std::nullopt;
    return readUser(*row, 0);
}

}  // namespace otpgate::store
