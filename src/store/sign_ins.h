// What a sign-in by other means than a code writes: the device, the session and the user's last sign-in.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/otp_store.h"

#include <optional>
#include <string>

namespace otpgate::store {

struct OpenedSession {
    domain::SignIn signIn;
    std::optional<domain::OutboxMessage> notice;
};

// Inside a transaction that has locked the user, who is changed with it.
OpenedSession openSession(db::Connection& connection, const domain::NewSession& session, const std::string& methods,
                          domain::User& user);

}  // namespace otpgate::store
