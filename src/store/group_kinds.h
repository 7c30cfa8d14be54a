// The kinds of calls that go together, and how one of them is made.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/db/grouped_calls.h"
#include "otpgate/store/groups.h"

#include <span>
#include <vector>

namespace otpgate::store {

// What is done with calls of one kind inside a transaction.
template <typename Call, typename Answer>
using GroupWork = std::vector<Answer> (*)(db::Connection& connection, std::span<const Call* const> calls);

template <typename Call, typename Answer>
std::vector<Answer> transact(db::Connection& connection, GroupWork<Call, Answer> work,
                             std::span<const Call* const> calls) {
    return connection.transact([&] { return work(connection, calls); }, db::RetryOn::DeadlockOrDuplicate);
}

// A transaction for one call.
template <typename Call, typename Answer>
Answer transactAlone(db::Connection& connection, GroupWork<Call, Answer> work, const Call& call) {
    const Call* const only = &call;
    return std::move(transact<Call, Answer>(connection, work, {&only, 1}).at(0));
}

template <typename Call, typename Answer>
class Kind {
public:
    using Work = GroupWork<Call, Answer>;
    Kind(db::Database& database, Work work);

    // Together with others, or alone over `connection` where the group fails. Not inside a transaction.
    Answer make(const Call& call, db::Connection& connection) {
        return calls_.call(call, [&](const Call& alone) { return transactAlone(connection, work_, alone); });
    }

private:
    Work work_;
    db::GroupedCalls<Call, Answer> calls_;
};

struct Groups::Kinds {
    explicit Kinds(db::Database& database);

    Kind<domain::NewOtpRequest, domain::OtpRequestResult> requests;
    Kind<domain::OtpVerification, domain::OtpVerifyResult> guesses;
    Kind<domain::SessionRefresh, domain::SessionRefreshResult> refreshes;
};

}  // namespace otpgate::store
