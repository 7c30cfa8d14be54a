// The stores of one thread, over its one connection. MySQL has the hot paths as procedures, SQLite as single
// statements; the rest is written once.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

#include <memory>

namespace otpgate::store {

// The connection outlives the store.
std::unique_ptr<domain::OtpStore> makeOtpStore(db::Connection& connection);
std::unique_ptr<domain::SessionStore> makeSessionStore(db::Connection& connection);
std::unique_ptr<domain::OutboxStore> makeOutboxStore(db::Connection& connection);
std::unique_ptr<domain::OutboxAdminStore> makeOutboxAdminStore(db::Connection& connection);
std::unique_ptr<domain::SigningKeyStore> makeSigningKeyStore(db::Connection& connection);
std::unique_ptr<domain::RetentionStore> makeRetentionStore(db::Connection& connection);
std::unique_ptr<domain::AuditStore> makeAuditStore(db::Connection& connection);
std::unique_ptr<domain::ApiKeyStore> makeApiKeyStore(db::Connection& connection);
std::unique_ptr<domain::VerificationStore> makeVerificationStore(db::Connection& connection);
std::unique_ptr<domain::SmsBudgetStore> makeSmsBudgetStore(db::Connection& connection);
std::unique_ptr<domain::AccountStore> makeAccountStore(db::Connection& connection);

}  // namespace otpgate::store
