// Whom of those who have an account we let in.
#pragma once

#include "otpgate/domain/models.h"

#include <span>
#include <string>
#include <vector>

namespace otpgate::domain {

// Everybody where no group is named; else who is in one of them, and administrators, who would else lock each other
// out. Decided anew at each request: whoever leaves the groups is out at once.
struct SignInRule {
    std::vector<std::string> groups;
    bool allows(Role role, std::span<const std::string> memberOf) const;
    bool allows(const User& user) const { return allows(user.role, user.groups); }
};

// Whether the account is active, and allowed by the rule; nullptr: that is everybody.
bool mayEnter(const User& user, const SignInRule* rule);

}  // namespace otpgate::domain
