// What the worker threads of a process do together: requests for codes, guesses at them and refreshes that wait at the
// same time are one transaction of each kind. Outlives the stores that use it; any thread.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/session_store.h"

#include <memory>

namespace otpgate::store {

class Groups {
public:
    explicit Groups(db::Database& database);
    ~Groups();
    Groups(const Groups&) = delete;
    Groups& operator=(const Groups&) = delete;

    struct Kinds;
    Kinds& kinds() { return *kinds_; }

private:
    std::unique_ptr<Kinds> kinds_;
};

}  // namespace otpgate::store
