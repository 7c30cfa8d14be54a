#include "otpgate/domain/proved.h"

namespace otpgate::domain {

std::optional<std::string> provedEmail(const User& user) {
    return user.emailVerified ? user.email : std::nullopt;
}

std::optional<std::string> provedPhoneNumber(const User& user) {
    return user.phoneVerified ? user.phoneNumber : std::nullopt;
}

std::optional<std::string> tellableName(const User& user) {
    if (user.username) return user.username;
    const auto email = provedEmail(user);
    return email ? email : provedPhoneNumber(user);
}

}  // namespace otpgate::domain
