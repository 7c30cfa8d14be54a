// What the two drivers share: a transaction that cannot be left half open, and the retry after a deadlock.
#pragma once

#include "otpgate/db/connection.h"

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>

namespace otpgate::db {

// What is tried again, how often and for how long: five lock waits of a second each help nobody who waits for a page.
struct RetryPolicy {
    bool onLocked = true;
    bool onDuplicate = false;
    bool onGone = false;  // where there is another host to go to, and nothing can be done yet
    int tries = 5;
    std::chrono::milliseconds atMost{2000};
    // Waits are between 1 ms and 4, 8, 12, 16 ms, or double from 4 ms to this.
    std::optional<std::chrono::milliseconds> longestPause = std::nullopt;

    bool covers(const DbError& error) const;
    std::chrono::microseconds longestPauseAfter(int tried) const;
};

class Retry {
public:
    explicit Retry(RetryPolicy policy) : policy_(policy) {}
    // Sleeps and says true where the policy covers `error` and another try is left.
    bool waitBeforeNext(const DbError& error);

private:
    const RetryPolicy policy_;
    int tries_ = 1;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

template <typename Attempt>
auto retry(RetryPolicy policy, Attempt&& attempt) -> decltype(attempt()) {
    for (Retry retry(policy);;) {
        try {
            return attempt();
        } catch (const DbError& error) {
            if (!retry.waitBeforeNext(error)) throw;
        }
    }
}

// Prepared statements by their text.
struct SqlHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view sql) const { return std::hash<std::string_view>{}(sql); }
};
template <typename Statement>
using StatementCache = std::unordered_map<std::string, Statement, SqlHash, std::equal_to<>>;

// All statements of the service are constants and fit; the bound only stops a caller who composes SQL from filling the
// server's max_prepared_stmt_count.
constexpr std::size_t kMaxCachedStatements = 256;

// A statement is prepared once and bound in full each time: a missing parameter would silently keep the last value.
void requireParameterCount(std::string_view sql, std::size_t expected, std::size_t given);
// The same for a look-up, which may have values for any number of keys, but for no part of one.
void requireWholeKeys(const KeyedLookUp& asked);

class EngineConnection : public Connection {
public:
    // One statement for each key, and each row at once.
    std::vector<std::vector<Row>> lookUp(std::span<const KeyedLookUp> lookUps) override;
    void write(const RowStatement& statement, Params params) override { execute(statement.sql(), params); }
    using Connection::execute;
    using Connection::lookUp;
    using Connection::query;
    using Connection::write;

protected:
    void runTransaction(const std::function<void()>& work, RetryOn retryOn) final;
    virtual RetryPolicy retryPolicy() const { return {}; }

    virtual void begin() = 0;
    virtual void commit() = 0;
    virtual void rollback() noexcept = 0;  // drops the connection where that fails

    bool inTransaction() const { return inTransaction_; }
    // The engine has already ended the transaction under way, or has made a part of what it was asked. Without this,
    // work that goes on after catching the error would find itself in autocommit mode, or would commit the part.
    void transactionEndedBy(const DbError& error) { endedBy_ = error; }
    // To be called before each statement.
    void requireOpenTransaction() const {
        if (endedBy_) throw DbError(*endedBy_);
    }

private:
    class Transaction;

    bool inTransaction_ = false;
    std::optional<DbError> endedBy_;
};

}  // namespace otpgate::db
