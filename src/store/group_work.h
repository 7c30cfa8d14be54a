// What the calls of one kind do in a transaction which they may share with calls of the other kinds: they say what they
// need to know, decide in memory, and write. Each kind has a file of its own: request_otps, verify_otps,
// refresh_sessions, finish_messages, add_grants.
#pragma once

#include "otpgate/db/connection.h"
#include "store/group_calls.h"

#include <memory>
#include <span>
#include <vector>

namespace otpgate::store {

// For one try of one transaction.
class GroupWork {
public:
    virtual ~GroupWork() = default;
    // What they refer to lives as long as the work and its calls.
    virtual std::vector<db::KeyedLookUp> lookUps() = 0;
    // Answers each call as if it had come alone, in the order in which they stand. `found`: rows of each look-up.
    virtual std::vector<GroupAnswer> decide(std::span<const std::vector<db::Row>> found) = 0;
    virtual void write(db::Connection& connection) = 0;
};

std::unique_ptr<GroupWork> makeWork(std::vector<const domain::NewOtpRequest*> requests);
std::unique_ptr<GroupWork> makeWork(std::vector<const domain::OtpVerification*> guesses);
std::unique_ptr<GroupWork> makeWork(std::vector<const domain::SessionRefresh*> refreshes);
std::unique_ptr<GroupWork> makeWork(std::vector<const DeliveredMessages*> delivered);
std::unique_ptr<GroupWork> makeWork(std::vector<const NewGrant*> grants);

}  // namespace otpgate::store
