#include "otpgate/domain/sign_in_rule.h"

#include <algorithm>

namespace otpgate::domain {

bool SignInRule::allows(Role role, std::span<const std::string> memberOf) const {
    if (groups.empty() || role == Role::Admin) return true;
    return std::ranges::find_first_of(groups, memberOf) != groups.end();
}

bool mayEnter(const User& user, const SignInRule* rule) {
    return user.status == UserStatus::Active && (rule == nullptr || rule->allows(user));
}

}  // namespace otpgate::domain
