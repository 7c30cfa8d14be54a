#include "store/batches.h"

namespace otpgate::store {

std::string forced(const RowsOf& rows) {
    return std::string{rows.table} + " /*! FORCE INDEX (" + std::string{rows.index} + ") */";
}

Uuid inBatches(db::Connection& connection, const RowsOf& rows,
               const std::function<void(const Uuid& after, const Uuid& upTo)>& change) {
    const std::string sql = "SELECT id FROM " + forced(rows) + " WHERE " + std::string{rows.column} +
                            " = ? AND id > ? ORDER BY id LIMIT 1 OFFSET ?";
    Uuid after;
    while (const auto row = connection.queryOne(sql, {rows.value, after, kRowsOfABatch - 1})) {
        const Uuid upTo = row->uuid(0);
        change(after, upTo);
        after = upTo;
    }
    change(after, kLastId);
    return after;
}

}  // namespace otpgate::store
