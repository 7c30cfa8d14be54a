// The tables user_groups and group_members, and users.group_names, which says of each user what group_members does.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/user_group_store.h"

namespace otpgate::store {

// So that it is not removed while it gets a member. False: there is none of this name.
bool lockGroup(db::Connection& connection, std::string_view name);

class UserGroupTable final : public domain::UserGroupStore {
public:
    explicit UserGroupTable(db::Connection& connection) : connection_(connection) {}

    bool create(std::string_view name, Timestamp now) override;
    std::vector<domain::UserGroup> list() override;
    std::optional<domain::UserGroup> find(std::string_view name) override;
    std::vector<domain::User> listMembers(std::string_view name, const Uuid& after, unsigned limit) override;
    domain::MembershipOutcome add(const domain::MembershipChange& membership) override;
    domain::MembershipOutcome remove(const domain::MembershipChange& membership) override;
    bool removeEmpty(std::string_view name) override;

private:
    enum class Membership { Begins, Ends };
    domain::MembershipOutcome change(const domain::MembershipChange& change, Membership kind);

    db::Connection& connection_;
};

}  // namespace otpgate::store
