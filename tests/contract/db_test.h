// What the suites of the database layer share.
#pragma once

#include "otpgate/db/connection.h"

#include <cppunit/TestAssert.h>

#include <chrono>
#include <string>
#include <thread>

namespace otpgate::test {

// Of the DbError that `work` throws.
template <class Work>
db::ErrorKind kindOf(Work&& work) {
    try {
        work();
    } catch (const db::DbError& error) {
        return error.kind();
    }
    CPPUNIT_FAIL("nothing was thrown");
    return db::ErrorKind::Other;
}

// The id of a connection to MySQL.
inline std::int64_t idOf(db::Connection& connection) {
    return connection.queryOne("SELECT CONNECTION_ID()").value().integer(0);
}

// Ends another connection to MySQL, and returns when it is gone for certain.
inline void kill(db::Connection& killer, std::int64_t id) {
    killer.executeRaw("KILL " + std::to_string(id));
    // The server closes the socket a moment later.
    const auto alive = [&] {
        return killer.queryOne("SELECT 1 FROM information_schema.processlist WHERE id = ?", {id}).has_value();
    };
    while (alive()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
}

inline bool isMariaDb(db::Connection& connection) {
    return connection.queryOne("SELECT VERSION()").value().text(0).find("MariaDB") != std::string::npos;
}

}  // namespace otpgate::test
