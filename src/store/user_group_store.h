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

    bool create(const domain::GroupAct& act) override;
    std::vector<domain::UserGroup> list() override;
    std::optional<domain::UserGroup> find(std::string_view name) override;
    std::vector<domain::User> listMembers(std::string_view name, const Uuid& after, unsigned limit) override;
    domain::MembershipOutcome add(const domain::MembershipChange& membership) override;
    domain::MembershipOutcome remove(const domain::MembershipChange& membership) override;
    bool removeEmpty(const domain::GroupAct& act) override;

private:
    enum class Membership { Begins, Ends };
    void audit(domain::AuditEvent event, const domain::GroupAct& act);
    domain::MembershipOutcome change(const domain::MembershipChange& change, Membership kind);

    db::Connection& connection_;
};

}  // namespace otpgate::store
