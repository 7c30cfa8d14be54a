#include "otpgate/domain/proved.h"

namespace otpgate::domain {

std::optional<std::string> provedEmail(const User& user) {
    return user.emailVerified ? user.email : std::nullopt;
}

std::optional<std::string> provedPhoneNumber(const User& user) {
    return user.phoneVerified ? user.phoneNumber : std::nullopt;
}

std::optional<std::string> tellableName(const User& user) {
    if (user.username == provedEmail(user) || user.username == provedPhoneNumber(user)) return user.username;
    const bool looksLikeAddress =
        user.username.find('@') != std::string::npos || Destination::parse(user.username).has_value();
    if (looksLikeAddress) return std::nullopt;
    return user.username;
}

}  // namespace otpgate::domain
