#include "cli/line_user.h"

#include "otpgate/base/text.h"
#include "otpgate/domain/user_group_store.h"
#include "otpgate/http/accept_language.h"

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <array>

namespace otpgate::cli {

namespace {

constexpr std::array<std::string_view, 15> kKnown{"email",         "phone_number",  "email_verified", "phone_verified",
                                                  "username",      "display_name",  "first_name",     "last_name",
                                                  "locale",        "role",          "status",         "joined_at",
                                                  "last_login_at", "password_hash", "groups"};

// A misspelt field must not be lost in silence.
void rejectUnknown(const ImportFields& fields) {
    for (const auto& [name, value] : fields) {
        if (std::ranges::find(kKnown, name) != kKnown.end()) continue;
        const bool isNameable =
            name.size() <= 32 && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
        throw BadRow(isNameable ? "there is an unknown field " + name : "there is an unknown field");
    }
}

bool flagIn(const ImportFields& fields, const std::string& name) {
    const auto value = fields.get(name);
    if (value.isEmpty()) return false;
    if (!value.isBoolean()) throw BadRow(name + " is neither true nor false");
    return value.extract<bool>();
}

// The other word, and not the usual one.
bool isSecond(const ImportFields& fields, const std::string& name, std::string_view usual, std::string_view other) {
    const std::string word = textIn(fields, name);
    if (word != other && !word.empty() && word != usual) {
        throw BadRow(name + " is neither " + std::string{usual} + " nor " + std::string{other});
    }
    return word == other;
}

std::string localeIn(const ImportFields& fields) {
    const std::string written = textIn(fields, "locale");
    if (written.empty()) return {};
    auto tag = http::parseLanguageTag(written);
    if (!tag) throw BadRow("locale is not a language tag such as de or pt-BR");
    return std::move(*tag);
}

std::vector<std::string> groupsIn(const ImportFields& fields, const std::set<std::string>& there) {
    if (fields.get("groups").isEmpty()) return {};
    const auto names = fields.getArray("groups");
    if (!names) throw BadRow("groups is not an array");
    std::set<std::string> groups;
    for (const auto& name : *names) {
        const auto parsed = name.isString() ? domain::parseGroupName(name.extract<std::string>()) : std::nullopt;
        if (!parsed) throw BadRow("groups has what is not the name of a group");
        if (!there.contains(*parsed)) throw BadRow("there is no group " + *parsed);
        groups.insert(*parsed);
    }
    std::vector<std::string> sorted(groups.begin(), groups.end());
    if (joined(sorted, ",").size() > domain::kMostGroupNameBytes) throw BadRow("groups are too many");
    return sorted;
}

}  // namespace

ImportRow parseLineUser(const std::string& json, const LineRules& rules, Timestamp now) {
    const ImportFields::Ptr fields = parseObject(json);
    rejectUnknown(*fields);
    ImportRow row;
    domain::User& user = row.imported.user;
    user.email = emailIn(*fields, "email", rules.validation);
    user.phoneNumber = phoneNumberIn(*fields, "phone_number");
    if (!user.email && !user.phoneNumber) throw BadRow("there is neither an e-mail address nor a telephone number");
    user.emailVerified = flagIn(*fields, "email_verified") && user.email;
    user.phoneVerified = flagIn(*fields, "phone_verified") && user.phoneNumber;
    user.displayName = personNameIn(*fields, "display_name");
    user.firstName = personNameIn(*fields, "first_name");
    user.lastName = personNameIn(*fields, "last_name");
    user.locale = localeIn(*fields);
    if (isSecond(*fields, "role", "user", "admin")) user.role = domain::Role::Admin;
    if (user.role == domain::Role::Admin && !rules.mayMakeAdmins) throw BadRow("role admin needs --admins");
    if (isSecond(*fields, "status", "active", "disabled")) user.status = domain::UserStatus::Disabled;
    user.joinedAt = timeIn(*fields, "joined_at").value_or(now);
    user.lastLoginAt = timeIn(*fields, "last_login_at");
    user.groups = groupsIn(*fields, rules.groups);
    takeUsername(personNameIn(*fields, "username"), row);
    takeHash(textIn(*fields, "password_hash"), row);
    return row;
}

}  // namespace otpgate::cli
