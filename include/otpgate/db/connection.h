// A database connection behind which either engine stands. Each thread owns one; none is shared. It connects at first
// use, keeps its prepared statements, and after a lost connection throws DbError{Gone} once and then is as new.
#pragma once

#include "otpgate/db/error.h"
#include "otpgate/db/statement.h"
#include "otpgate/db/value.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::db {

enum class Engine { Mysql, Sqlite };

// DeadlockOrDuplicate: for `work` that inserts what it has not found, and finds it when it is run again because
// somebody else has inserted it meanwhile.
enum class RetryOn { Deadlock, DeadlockOrDuplicate };

// What a process knows of the database's contents without asking, so that who needs nothing of it pays nothing.
struct KnownContents {
    // Whether somebody waits for events (webhooks). True until it was looked up: rather a row too many than one lost.
    std::atomic<bool> haveListeners{true};
};

class Connection {
public:
    using Params = std::span<const Param>;

    virtual ~Connection() = default;
    virtual Engine engine() const = 0;
    // Those of its Database.
    virtual KnownContents& known() = 0;

    // Rows inserted, deleted or changed. On MySQL an UPDATE that sets what is there already counts 0, so guards change
    // a column; an upsert counts 1 for an insert and 2 for an update. Outside transact() it is tried
    // again as there.
    virtual std::uint64_t execute(std::string_view sql, Params params) = 0;
    // Integer columns, COUNT and SUM come as integers, everything else as the bytes that are stored.
    virtual std::vector<Row> query(std::string_view sql, Params params) = 0;
    // The rows of each look-up, in the order of the look-ups: over a connection for groups in one round trip.
    virtual std::vector<std::vector<Row>> lookUp(std::span<const KeyedLookUp> lookUps) = 0;
    // Inside transact(). Over a connection for groups the row may be written as late as with the COMMIT, in one round
    // trip with all others, and an error comes then; else at once.
    virtual void write(const RowStatement& statement, Params params) = 0;
    // One statement to the end of the text, unprepared and without parameters: migrations.
    virtual void executeRaw(std::string_view statement) = 0;

    std::uint64_t execute(std::string_view sql, std::initializer_list<Param> params) {
        return execute(sql, Params{params.begin(), params.size()});
    }
    std::vector<Row> query(std::string_view sql, std::initializer_list<Param> params = {}) {
        return query(sql, Params{params.begin(), params.size()});
    }
    std::optional<Row> queryOne(std::string_view sql, std::initializer_list<Param> params = {});
    std::vector<std::vector<Row>> lookUp(std::initializer_list<KeyedLookUp> lookUps) {
        return lookUp(std::span<const KeyedLookUp>{lookUps.begin(), lookUps.size()});
    }
    void write(const RowStatement& statement, std::initializer_list<Param> params) {
        write(statement, Params{params.begin(), params.size()});
    }

    // Runs `work` in a transaction (BEGIN IMMEDIATE on SQLite) and returns what it returns. Deadlock and Locked are
    // rolled back and run again, up to five times within two seconds and with short random waits (on a Galera cluster
    // for three seconds, with waits that grow), so `work` must be repeatable. Where there are several hosts, so is Gone
    // before the COMMIT was sent, on the next one. Any other exception rolls back and goes on up. After an error that
    // has ended the transaction (Deadlock, Gone; over a connection for groups any of what went in one round trip with
    // something else) each further statement of `work` throws it again, and so does the end. Not to be nested:
    // std::logic_error.
    template <typename Work>
    auto transact(Work&& work, RetryOn retryOn = RetryOn::Deadlock) -> decltype(work()) {
        using Result = decltype(work());
        if constexpr (std::is_void_v<Result>) {
            runTransaction([&] { work(); }, retryOn);
        } else {
            std::optional<Result> result;
            runTransaction([&] { result.emplace(work()); }, retryOn);
            return std::move(*result);
        }
    }

protected:
    virtual void runTransaction(const std::function<void()>& work, RetryOn retryOn) = 0;
};

struct DatabaseSettings {
    std::string url;  // sqlite:PATH, mysql://USER@HOST:PORT,HOST:PORT/NAME or mysql://USER@HOST:PORT/NAME?socket=PATH
    std::string password;
    std::chrono::seconds connectTimeout{1};
    // For one statement, and on SQLite for a lock. What may take longer (migrations, a backup) asks for more.
    std::chrono::seconds answerTimeout{1};
};

// Of all connections of a process.
struct DatabaseMetrics {
    ErrorCounts errors;  // a deadlock at each try, and each failure to connect
    Counter roundTrips;  // to a server: statements, or packets of several
    SizeHistogram groupSizes;
};

// What the connections of one process share. Safe to use from any thread; outlives its connections.
class Database {
public:
    virtual ~Database() = default;
    virtual Engine engine() const = 0;
    // Neither touches the network or the disk yet.
    virtual std::unique_ptr<Connection> connect() = 0;
    // For a transaction of many: what it looks up goes in one round trip, what it writes in another together with the
    // COMMIT. It fails sooner than others, so that those who wait for it are not held up: its transactions are tried
    // three times at most, and not again where somebody else holds a row.
    virtual std::unique_ptr<Connection> connectForGroups() = 0;
    // For messages: the url without a password.
    virtual std::string describe() const = 0;
    // The one of several hosts that is used now; empty where there is one, or none.
    virtual std::string currentHost() const { return {}; }

    KnownContents& known() { return known_; }
    DatabaseMetrics& metrics() { return metrics_; }
    const DatabaseMetrics& metrics() const { return metrics_; }
    // For the drivers, at each error that they throw: `throw database.counted(error)`.
    DbError counted(DbError error) {
        metrics_.errors.add(error.kind());
        return error;
    }

private:
    KnownContents known_;
    DatabaseMetrics metrics_;
};

// Of sqlite:PATH the path; nullopt: another engine.
std::optional<std::string> sqliteFileOf(std::string_view url);

// Throws ConfigurationError for a url that it cannot read.
std::unique_ptr<Database> openDatabase(const DatabaseSettings& settings);

}  // namespace otpgate::db
