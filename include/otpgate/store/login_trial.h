// Whether the database does what a login needs of it.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/db/connection.h"

namespace otpgate::store {

// Asks for a code twice, redeems the second, refreshes the session and ends the message, all by the statements of a
// real login and for an address that nobody can have, and takes everything back. Then it writes one row and removes it
// for good, because a full disk refuses only what is kept. Leaves no row, and costs some thirty round trips. Throws
// ServiceUnavailable (DbError) that names what went wrong.
void tryLogin(db::Connection& connection, Random& random, Timestamp now);

}  // namespace otpgate::store
