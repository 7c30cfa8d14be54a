#include "store/signing_key_store.h"

namespace otpgate::store {

std::vector<domain::StoredSigningKey> SigningKeyTable::list() {
    std::vector<domain::StoredSigningKey> keys;
    for (const db::Row& row : connection_.query("SELECT sequence, key_id, sealed_pem, created_at_us, active_from_us"
                                                " FROM signing_keys ORDER BY sequence")) {
        keys.push_back({row.integer(0), row.text(1), row.text(2), row.timestamp(3), row.timestamp(4)});
    }
    return keys;
}

bool SigningKeyTable::add(const domain::StoredSigningKey& key) {
    try {
        connection_.execute(
            "INSERT INTO signing_keys (sequence, key_id, sealed_pem, created_at_us, active_from_us)"
            " VALUES (?, ?, ?, ?, ?)",
            {key.sequence, key.keyId, db::Param::blob(key.sealedPem), key.createdAt, key.activeFrom});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() == db::ErrorKind::Duplicate) return false;
        throw;
    }
}

void SigningKeyTable::reseal(std::int64_t sequence, const std::string& sealedPem) {
    connection_.execute("UPDATE signing_keys SET sealed_pem = ? WHERE sequence = ?",
                        {db::Param::blob(sealedPem), sequence});
}

void SigningKeyTable::removeUpTo(std::int64_t sequence) {
    connection_.execute("DELETE FROM signing_keys WHERE sequence <= ?", {sequence});
}

}  // namespace otpgate::store
