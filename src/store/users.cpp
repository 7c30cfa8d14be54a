#include "store/users.h"

#include "otpgate/base/text.h"
#include "store/factors.h"
#include "store/words.h"

namespace otpgate::store {

namespace {

const db::LookUp kUserById("SELECT " + std::string{kUserColumns} + " FROM users u WHERE", "u.id = ?",
                           db::Locking::Wait);

}  // namespace

std::vector<std::string> readGroupNames(std::string_view names) {
    std::vector<std::string> groups;
    if (names.empty()) return groups;
    for (const std::string_view name : split(names, ',')) groups.emplace_back(name);
    return groups;
}

domain::User readUser(const db::Row& row, std::size_t first) {
    return {.id = row.uuid(first),
            .username = row.optionalText(first + 1),
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
            .lastLoginAt = row.optionalTimestamp(first + 12),
            .displayName = row.optionalText(first + 14).value_or(""),
            .groups = readGroupNames(row.text(first + 15)),
            .timeZone = row.text(first + 16),
            .hasFactor = (row.integer(first + 17) & kFactors) != 0,
            .hasTotp = (row.integer(first + 17) & kTotp) != 0,
            .hasVerifyingPasskey = (row.integer(first + 17) & kVerifyingPasskey) != 0,
            .hasRecoveryCodes = (row.integer(first + 17) & kRecoveryCode) != 0,
            .factorWantedSince = row.optionalTimestamp(first + 18)};
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

std::optional<domain::User> lockUser(db::Connection& connection, const Uuid& id) {
    const auto found = connection.lookUp({{kUserById, {id}}});
    if (found[0].empty()) return std::nullopt;
    return readUser(found[0][0], 0);
}

bool claimUsername(db::Connection& connection, std::string_view name, const Uuid& userId, Timestamp now) {
    try {
        connection.execute("INSERT INTO usernames (name, user_id, taken_at_us) VALUES (?, ?, ?)", {name, userId, now});
        return true;
    } catch (const db::DbError& error) {
        // Ends the statement, not the transaction, on both engines.
        if (error.kind() != db::ErrorKind::Duplicate) throw;
    }
    // Without a lock: all who came too late would wait for each other. A row that the transaction does not see yet was
    // written by another one a moment ago, and not for this user, who is locked.
    const auto holder = connection.queryOne("SELECT user_id FROM usernames WHERE name = ?", {name});
    return holder && holder->uuid(0) == userId;
}

bool isKnownDevice(db::Connection& connection, const domain::ShownDevice& device,
                   const std::optional<domain::User>& user) {
    if (!device) return false;
    const Uuid userId = user ? user->id : Uuid{};
    return connection
        .queryOne("SELECT id FROM devices WHERE id = ? AND user_id = ? AND revoked_at_us IS NULL", {*device, userId})
        .has_value();
}

}  // namespace otpgate::store
