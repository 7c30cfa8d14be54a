// Whom of those who have an account we let in, and who of them must have more than codes.
#pragma once

#include "otpgate/domain/models.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace otpgate::domain {

// Who must have a factor besides codes (mfa.required), and for how long he may put that off.
struct FactorRule {
    enum class Whom { Nobody, Admins, Group, Everybody };
    Whom whom = Whom::Nobody;
    std::string group{};  // of Group
    std::chrono::seconds grace{604800};

    // What it looks at. `wantedSince`: the first sign-in without a factor since the rule concerns him. It is written
    // once and never moved, so neither another sign-in nor a factor that is added and removed gives anybody more time.
    struct Holder {
        bool hasFactor = false;
        Role role = Role::User;
        std::span<const std::string> groups;
        std::optional<Timestamp> wantedSince;
    };
    // Until when he may go without; nullopt: he need not have one, or has one.
    std::optional<Timestamp> dueAt(const Holder& holder, Timestamp now) const;
};

// Everybody where no group is named; else who is in one of them, and administrators, who would else lock each other
// out. Decided anew at each request: whoever leaves the groups is out at once.
struct SignInRule {
    std::vector<std::string> groups;
    bool allows(Role role, std::span<const std::string> memberOf) const;
    bool allows(const User& user) const { return allows(user.role, user.groups); }

    FactorRule factors{};
};

// Whether the account is active, and allowed by the rule; nullptr: that is everybody.
bool mayEnter(const User& user, const SignInRule* rule);

// Until when the user may put off adding a factor; nullopt: he need not add one.
std::optional<Timestamp> factorDueAt(const User& user, const SignInRule& rule, Timestamp now);
// Whether that time is over: he may sign in to add one, and for nothing else.
bool owesFactor(const User& user, const SignInRule& rule, Timestamp now);
// At a sign-in that opens the account.
void noteWantedFactor(User& user, const SignInRule& rule, Timestamp now);

}  // namespace otpgate::domain
