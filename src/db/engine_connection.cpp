#include "db/engine_connection.h"

#include <stdexcept>
#include <thread>

namespace otpgate::db {

using namespace std::chrono_literals;

namespace {

constexpr int kMaxTries = 5;
constexpr auto kMaxRetryTime = 2s;

}  // namespace

bool DeadlockRetry::waitBeforeNext(const DbError& error) {
    const auto now = std::chrono::steady_clock::now();
    if (error.kind() != ErrorKind::Deadlock || tries_ == kMaxTries || now - started_ > kMaxRetryTime) return false;
    // Between 1 ms and 4, 8, 12, 16 ms. The clock's last digits are random enough to part two that collided.
    const auto spread = std::chrono::microseconds(4ms) * tries_ - 1ms;
    std::this_thread::sleep_for(1ms + std::chrono::microseconds(now.time_since_epoch().count() / 16 % spread.count()));
    ++tries_;
    return true;
}

void requireParameterCount(std::string_view sql, std::size_t expected, std::size_t given) {
    if (expected == given) return;
    throw std::logic_error(std::to_string(given) + " values for " + std::to_string(expected) +
                           " parameters of: " + std::string{sql});
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
        connection_.commit();
        committed_ = true;
    }

private:
    EngineConnection& connection_;
    bool committed_ = false;
};

void EngineConnection::runTransaction(const std::function<void()>& work) {
    if (inTransaction_) throw std::logic_error("a transaction inside a transaction");
    retryDeadlocks([&] {
        Transaction transaction(*this);
        work();
        transaction.commit();
    });
}

}  // namespace otpgate::db
