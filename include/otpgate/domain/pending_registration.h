// What a registration by form says of the account that is made when its address is proved. Until then it waits beside
// the code that was sent, and is nobody's: no login finds it, so nobody learns by one what became of the form.
#pragma once

#include "otpgate/base/uuid.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct PendingRegistration {
    Uuid userId;
    std::optional<std::string> passwordHash;
    std::string firstName;
    std::string lastName;
    std::string locale;
};

// As the column otp_requests.registration holds it, and back; nullopt for what another version wrote, or for nothing.
std::string packRegistration(const PendingRegistration& registration);
std::optional<PendingRegistration> unpackRegistration(std::string_view packed);

}  // namespace otpgate::domain
