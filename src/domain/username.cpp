#include "otpgate/domain/username.h"

#include "otpgate/base/text.h"
#include "otpgate/base/unicode.h"

#include <algorithm>
#include <array>

namespace otpgate::domain {

namespace {

// In their order.
constexpr std::array<std::string_view, 42> kReserved{
    "abuse",      "admin",         "administrator", "anonymous", "api",       "authz",      "daemon",
    "everyone",   "ftp",           "guest",         "help",      "helpdesk",  "hostmaster", "info",
    "mail",       "mailer-daemon", "marketing",     "me",        "moderator", "news",       "no-reply",
    "nobody",     "noc",           "noreply",       "null",      "operator",  "otpgate",    "owner",
    "postmaster", "root",          "sales",         "security",  "self",      "staff",      "superuser",
    "support",    "sysadmin",      "system",        "undefined", "usenet",    "webmaster",  "www"};
static_assert(std::ranges::is_sorted(kReserved));

bool isOfUsername(char c) {
    return (c >= 'a' && c <= 'z') || isDigit(c) || c == '.' || c == '-' || c == '_';
}

}  // namespace

std::optional<std::string> parseUsername(std::string_view text) {
    std::string name = toLowerCase(toNfc(trimmed(text)));
    if (name.size() < kMinUsernameCharacters || name.size() > kMaxUsernameCharacters) return std::nullopt;
    if (!std::ranges::all_of(name, isOfUsername) || std::ranges::none_of(name, isLetter)) return std::nullopt;
    if (!isLetterOrDigit(name.front()) || !isLetterOrDigit(name.back())) return std::nullopt;
    // An address with letters in it is one that a telephone's keys spell.
    if (Uuid::parse(name) || Destination::parse(name, EmailValidation::International)) return std::nullopt;
    return name;
}

bool isReservedUsername(std::string_view username) {
    return std::ranges::binary_search(kReserved, username);
}

std::string shownUsername(const User& user) {
    if (user.username) return *user.username;
    return user.email ? *user.email : user.phoneNumber.value_or("");
}

}  // namespace otpgate::domain
