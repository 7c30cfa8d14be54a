// The column users.factors: what an account opens by besides its codes, beside the user, so that no sign-in asks for
// it.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/db/connection.h"

namespace otpgate::store {

// Writes it anew from what there is, inside a transaction that has locked the user and changed his factors.
void noteFactors(db::Connection& connection, const Uuid& userId);

}  // namespace otpgate::store
