// The one exception of the database layer. What callers decide on is the kind; the engine's own text goes to the log.
#pragma once

#include "otpgate/base/errors.h"
#include "otpgate/base/metrics.h"

#include <array>

namespace otpgate::db {

enum class ErrorKind {
    Duplicate,  // a unique key was taken
    Deadlock,   // deadlock or certification conflict: the transaction is rolled back, try again
    Locked,     // somebody held a row for longer than one waits: roll back and try again
    Gone,       // the connection is lost, timed out or could not be made; it is made anew at the next use
    Busy,       // SQLite: others held the write lock for longer than the answer time-out
    Other
};

class DbError : public ServiceUnavailable {
public:
    DbError(ErrorKind kind, int engineCode, const std::string& message)
        : ServiceUnavailable(message),
          kind_(kind),
          engineCode_(engineCode) {}
    ErrorKind kind() const { return kind_; }
    int engineCode() const { return engineCode_; }

    // Gone when the COMMIT had been sent: what was asked for may be done, or be done yet.
    bool mayBeCommitted() const { return mayBeCommitted_; }
    DbError asMaybeCommitted(bool mayBe) const {
        DbError copy = *this;
        copy.mayBeCommitted_ = mayBe;
        return copy;
    }
    // The same, of which no part belongs to this one: for another thread.
    DbError apart() const {
        DbError copy(kind_, engineCode_, std::string{what()});
        copy.mayBeCommitted_ = mayBeCommitted_;
        copy.hasOtherHost_ = hasOtherHost_;
        return copy;
    }
    // Gone, and the next use goes to another host, which may well be there.
    bool hasOtherHost() const { return hasOtherHost_; }
    DbError withOtherHost(bool hasIt) const {
        DbError copy = *this;
        copy.hasOtherHost_ = hasIt;
        return copy;
    }

private:
    ErrorKind kind_;
    int engineCode_;
    bool mayBeCommitted_ = false;
    bool hasOtherHost_ = false;
};

// How many there have been. Any thread.
class ErrorCounts {
public:
    void add(ErrorKind kind) { counters_[static_cast<std::size_t>(kind)].add(); }
    const Counter& of(ErrorKind kind) const { return counters_[static_cast<std::size_t>(kind)]; }

private:
    std::array<Counter, static_cast<std::size_t>(ErrorKind::Other) + 1> counters_;
};

}  // namespace otpgate::db
