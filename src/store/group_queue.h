// Where calls wait for others.
#pragma once

#include "otpgate/db/grouped_calls.h"
#include "otpgate/store/groups.h"
#include "store/group_calls.h"

namespace otpgate::store {

class Groups::Queue {
public:
    explicit Queue(db::Database& database);

    // Together with others, or alone over `own` where the group fails. Not inside a transaction.
    template <typename Call>
    AnswerTo<Call> make(const Call& call, db::Connection& own, std::chrono::milliseconds patience) {
        return std::get<AnswerTo<Call>>(calls_.call(
            &call, [&](const GroupCall&) { return GroupAnswer{transact(own, call)}; }, patience));
    }

private:
    db::GroupedCalls<GroupCall, GroupAnswer> calls_;
};

// Through the queue, or in a transaction of its own where there is none. `patience`: how long it may wait for others to
// go with.
template <typename Call>
AnswerTo<Call> make(const Call& call, db::Connection& own, Groups* groups, std::chrono::milliseconds patience = {}) {
    return groups == nullptr ? transact(own, call) : groups->queue().make(call, own, patience);
}

}  // namespace otpgate::store
