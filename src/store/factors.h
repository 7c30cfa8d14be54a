// The column users.factors: what an account opens by besides its codes, beside the user, so that no sign-in asks for
// it.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/session_lifetimes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::store {

inline constexpr std::int64_t kVerifyingPasskey = 1;
inline constexpr std::int64_t kTotp = 2;
inline constexpr std::int64_t kRecoveryCode = 4;  // no factor: it takes the place of one that is lost
inline constexpr std::int64_t kFactors = kVerifyingPasskey | kTotp;

// Writes it anew from what there is, inside a transaction that has locked the user and changed his factors. No device
// stands for them from then on.
void noteFactors(db::Connection& connection, const Uuid& userId);

// Every sign-in takes its second step again.
void forgetTrust(db::Connection& connection, const Uuid& userId);

// By which methods the session was opened that adds a factor now; locked. nullopt: it has ended.
std::optional<std::string> lockSession(db::Connection& connection, const Uuid& session);

// With the first factor: whoever opened them has shown less than the account wants from then on.
void endOtherSessions(db::Connection& connection, const Uuid& userId, const Uuid& kept, Timestamp now);

// The session in which a factor is added has just shown it, and ends as one that was opened by it.
void raiseSession(db::Connection& connection, const Uuid& session, std::string_view methods, Timestamp now,
                  const domain::SessionLifetimes& lifetimes);

}  // namespace otpgate::store
