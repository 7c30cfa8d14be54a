// Users of another service, many at a time.
#include "otpgate/base/text.h"
#include "store/account_store.h"
#include "store/user_group_store.h"
#include "store/user_rows.h"
#include "store/users.h"

#include <algorithm>
#include <map>
#include <set>

namespace otpgate::store {

using domain::ImportedUser;
using domain::ImportResult;

namespace {

// A round trip for each of them, to a database on another host, would be the time of an import.
constexpr std::size_t kTogether = 50;
using Names = std::map<std::string_view, Uuid>;  // each for the first who wants it

// Leaves those that are nobody's, and now belong to who wanted them.
void claimUsernames(db::Connection& connection, Names& names, Timestamp now) {
    if (names.empty()) return;
    std::vector<db::Param> asked;
    for (const auto& [name, userId] : names) asked.emplace_back(name);
    for (const db::Row& row :
         connection.query("SELECT name FROM usernames WHERE name IN (" + repeated("?", asked.size()) + ")",
                          db::Connection::Params{asked})) {
        names.erase(std::string_view{row.text(0)});
    }
    if (names.empty()) return;
    std::vector<db::Param> rows;
    for (const auto& [name, userId] : names) rows.insert(rows.end(), {name, userId, now});
    try {
        connection.execute(
            "INSERT INTO usernames (name, user_id, taken_at_us) VALUES " + repeated("(?, ?, ?)", names.size()),
            db::Connection::Params{rows});
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        // Somebody chose one of them this moment.
        std::erase_if(names,
                      [&](const auto& wish) { return !claimUsername(connection, wish.first, wish.second, now); });
    }
}

// Which of these stand in the column.
std::set<std::string> findTaken(db::Connection& connection, const std::string& column,
                                const std::vector<db::Param>& asked) {
    std::set<std::string> taken;
    if (asked.empty()) return taken;
    const std::string sql =
        "SELECT " + column + " FROM users WHERE " + column + " IN (" + repeated("?", asked.size()) + ")";
    for (const db::Row& row : connection.query(sql, db::Connection::Params{asked})) taken.insert(row.text(0));
    return taken;
}

// Whose addresses are nobody's, in one question, because a second run of a file finds nothing but such.
std::vector<bool> areTaken(db::Connection& connection, std::span<const ImportedUser> users) {
    std::vector<db::Param> emails;
    std::vector<db::Param> phones;
    for (const auto& [user, passwordHash] : users) {
        if (user.email) emails.emplace_back(*user.email);
        if (user.phoneNumber) phones.emplace_back(*user.phoneNumber);
    }
    const auto takenEmails = findTaken(connection, "email", emails);
    const auto takenPhones = findTaken(connection, "phone_number", phones);
    std::vector<bool> taken;
    for (const auto& [user, passwordHash] : users) {
        taken.push_back((user.email && takenEmails.contains(*user.email)) ||
                        (user.phoneNumber && takenPhones.contains(*user.phoneNumber)));
    }
    return taken;
}

void insertMemberships(db::Connection& connection, std::span<const ImportedUser> users, Timestamp now) {
    std::vector<db::Param> values;
    std::size_t rows = 0;
    for (const auto& [user, passwordHash] : users) {
        for (const std::string& group : user.groups) {
            values.insert(values.end(), {group, user.id, now});
            ++rows;
        }
    }
    if (rows == 0) return;
    connection.execute(
        "INSERT INTO group_members (group_name, user_id, added_at_us) VALUES " + repeated("(?, ?, ?)", rows),
        db::Connection::Params{values});
}

// At most kTogether. `groups` are those that are there.
class Chunk {
public:
    Chunk(db::Connection& connection, const std::set<std::string>& groups, Timestamp now)
        : connection_(connection),
          groups_(groups),
          now_(now) {}

    void import(std::span<const ImportedUser> users, std::vector<ImportResult>& results) {
        const auto taken = areTaken(connection_, users);
        Names names;
        for (std::size_t i = 0; i < users.size(); ++i) {
            const domain::User& user = users[i].user;
            if (user.username && !taken[i]) names.try_emplace(*user.username, user.id);
        }
        claimUsernames(connection_, names, now_);
        std::vector<ImportedUser> added;
        std::vector<std::size_t> places;
        const std::size_t first = results.size();
        for (std::size_t i = 0; i < users.size(); ++i) {
            results.push_back(ImportResult::Unchanged);
            if (taken[i]) continue;
            added.push_back(users[i]);
            complete(added.back().user, names);
            places.push_back(first + i);
            const bool isUnnamed = users[i].user.username && !added.back().user.username;
            results.back() = isUnnamed ? ImportResult::AddedUnnamed : ImportResult::Added;
        }
        if (!insertUsers(connection_, added)) insertOneByOne(added, places, results);
        insertMemberships(connection_, added, now_);
    }

private:
    void complete(domain::User& user, const Names& names) const {
        // One that was removed this moment.
        std::erase_if(user.groups, [&](const std::string& group) { return !groups_.contains(group); });
        if (!user.username) return;
        const auto given = names.find(*user.username);
        if (given != names.end() && given->second == user.id) return;
        if (user.displayName.empty()) user.displayName = *user.username;
        user.username.reset();
    }

    // Somebody took an address this moment, or two of them have the same. Leaves those that were added.
    void insertOneByOne(std::vector<ImportedUser>& users, const std::vector<std::size_t>& places,
                        std::vector<ImportResult>& results) {
        std::vector<ImportedUser> added;
        for (std::size_t i = 0; i < users.size(); ++i) {
            if (insertUser(connection_, users[i].user, users[i].passwordHash)) {
                added.push_back(std::move(users[i]));
                continue;
            }
            results[places[i]] = ImportResult::Unchanged;
            if (const auto& name = users[i].user.username) {
                connection_.execute("DELETE FROM usernames WHERE name = ?", {*name});
            }
        }
        users = std::move(added);
    }

    db::Connection& connection_;
    const std::set<std::string>& groups_;
    Timestamp now_;
};

// Those of their groups that are there, and stay until the end of the transaction.
std::set<std::string> lockGroups(db::Connection& connection, std::span<const ImportedUser> users) {
    std::set<std::string> groups;
    for (const auto& [user, passwordHash] : users) groups.insert(user.groups.begin(), user.groups.end());
    std::erase_if(groups, [&](const std::string& group) { return !lockGroup(connection, group); });
    return groups;
}

}  // namespace

std::vector<ImportResult> AccountTable::import(std::span<const ImportedUser> users, Timestamp now) {
    return connection_.transact([&] {
        const auto groups = lockGroups(connection_, users);
        Chunk chunk(connection_, groups, now);
        std::vector<ImportResult> results;
        results.reserve(users.size());
        while (results.size() < users.size()) {
            const std::size_t size = std::min(kTogether, users.size() - results.size());
            chunk.import(users.subspan(results.size(), size), results);
        }
        return results;
    });
}

}  // namespace otpgate::store
