// What the housekeeper deletes, table by table.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

#include <initializer_list>
#include <string>

namespace otpgate::store {

class RetentionTables final : public domain::RetentionStore {
public:
    explicit RetentionTables(db::Connection& connection);
    Progress purge(const Bounds& bounds, unsigned batch) override;

private:
    // A walk through a table in the order of its key: no table has an index by the time at which a row is spent, for it
    // would cost each login more than this.
    struct Walk {
        std::string nextSql;
        std::string deleteSql;
        std::string next;     // where it goes on
        bool isOver = false;  // in this pass
    };
    // `spent`: the condition for a row to go, with a `?` for each of `bounds`.
    static Walk walkThrough(const std::string& table, const std::string& key, const std::string& spent);
    // Rows whose key is below `end`.
    std::uint64_t go(Walk& walk, const std::string& end, std::initializer_list<db::Param> bounds, unsigned batch);
    std::uint64_t purgeSmsBudgets(Timestamp now);

    db::Connection& connection_;
    Walk codes_;
    Walk sessions_;
    Walk devices_;
    Walk events_;
    Walk deadLetters_;
    Walk verifications_;
    Walk deliveries_;  // to webhooks
    Walk grants_;      // of applications
    Walk limits_;
};

}  // namespace otpgate::store
