#include "store/signing_key_store.h"

namespace otpgate::store {

SigningKeyTable::SigningKeyTable(db::Connection& connection, const std::string& table)
    : connection_(connection),
      listSql_("SELECT sequence, key_id, sealed_pem, created_at_us, active_from_us FROM " + table +
               " ORDER BY sequence"),
      addSql_("INSERT INTO " + table +
              " (sequence, key_id, sealed_pem, created_at_us, active_from_us) VALUES (?, ?, ?, ?, ?)"),
      resealSql_("UPDATE " + table + " SET sealed_pem = ? WHERE sequence = ?"),
      removeSql_("DELETE FROM " + table + " WHERE sequence <= ?") {}

std::vector<domain::StoredSigningKey> SigningKeyTable::list() {
    std::vector<domain::StoredSigningKey> keys;
    for (const db::Row& row : connection_.query(listSql_)) {
        keys.push_back({row.integer(0), row.text(1), row.text(2), row.timestamp(3), row.timestamp(4)});
    }
    return keys;
}

bool SigningKeyTable::add(const domain::StoredSigningKey& key) {
    try {
        connection_.execute(addSql_,
                            {key.sequence, key.keyId, db::Param::blob(key.sealedPem), key.createdAt, key.activeFrom});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() == db::ErrorKind::Duplicate) return false;
        throw;
    }
}

void SigningKeyTable::reseal(std::int64_t sequence, const std::string& sealedPem) {
    connection_.execute(resealSql_, {db::Param::blob(sealedPem), sequence});
}

void SigningKeyTable::removeUpTo(std::int64_t sequence) {
    connection_.execute(removeSql_, {sequence});
}

}  // namespace otpgate::store
