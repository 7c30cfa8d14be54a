// The calls that may share a transaction (groups.h), and how they are made: requests for codes, guesses at codes,
// refreshes, the ends of messages, and sign-ins at applications.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/oidc_store.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/outbox_store.h"
#include "otpgate/domain/session_store.h"

#include <span>
#include <variant>
#include <vector>

namespace otpgate::store {

// Messages that need no row of the outbox any more.
struct DeliveredMessages {
    std::span<const domain::FinishedMessage> messages;
    Timestamp now;
};

struct NewGrant {
    const domain::OidcGrant& grant;
    const domain::AuditNote& note;
};
struct AddedGrant {};

using GroupCall = std::variant<const domain::NewOtpRequest*, const domain::OtpVerification*,
                               const domain::SessionRefresh*, const DeliveredMessages*, const NewGrant*>;
// Of the same place among the alternatives.
using GroupAnswer = std::variant<domain::OtpRequestResult, domain::OtpVerifyResult, domain::SessionRefreshResult,
                                 std::monostate, AddedGrant>;

template <typename Call>
using AnswerTo = std::variant_alternative_t<GroupCall(static_cast<const Call*>(nullptr)).index(), GroupAnswer>;

// Inside the caller's transaction, which is run again where somebody else inserts what was not there
// (RetryOn::DeadlockOrDuplicate). All that the calls need is looked up and locked at once: buckets, codes, users,
// sessions, messages, in this order. Then what they do is written: two round trips over a connection for groups, the
// COMMIT included.
std::vector<GroupAnswer> makeCalls(db::Connection& connection, std::span<const GroupCall> calls);
// In a transaction of their own.
std::vector<GroupAnswer> transact(db::Connection& connection, std::span<const GroupCall> calls);

// One call, inside the caller's transaction or in one of its own.
template <typename Call>
AnswerTo<Call> makeCall(db::Connection& connection, const Call& call) {
    const GroupCall only = &call;
    return std::get<AnswerTo<Call>>(std::move(makeCalls(connection, {&only, 1}).at(0)));
}
template <typename Call>
AnswerTo<Call> transact(db::Connection& connection, const Call& call) {
    const GroupCall only = &call;
    return std::get<AnswerTo<Call>>(std::move(transact(connection, std::span{&only, 1}).at(0)));
}

}  // namespace otpgate::store
