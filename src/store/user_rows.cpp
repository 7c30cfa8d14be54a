#include "store/user_rows.h"

#include "otpgate/base/text.h"
#include "otpgate/domain/username.h"

#include <deque>
#include <vector>

namespace otpgate::store {
namespace {

// The values of rows, and the texts that were made for them: a parameter only points at its own.
class Rows {
public:
    void add(const domain::User& user, const std::optional<std::string>& passwordHash) {
        std::optional<Timestamp> changedAt;
        if (passwordHash) changedAt = user.joinedAt;
        const std::string& username = texts_.emplace_back(domain::shownUsername(user));
        const std::string& groups = texts_.emplace_back(joined(user.groups, ","));
        values_.insert(
            values_.end(),
            {user.id, username, user.email, user.phoneNumber, user.emailVerified ? 1 : 0, user.phoneVerified ? 1 : 0,
             user.firstName, user.lastName, user.locale, domain::toString(user.role), domain::toString(user.status),
             user.joinedAt, user.lastLoginAt, passwordHash, changedAt, user.displayName, user.username, groups});
        ++count_;
    }

    bool insert(db::Connection& connection) const {
        constexpr std::string_view kRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        try {
            connection.execute(
                "INSERT INTO users (id, username, email, phone_number, email_verified, phone_verified, first_name,"
                " last_name, locale, role, status, joined_at_us, last_login_at_us, password_hash, "
                "password_changed_at_us,"
                " display_name, unique_name, group_names) VALUES " +
                    joined(std::vector<std::string>(count_, std::string{kRow}), ", "),
                db::Connection::Params{values_});
            return true;
        } catch (const db::DbError& error) {
            if (error.kind() != db::ErrorKind::Duplicate) throw;
            return false;
        }
    }

private:
    std::deque<std::string> texts_;
    std::vector<db::Param> values_;
    std::size_t count_ = 0;
};

}  // namespace

bool insertUser(db::Connection& connection, const domain::User& user, const std::optional<std::string>& passwordHash) {
    Rows rows;
    rows.add(user, passwordHash);
    return rows.insert(connection);
}

bool insertUsers(db::Connection& connection, std::span<const domain::ImportedUser> users) {
    if (users.empty()) return true;
    Rows rows;
    for (const auto& [user, passwordHash] : users) rows.add(user, passwordHash);
    return rows.insert(connection);
}

}  // namespace otpgate::store
