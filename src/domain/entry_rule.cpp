#include "otpgate/domain/entry_rule.h"

#include "otpgate/base/settings_reader.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/people_words.h"
#include "otpgate/domain/proved.h"
#include "otpgate/domain/session_rules.h"
#include "otpgate/domain/user_group_store.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::string_view kPeople = "people=";
constexpr std::string_view kGroups = "group=";
constexpr std::string_view kWithin = "within=";

bool isAllowed(const SignUpRule& people, const std::optional<std::string>& proved) {
    const auto destination = Destination::parse(proved.value_or(""), EmailValidation::International);
    return destination && people.allows(*destination);
}

}  // namespace

std::optional<EntryRule> EntryRule::parse(std::string_view text) {
    EntryRule rule;
    const bool isUnderstood =
        std::ranges::all_of(split(text, ' '), [&](std::string_view word) { return word.empty() || rule.read(word); });
    if (!isUnderstood || !rule.saysWho_) return std::nullopt;
    return rule;
}

bool EntryRule::read(std::string_view word) {
    if (word.starts_with(kWithin)) return readWithin(word.substr(kWithin.size()));
    if (word == "aal2") {
        needsTwoFactors_ = true;
        return true;
    }
    saysWho_ = true;
    if (word.starts_with(kPeople)) return readPeople(word.substr(kPeople.size()));
    if (word.starts_with(kGroups)) return readGroups(word.substr(kGroups.size()));
    if (word == "role=admin") isForAdmins_ = true;
    return word == "role=admin" || word == "anybody";
}

bool EntryRule::readPeople(std::string_view list) {
    SignUpRule& people = people_.emplace_back();
    return std::ranges::all_of(
        split(list, ','), [&](std::string_view name) { return addDomain(people, name) || addAddress(people, name); });
}

bool EntryRule::readGroups(std::string_view list) {
    std::vector<std::string>& groups = groups_.emplace_back();
    return std::ranges::all_of(split(list, ','), [&](std::string_view text) {
        const auto name = parseGroupName(text);
        if (name) groups.push_back(*name);
        return name.has_value();
    });
}

bool EntryRule::readWithin(std::string_view text) {
    std::chrono::milliseconds time{};
    if (!parseDuration(std::string{text}, time) || time < std::chrono::seconds{1}) return false;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
    within_ = std::min(within_.value_or(whole), whole);
    return true;
}

bool EntryRule::isFor(const User& user) const {
    if (isForAdmins_ && user.role != Role::Admin) return false;
    const auto isIn = [&](const std::vector<std::string>& groups) {
        return std::ranges::find_first_of(groups, user.groups) != groups.end();
    };
    const auto isOneOf = [&](const SignUpRule& people) {
        return isAllowed(people, provedEmail(user)) || isAllowed(people, provedPhoneNumber(user));
    };
    return std::ranges::all_of(groups_, isIn) && std::ranges::all_of(people_, isOneOf);
}

Entry EntryRule::decide(const AuthenticatedSession& visitor, Timestamp now) const {
    if (!isFor(visitor.user)) return Entry::Denied;
    if (needsTwoFactors_ && assuranceOf(visitor.session.methods) != AssuranceLevel::Two) return Entry::LevelTooLow;
    if (within_ && !signedInRecently(visitor.session, *within_, now)) return Entry::SignInTooOld;
    return Entry::Granted;
}

}  // namespace otpgate::domain
