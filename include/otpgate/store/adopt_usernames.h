// What becomes of the user names of versions that let everybody choose any.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/db/connection.h"

#include <cstddef>
#include <functional>
#include <string_view>

namespace otpgate::store {

struct AdoptedNames {
    std::size_t kept = 0;       // is the user name now
    std::size_t displayed = 0;  // is the display name alone; `report` was told of each
    std::size_t addresses = 0;  // was an address that the account has no more, and is nobody's name
};

// After the migrations; each account once, the oldest first, so that of two with one name the older keeps it. A name
// that fits, is not reserved and nobody's becomes the user name; what is written otherwise is the display name too.
// One transaction an account: what was interrupted goes on where it was. Throws ServiceUnavailable.
AdoptedNames adoptUsernames(
    db::Connection& connection, Timestamp now,
    const std::function<void(const Uuid& userId, std::string_view name, std::string_view reason)>& report);

}  // namespace otpgate::store
