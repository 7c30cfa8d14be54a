// The connection of a transaction of many calls: what it looks up goes in one round trip, what it writes in another
// together with the COMMIT. It alone may send several statements in one packet, as text; no value gets into that text
// but as a number or as hexadecimal digits.
#pragma once

#include "db/mysql_connection.h"

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::db {

class MysqlGroupConnection final : public MysqlConnection {
public:
    explicit MysqlGroupConnection(MysqlDatabase& database);

    std::uint64_t execute(std::string_view sql, Params params) override;
    std::vector<Row> query(std::string_view sql, Params params) override;
    std::vector<std::vector<Row>> lookUp(std::span<const KeyedLookUp> lookUps) override;
    void write(const RowStatement& statement, Params params) override;
    void executeRaw(std::string_view statement) override;
    using EngineConnection::execute;
    using EngineConnection::lookUp;
    using EngineConnection::query;
    using EngineConnection::write;

protected:
    // Neither is sent before something else is.
    void begin() override;
    void commit() override;
    void rollback() noexcept override;
    RetryPolicy retryPolicy() const override { return {.onLocked = false, .tries = 3}; }

private:
    // Rows of one statement, as text.
    struct PendingRows {
        const RowStatement* statement;
        std::vector<std::string> values;  // of one row after another

        // Whether this row of this statement can go with them.
        bool takes(const RowStatement& other, std::span<const std::string> row) const;
    };

    // Sends what waits, so that a statement of another kind comes after it.
    void flush();
    std::string takePending(std::size_t& statements);

    bool isBeginPending_ = false;
    std::vector<PendingRows> pending_;
};

// For the tests.
std::string mysqlLiteral(const Param& param);
std::string mysqlText(const LookUp& lookUp, Connection::Params values);
std::string mysqlText(const RowStatement& statement, std::span<const std::string> values);

}  // namespace otpgate::db
