#include "store/user_group_store.h"

#include "otpgate/base/text.h"
#include "store/audit_events.h"
#include "store/users.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::MembershipOutcome;

namespace {

const db::LookUp kGroup("SELECT g.name FROM user_groups g WHERE", "g.name = ?", db::Locking::Wait);

constexpr std::string_view kGroupColumns =
    "SELECT g.name, (SELECT COUNT(*) FROM group_members m JOIN users u ON u.id = m.user_id"
    " WHERE m.group_name = g.name), g.created_at_us"
    " FROM user_groups g";

domain::UserGroup readGroup(const db::Row& row) {
    return {row.text(0), row.integer(1), row.timestamp(2)};
}

// Of a group's name no character needs to be escaped.
std::string groupMetadata(std::string_view group) {
    return R"({"group":")" + std::string{group} + R"("})";
}

// After the user's row is locked: the groups are those of the last change.
std::string namesOf(db::Connection& connection, const Uuid& userId) {
    std::vector<std::string> names;
    for (const db::Row& row :
         connection.query("SELECT group_name FROM group_members WHERE user_id = ? ORDER BY group_name", {userId})) {
        names.push_back(row.text(0));
    }
    return joined(names, ",");
}

}  // namespace

bool lockGroup(db::Connection& connection, std::string_view name) {
    return !connection.lookUp({{kGroup, {name}}})[0].empty();
}

void UserGroupTable::audit(AuditEvent event, const domain::GroupAct& act) {
    insertAuditEvent(connection_,
                     {act.auditId, event, std::nullopt, std::nullopt, act.client, act.now, groupMetadata(act.group)});
}

bool UserGroupTable::create(const domain::GroupAct& act) {
    try {
        connection_.transact([&] {
            connection_.execute("INSERT INTO user_groups (name, created_at_us) VALUES (?, ?)", {act.group, act.now});
            audit(AuditEvent::GroupCreated, act);
        });
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return false;
    }
}

std::vector<domain::UserGroup> UserGroupTable::list() {
    static const std::string sql = std::string{kGroupColumns} + " ORDER BY g.name";
    std::vector<domain::UserGroup> groups;
    for (const db::Row& row : connection_.query(sql)) groups.push_back(readGroup(row));
    return groups;
}

std::optional<domain::UserGroup> UserGroupTable::find(std::string_view name) {
    static const std::string sql = std::string{kGroupColumns} + " WHERE g.name = ?";
    const auto row = connection_.queryOne(sql, {name});
    if (!row) return std::nullopt;
    return readGroup(*row);
}

std::vector<domain::User> UserGroupTable::listMembers(std::string_view name, const Uuid& after, unsigned limit) {
    static const std::string sql = "SELECT " + std::string{kUserColumns} +
                                   " FROM group_members m JOIN users u ON u.id = m.user_id"
                                   " WHERE m.group_name = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?";
    std::vector<domain::User> users;
    for (const db::Row& row : connection_.query(sql, {name, after, limit})) users.push_back(readUser(row, 0));
    return users;
}

MembershipOutcome UserGroupTable::add(const domain::MembershipChange& membership) {
    return change(membership, Membership::Begins);
}

MembershipOutcome UserGroupTable::remove(const domain::MembershipChange& membership) {
    return change(membership, Membership::Ends);
}

MembershipOutcome UserGroupTable::change(const domain::MembershipChange& change, Membership kind) {
    const auto work = [&] {
        if (!lockGroup(connection_, change.group)) return MembershipOutcome::NoSuchGroup;
        const auto user = lockUser(connection_, change.userId);
        if (!user) return MembershipOutcome::NoSuchUser;
        const bool isMember = connection_
                                  .queryOne("SELECT 1 FROM group_members WHERE group_name = ? AND user_id = ?",
                                            {change.group, change.userId})
                                  .has_value();
        if (isMember == (kind == Membership::Begins)) return MembershipOutcome::Unchanged;
        if (kind == Membership::Begins) {
            const std::size_t length = joined(user->groups, ",").size();
            if (length + 1 + change.group.size() > domain::kMostGroupNameBytes) return MembershipOutcome::TooMany;
            connection_.execute("INSERT INTO group_members (group_name, user_id, added_at_us) VALUES (?, ?, ?)",
                                {change.group, change.userId, change.now});
        } else {
            connection_.execute("DELETE FROM group_members WHERE group_name = ? AND user_id = ?",
                                {change.group, change.userId});
        }
        connection_.execute("UPDATE users SET group_names = ? WHERE id = ?",
                            {namesOf(connection_, change.userId), change.userId});
        const auto event = kind == Membership::Begins ? AuditEvent::GroupJoined : AuditEvent::GroupLeft;
        insertAuditEvent(connection_, {change.auditId, event, change.userId, std::nullopt, change.client, change.now,
                                       groupMetadata(change.group)});
        return MembershipOutcome::Changed;
    };
    return connection_.transact(work);
}

bool UserGroupTable::removeEmpty(const domain::GroupAct& act) {
    return connection_.transact([&] {
        if (!lockGroup(connection_, act.group)) return false;
        const auto member = connection_.queryOne(
            "SELECT u.id FROM group_members m JOIN users u ON u.id = m.user_id WHERE m.group_name = ? LIMIT 1",
            {act.group});
        if (member) return false;
        // A version that knew no groups may have left some of accounts that it removed.
        connection_.execute("DELETE FROM group_members WHERE group_name = ?", {act.group});
        if (connection_.execute("DELETE FROM user_groups WHERE name = ?", {act.group}) == 0) return false;
        audit(AuditEvent::GroupDeleted, act);
        return true;
    });
}

}  // namespace otpgate::store
