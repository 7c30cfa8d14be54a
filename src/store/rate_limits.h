// The table rate_limits, as one transaction holds it: its buckets are read and locked together, changed by the rules of
// domain/limits.h, and written back.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/limits.h"

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace otpgate::store {

// For a look-up that reads buckets beside other rows; Buckets::add() takes them from `first` on.
inline constexpr std::string_view kBucketColumns = "b.bucket, b.hits, b.expires_at_us, b.refused_at_us, b.failures";
inline constexpr std::size_t kBucketColumnCount = 5;

class Buckets {
public:
    Buckets() = default;
    // Reads and locks these at once. Inside the caller's transaction, which is run again where somebody else inserts
    // one of them meanwhile (RetryOn::DeadlockOrDuplicate).
    Buckets(db::Connection& connection, std::initializer_list<std::string_view> ids);

    // Those that will be looked up; all of them by one look-up, in the order of their ids, so that nobody waits for
    // each other.
    void want(std::string_view id) { rows_.try_emplace(std::string{id}); }
    db::KeyedLookUp lookUp() const;
    void read(const std::vector<db::Row>& rows);
    // A bucket that may be there, as another look-up has read it.
    void add(std::string_view id, const db::Row& row, std::size_t first);

    domain::Bucket& at(std::string_view id);
    // Inserted even if nothing is counted in it, so that two who want it come one after the other from its first time
    // on.
    void hold(std::string_view id);
    // Those that have changed.
    void write(db::Connection& connection) const;

private:
    struct Held {
        bool isThere = false;
        bool isHeld = false;
        domain::Bucket before;
        domain::Bucket now;
    };
    static bool hasChanged(const Held& held);

    std::map<std::string, Held, std::less<>> rows_;
};

}  // namespace otpgate::store
