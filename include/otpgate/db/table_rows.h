// Whole tables as a stream of rows, whichever engine holds them: for backups and for moving from one database to
// another. Which tables and columns there are is read from the migrations and the database, so that none is forgotten.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/db/sql_files.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace otpgate::db {

enum class CellKind { Integer, Text, Blob };

struct TableColumn {
    std::string name;
    CellKind kind = CellKind::Text;
    bool operator==(const TableColumn&) const = default;
};

struct Table {
    std::string name;
    std::vector<TableColumn> columns;  // by their names, so that both engines have them in one order
    bool operator==(const Table&) const = default;
};

// Some rows of a table, their cells in the order of its columns. Each table comes at least once, with none perhaps.
using TakeRows = std::function<void(const Table& table, std::span<const Row> rows)>;

class RowSource {
public:
    virtual ~RowSource() = default;
    // The number of the last migration of its schema: 7 for 0007_key_holders.
    virtual unsigned schemaVersion() const = 0;
    virtual std::uint64_t rowCount() const = 0;
    // Table after table, by their names, and each in the order of its primary key.
    virtual void read(const TakeRows& take) = 0;
    // Whether it is the very database that this holder fills: urls tell nothing of links, sockets and other names.
    virtual bool isFilledBy(const std::string& /*holder*/) { return false; }
};

// Those of our tables, as they are at one moment; whoever writes meanwhile is not held up. The connection outlives it,
// and its answer time-out is long. Throws DbError; ServiceUnavailable where the database is between two versions, lacks
// tables or is being filled; ConfigurationError where a newer otpgate has migrated it.
std::unique_ptr<RowSource> readDatabase(Connection& connection, std::span<const SqlFile> files);

// The tables that the engine's files make, as the database has them, by their names.
std::vector<Table> describeTables(Connection& connection, std::span<const SqlFile> files);
// The rows of all tables that the engine's files make, table by table and in the order of their keys, each batch as it
// is when it is read.
void readTables(Connection& connection, std::span<const SqlFile> files, const TakeRows& take);

// The files of both engines up to this number.
std::vector<SqlFile> filesUpTo(std::span<const SqlFile> files, unsigned version);
// The number of the last file; of either engine the same.
unsigned lastVersion(std::span<const SqlFile> files);

// SHA-256 over rows in their order, whichever engine they are of.
class RowDigest {
public:
    RowDigest();
    ~RowDigest();
    RowDigest(const RowDigest&) = delete;
    RowDigest& operator=(const RowDigest&) = delete;

    void add(const Table& table, std::span<const Row> rows);
    std::string hex();  // once
private:
    struct State;
    std::unique_ptr<State> state_;
};

// What both forms of a row, the digest and the backup file, are made of: each cell says its kind and its length.
void appendCell(std::string& out, const Row& row, std::size_t column, CellKind kind);
// For a statement that writes the cell into a column of this kind; a view of the row.
Param boundCell(const Row& row, std::size_t column, CellKind kind);

enum class Existing { Refuse, Replace };

// Told after each batch: how many rows are written.
using FillProgress = std::function<void(std::uint64_t rows)>;

// Puts what the source holds in place of what is in the database, brings that up to the last of the files, and reads
// all of it again to compare: what is not the same to the byte is a ServiceUnavailable. Until that is done, a table
// says so (own_tables.h), and otpgate does not start; whoever tries again begins anew. With Refuse, rows that are there
// are a ConfigurationError; so is the database that the source reads. The connection's answer time-out is long. Returns
// how many rows there are.
std::uint64_t fillDatabase(Connection& connection, std::span<const SqlFile> files, RowSource& source, Existing existing,
                           const FillProgress& progress);

}  // namespace otpgate::db
