// Changes of rows whose number nothing limits: the events, the sessions, the devices of one account. A server ends a
// statement that takes longer than database.answer_timeout, and whoever wants one of the rows waits for all of it, so
// that such rows are changed some at a time.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/db/connection.h"

#include <functional>
#include <string>
#include <string_view>

namespace otpgate::store {

inline constexpr unsigned kRowsOfABatch = 500;
inline const Uuid kLastId = Uuid::fromBytes(std::string(16, '\xff'));  // no id is behind it

// The rows of `table` whose `column` has the value; `index` is the one by (column, id).
struct RowsOf {
    std::string_view table;
    std::string_view index;
    std::string_view column;
    db::Param value;
};

// The table, with the index that is to be used: where a server does not know yet how many rows there are, or is asked
// for the order of the ids with a limit, it likes to walk through all of them in that order. A DELETE takes none.
std::string forced(const RowsOf& rows);

// Calls for each batch with the ids between which it lies: id > after AND id <= upTo. The last call has what is left,
// and all that comes after it. Returns where the last call began.
Uuid inBatches(db::Connection& connection, const RowsOf& rows,
               const std::function<void(const Uuid& after, const Uuid& upTo)>& change);

}  // namespace otpgate::store
