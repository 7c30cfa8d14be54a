// Where calls wait for others.
#pragma once

#include "otpgate/db/grouped_calls.h"
#include "otpgate/store/groups.h"
#include "store/group_calls.h"

#include <type_traits>

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
    // A refresh made twice gets the same token, and a message that is finished is finished.
    constexpr bool mayComeTwice =
        std::is_same_v<Call, domain::SessionRefresh> || std::is_same_v<Call, DeliveredMessages>;
    try {
        return groups == nullptr ? transact(own, call) : groups->queue().make(call, own, patience);
    } catch (const db::DbError& error) {
        if (!mayComeTwice || !error.mayBeCommitted() || !error.hasOtherHost()) throw;
    }
    return transact(own, call);
}

}  // namespace otpgate::store
