#include "store/factors.h"

namespace otpgate::store {

void noteFactors(db::Connection& connection, const Uuid& userId) {
    connection.execute(
        "UPDATE users SET factors ="
        " CASE WHEN EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = ? AND k.verifies_user = 1) THEN 1 ELSE 0 END"
        " WHERE id = ?",
        {userId, userId});
}

}  // namespace otpgate::store
