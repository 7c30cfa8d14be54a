// Accounts that a test needs no more of than this.
#pragma once

#include "otpgate/domain/models.h"

#include <string>
#include <utility>

namespace otpgate::test {

// Whom something is told: in this language, at this clock.
inline domain::User readerOf(std::string locale, std::string timeZone = {}) {
    domain::User user;
    user.locale = std::move(locale);
    user.timeZone = std::move(timeZone);
    return user;
}

}  // namespace otpgate::test
