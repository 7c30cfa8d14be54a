// The connection of a transaction of many calls: what it looks up goes in one round trip, what it writes in another
// together with the COMMIT. It alone may send several statements in one packet, as text. A value gets into that text
// as a number, as hexadecimal digits, or between quotes where it holds nothing but letters, digits and a few marks that
// mean nothing there.
#pragma once

#include "db/mysql_connection.h"

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::db {

std::string mysqlLiteral(const Param& param);
std::string mysqlText(const LookUp& lookUp, Connection::Params values);

// Rows that one statement writes.
class MysqlRows {
public:
    explicit MysqlRows(const RowStatement& statement) : statement_(statement) {}

    const RowStatement& statement() const { return statement_; }
    // False: it cannot go with those that are there, and was not added.
    bool add(Connection::Params row);
    std::string text() const;

private:
    std::string value(std::size_t column) const;
    std::string assignments() const;
    std::string where() const;
    const std::string& at(std::size_t row, std::size_t column) const {
        return values_[row * statement_.width() + column];
    }
    const std::string& keyOf(std::size_t row) const { return at(row, statement_.width() - 1); }

    const RowStatement& statement_;
    std::size_t count_ = 0;
    std::string tuples_;               // of an INSERT
    std::vector<std::string> values_;  // of others, of one row after another
};

class MysqlGroupConnection final : public MysqlConnection {
public:
    explicit MysqlGroupConnection(MysqlDatabase& database);

    // Outside a transaction each of these is one by itself.
    std::uint64_t execute(std::string_view sql, Params params) override;
    std::vector<Row> query(std::string_view sql, Params params) override;
    std::vector<std::vector<Row>> lookUp(std::span<const KeyedLookUp> lookUps) override;
    void executeRaw(std::string_view statement) override;
    void write(const RowStatement& statement, Params params) override;
    using EngineConnection::execute;
    using EngineConnection::lookUp;
    using EngineConnection::query;
    using EngineConnection::write;

protected:
    // The session commits nothing on its own: a transaction begins at the server with the first that is asked in it.
    void begin() override;
    void commit() override;
    void rollback() noexcept override;
    RetryPolicy retryPolicy() const override;

private:
    // Sends what waits, so that a statement of another kind comes after it.
    void flush();
    std::vector<std::string> takePending();

    bool isUntouched_ = false;  // nothing was asked of the server in this transaction
    std::vector<MysqlRows> pending_;
};

}  // namespace otpgate::db
