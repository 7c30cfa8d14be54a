#include "otpgate/domain/sign_in_rule.h"

#include <algorithm>

namespace otpgate::domain {

bool SignInRule::allows(Role role, std::span<const std::string> memberOf) const {
    if (groups.empty() || role == Role::Admin) return true;
    return std::ranges::find_first_of(groups, memberOf) != groups.end();
}

std::optional<Timestamp> FactorRule::dueAt(const Holder& holder, Timestamp now) const {
    if (holder.hasFactor) return std::nullopt;
    const Timestamp end = holder.wantedSince.value_or(now) + grace;
    switch (whom) {
    case Whom::Nobody: return std::nullopt;
    case Whom::Admins: return holder.role == Role::Admin ? std::optional{end} : std::nullopt;
    case Whom::Group:
        return std::ranges::find(holder.groups, group) != holder.groups.end() ? std::optional{end} : std::nullopt;
    case Whom::Everybody: return end;
    }
    return std::nullopt;
}

bool mayEnter(const User& user, const SignInRule* rule) {
    return user.status == UserStatus::Active && (rule == nullptr || rule->allows(user));
}

std::optional<Timestamp> factorDueAt(const User& user, const SignInRule& rule, Timestamp now) {
    return rule.factors.dueAt({user.hasFactor, user.role, user.groups, user.factorWantedSince}, now);
}

bool owesFactor(const User& user, const SignInRule& rule, Timestamp now) {
    const auto dueAt = factorDueAt(user, rule, now);
    return dueAt && *dueAt <= now;
}

void noteWantedFactor(User& user, const SignInRule& rule, Timestamp now) {
    if (!user.factorWantedSince && factorDueAt(user, rule, now)) user.factorWantedSince = now;
}

}  // namespace otpgate::domain
