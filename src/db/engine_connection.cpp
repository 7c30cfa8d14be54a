#include "db/engine_connection.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace otpgate::db {

using namespace std::chrono_literals;

bool RetryPolicy::covers(const DbError& error) const {
    switch (error.kind()) {
    case ErrorKind::Deadlock: return true;
    case ErrorKind::Locked: return onLocked;
    case ErrorKind::Duplicate: return onDuplicate;
    case ErrorKind::Gone: return onGone && error.hasOtherHost() && !error.mayBeCommitted();
    case ErrorKind::Busy:
    case ErrorKind::Other: break;
    }
    return false;
}

std::chrono::microseconds RetryPolicy::longestPauseAfter(int tried) const {
    if (!longestPause) return std::chrono::microseconds{4ms} * tried;
    constexpr int kMostDoublings = 10;
    return std::min<std::chrono::microseconds>(4ms * (1 << std::min(tried - 1, kMostDoublings)), *longestPause);
}

bool Retry::waitBeforeNext(const DbError& error) {
    const auto now = std::chrono::steady_clock::now();
    if (!policy_.covers(error) || tries_ == policy_.tries || now - started_ > policy_.atMost) return false;
    // The clock's last digits are random enough to part two that collided.
    const auto spread = policy_.longestPauseAfter(tries_) - 1ms;
    std::this_thread::sleep_for(1ms + std::chrono::microseconds(now.time_since_epoch().count() / 16 % spread.count()));
    ++tries_;
    return true;
}

void requireParameterCount(std::string_view sql, std::size_t expected, std::size_t given) {
    if (expected == given) return;
    throw std::logic_error(std::to_string(given) + " values for " + std::to_string(expected) +
                           " parameters of: " + std::string{sql});
}

void requireWholeKeys(const KeyedLookUp& asked) {
    const std::size_t perKey = asked.lookUp.valuesPerKey();
    if (asked.values.empty() || (perKey > 0 && asked.values.size() % perKey == 0)) return;
    throw std::logic_error(std::to_string(asked.values.size()) + " values for keys of " + std::to_string(perKey) +
                           " in: " + asked.lookUp.sql());
}

class EngineConnection::Transaction {
public:
    explicit Transaction(EngineConnection& connection) : connection_(connection) {
        connection_.begin();
        connection_.inTransaction_ = true;
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
        connection_.inTransaction_ = false;
        connection_.endedBy_.reset();
        if (!committed_) connection_.rollback();
    }
    void commit() {
        connection_.requireOpenTransaction();
        try {
            connection_.commit();
        } catch (const DbError& error) {
            if (error.kind() != ErrorKind::Gone) throw;
            throw error.asMaybeCommitted(true);
        }
        committed_ = true;
    }

private:
    EngineConnection& connection_;
    bool committed_ = false;
};

std::vector<std::vector<Row>> EngineConnection::lookUp(std::span<const KeyedLookUp> lookUps) {
    for (const KeyedLookUp& asked : lookUps) requireWholeKeys(asked);
    std::vector<std::vector<Row>> found(lookUps.size());
    for (std::size_t i = 0; i < lookUps.size(); ++i) {
        const LookUp& lookUp = lookUps[i].lookUp;
        const std::string& sql = engine() == Engine::Mysql ? lookUp.lockingSql() : lookUp.sql();
        Params values{lookUps[i].values};
        for (; !values.empty(); values = values.subspan(lookUp.valuesPerKey())) {
            for (Row& row : query(sql, values.first(lookUp.valuesPerKey()))) found[i].push_back(std::move(row));
        }
    }
    return found;
}

void EngineConnection::runTransaction(const std::function<void()>& work, RetryOn retryOn) {
    if (inTransaction_) throw std::logic_error("a transaction inside a transaction");
    RetryPolicy policy = retryPolicy();
    policy.onDuplicate = retryOn == RetryOn::DeadlockOrDuplicate;
    retry(policy, [&] {
        Transaction transaction(*this);
        work();
        transaction.commit();
    });
}

}  // namespace otpgate::db
