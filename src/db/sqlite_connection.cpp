#include "db/sqlite_connection.h"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

// Poco::Data opens and closes the database; statements run on the handle below it. Through Poco each call prepares anew
// (8 us against 2 us for a row by its key), an empty blob is bound as NULL, text ends at a NUL and every error has the
// code 0.

namespace otpgate::db {

using SteadyClock = std::chrono::steady_clock;

namespace {

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, Finalize>;

// For writers of other processes; those of this one stand in the queue. Short sleeps, because a transaction is short
// too: SQLite's own handler would sleep for up to 100 ms.
struct BusyWait {
    std::chrono::milliseconds limit;
    SteadyClock::time_point since;

    static int sleep(void* self, int calls) {
        auto& wait = *static_cast<BusyWait*>(self);
        const auto now = SteadyClock::now();
        if (calls == 0) wait.since = now;
        if (now - wait.since > wait.limit) return 0;
        std::this_thread::sleep_for(std::chrono::microseconds(50 + now.time_since_epoch().count() / 16 % 151));
        return 1;
    }
};

ErrorKind errorKind(int extendedCode) {
    switch (extendedCode) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return ErrorKind::Duplicate;
    }
    const int code = extendedCode & 0xff;
    return code == SQLITE_BUSY || code == SQLITE_LOCKED ? ErrorKind::Busy : ErrorKind::Other;
}

// After these the file is opened again at the next use: it may have been replaced or its disk repaired.
bool losesFile(int extendedCode) {
    switch (extendedCode & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: return true;
    }
    return false;
}

DbError makeError(int extendedCode, const std::string& text) {
    return {errorKind(extendedCode), extendedCode, "sqlite " + std::to_string(extendedCode) + " " + text};
}

struct SqliteBinder {
    sqlite3_stmt* statement;
    int position;

    int operator()(std::monostate) const { return sqlite3_bind_null(statement, position); }
    int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, position, value); }
    int operator()(std::string_view text) const {
        return sqlite3_bind_text64(statement, position, start(text), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(Param::Blob blob) const {
        return sqlite3_bind_blob64(statement, position, start(blob.bytes), blob.bytes.size(), SQLITE_STATIC);
    }
    // A null pointer would bind NULL, and that is what an empty view may hold.
    static const char* start(std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); }
};

std::string bytesOf(sqlite3_stmt* statement, int column) {
    const void* start = sqlite3_column_blob(statement, column);  // before the size, as its manual wants it
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return start ? std::string(static_cast<const char*>(start), size) : std::string{};
}

Row currentRow(sqlite3_stmt* statement) {
    std::vector<Row::Cell> cells(static_cast<std::size_t>(sqlite3_column_count(statement)));
    for (int i = 0; i < static_cast<int>(cells.size()); ++i) {
        switch (sqlite3_column_type(statement, i)) {
        case SQLITE_NULL: break;
        case SQLITE_INTEGER:
            cells[static_cast<std::size_t>(i)] = std::int64_t{sqlite3_column_int64(statement, i)};
            break;
        default: cells[static_cast<std::size_t>(i)] = bytesOf(statement, i);
        }
    }
    return Row{std::move(cells)};
}

// Made by us and not by SQLite, which would make it 0644; its -wal and -shm take the mode of the file. An existing file
// is not touched: closing a descriptor of it would release the locks that SQLite holds on it. Root makes it for the
// owner of its folder, because that is whose service will open it.
void createPrivateFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) {
        if (errno == EEXIST) return;
        throw makeError(SQLITE_CANTOPEN, "cannot create " + path + ": " + std::strerror(errno));
    }
    const std::string folder = std::filesystem::absolute(path).parent_path();
    struct stat owner {};
    const bool isGiven =
        ::geteuid() != 0 || (::stat(folder.c_str(), &owner) == 0 && ::fchown(file, owner.st_uid, owner.st_gid) == 0);
    const int reason = errno;
    ::close(file);
    if (!isGiven)
        throw makeError(SQLITE_CANTOPEN, "cannot give " + path + " to its folder's owner: " + std::strerror(reason));
}

}  // namespace

// Destroyed from the last member to the first: statements before the session that owns the handle.
struct SqliteConnection::Session {
    BusyWait busyWait;
    Poco::Data::Session poco;
    sqlite3* handle;
    StatementCache<StatementPtr> prepared;

    Session(const std::string& path, std::chrono::milliseconds busyTimeout)
        : busyWait{busyTimeout, {}},
          poco(Poco::Data::SQLite::Connector::KEY, path),
          handle(Poco::Data::SQLite::Utility::dbHandle(poco)) {
        sqlite3_busy_handler(handle, BusyWait::sleep, &busyWait);
    }
};

// One run of a prepared statement, which is as if never used when this ends: a SELECT that is not reset would hold on
// to its snapshot.
class SqliteConnection::Execution {
public:
    Execution(SqliteConnection& connection, std::string_view sql, Params params)
        : connection_(connection),
          statement_(prepare(sql)) {
        requireParameterCount(sql, static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_)), params.size());
        int position = 0;
        for (const Param& param : params) {
            if (std::visit(SqliteBinder{statement_, ++position}, param.value()) != SQLITE_OK) connection_.fail();
        }
        if (!connection_.inTransaction() && !sqlite3_stmt_readonly(statement_)) turn_ = connection_.takeTurn();
    }
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;
    ~Execution() {
        if (!connection_.session_) return;  // and with it the statement
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

    // True for a row, false at the end.
    bool step() {
        switch (sqlite3_step(statement_)) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        }
        connection_.fail();
    }
    Row row() const { return currentRow(statement_); }

private:
    sqlite3_stmt* prepare(std::string_view sql) {
        Session& session = connection_.session();
        const auto found = session.prepared.find(sql);
        if (found != session.prepared.end()) return found->second.get();

        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v3(session.handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                               &statement, nullptr) != SQLITE_OK) {
            connection_.fail();
        }
        if (session.prepared.size() >= kMaxCachedStatements) session.prepared.clear();
        session.prepared.emplace(sql, statement);
        return statement;
    }

    SqliteConnection& connection_;
    sqlite3_stmt* statement_;
    WriterQueue::Turn turn_;
};

SqliteDatabase::SqliteDatabase(SqliteUrl url, const DatabaseSettings& settings)
    : path_(std::move(url.path)),
      busyTimeout_(settings.answerTimeout) {
    Poco::Data::SQLite::Connector::registerConnector();
}

std::unique_ptr<Connection> SqliteDatabase::connect() {
    return std::make_unique<SqliteConnection>(*this);
}

SqliteConnection::SqliteConnection(SqliteDatabase& database) : database_(database) {}
SqliteConnection::~SqliteConnection() = default;

SqliteConnection::Session& SqliteConnection::session() {
    requireOpenTransaction();
    if (!session_) open();
    return *session_;
}

void SqliteConnection::open() {
    try {
        openOrThrow();
    } catch (const DbError& error) {
        throw database_.counted(error);
    }
}

void SqliteConnection::openOrThrow() {
    // One at a time: the first of all creates the file and sets WAL for good, which needs the file for itself; and Poco
    // opens on a thread of a pool that has sixteen.
    const std::lock_guard lock(database_.opening());
    createPrivateFile(database_.path());
    try {
        session_ = std::make_unique<Session>(database_.path(), database_.busyTimeout());
    } catch (const Poco::Exception& error) {
        throw makeError(SQLITE_CANTOPEN, "cannot open " + database_.path() + ": " + error.displayText());
    }
    const char* const kSettings =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = "
        "1000";
    if (sqlite3_exec(session_->handle, kSettings, nullptr, nullptr, nullptr) != SQLITE_OK) {
        const DbError error = makeError(sqlite3_extended_errcode(session_->handle), sqlite3_errmsg(session_->handle));
        session_.reset();  // so that none is used without its settings
        throw error;
    }
}

WriterQueue::Turn SqliteConnection::takeTurn() {
    if (auto turn = database_.writers().enter(database_.busyTimeout())) return turn;
    throw database_.counted(makeError(SQLITE_BUSY, "too many writers wait for " + database_.path()));
}

void SqliteConnection::fail() {
    sqlite3* const handle = session_->handle;
    const int code = sqlite3_extended_errcode(handle);
    const DbError error = makeError(code, sqlite3_errmsg(handle));
    if (inTransaction() && sqlite3_get_autocommit(handle) != 0) transactionEndedBy(error);
    if (losesFile(code)) {
        if (inTransaction()) transactionEndedBy(error);
        session_.reset();
    }
    throw database_.counted(error);
}

std::uint64_t SqliteConnection::execute(std::string_view sql, Params params) {
    Execution execution(*this, sql, params);
    // sqlite3_changes() still tells of the last INSERT, UPDATE or DELETE after a statement of another kind.
    const auto before = sqlite3_total_changes64(session_->handle);
    while (execution.step()) {
    }
    if (sqlite3_total_changes64(session_->handle) == before) return 0;
    return static_cast<std::uint64_t>(sqlite3_changes64(session_->handle));
}

std::vector<Row> SqliteConnection::query(std::string_view sql, Params params) {
    Execution execution(*this, sql, params);
    std::vector<Row> rows;
    while (execution.step()) rows.push_back(execution.row());
    return rows;
}

void SqliteConnection::executeRaw(std::string_view statement) {
    session();
    const auto turn = inTransaction() ? nullptr : takeTurn();
    runPlain(std::string{statement}.c_str());
}

void SqliteConnection::runPlain(const char* sql) {
    if (sqlite3_exec(session().handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void SqliteConnection::begin() {
    session();
    auto turn = takeTurn();
    // IMMEDIATE: a transaction that begins by reading and then finds another writer's commit could never go on.
    runPlain("BEGIN IMMEDIATE");
    turn_ = std::move(turn);
}

void SqliteConnection::commit() {
    runPlain("COMMIT");
    turn_.reset();
}

void SqliteConnection::rollback() noexcept {
    if (session_ && sqlite3_get_autocommit(session_->handle) == 0 &&
        sqlite3_exec(session_->handle, "ROLLBACK", nullptr, nullptr, nullptr) != SQLITE_OK) {
        session_.reset();
    }
    turn_.reset();
}

}  // namespace otpgate::db
