#include "store/users.h"

#include "store/words.h"

namespace otpgate::store {

domain::User readUser(const db::Row& row, std::size_t first) {
    return {.id = row.uuid(first),
            .username = row.text(first + 1),
            .email = row.optionalText(first + 2),
            .phoneNumber = row.optionalText(first + 3),
            .emailVerified = row.integer(first + 4) != 0,
            .phoneVerified = row.integer(first + 5) != 0,
            .firstName = row.text(first + 6),
            .lastName = row.text(first + 7),
            .locale = row.text(first + 8),
            .role = row.text(first + 9),
            .status = parseUserStatus(row.text(first + 10)),
            .joinedAt = row.timestamp(first + 11),
            .lastLoginAt = row.optionalTimestamp(first + 12)};
}

}  // namespace otpgate::store
