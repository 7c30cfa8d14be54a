// The stores of one thread, over its one connection.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/oidc_store.h"
#include "otpgate/domain/passkey_store.h"
#include "otpgate/domain/people_store.h"
#include "otpgate/domain/recovery_store.h"
#include "otpgate/domain/statistics.h"
#include "otpgate/domain/stores.h"
#include "otpgate/domain/ticket_store.h"
#include "otpgate/domain/totp_store.h"
#include "otpgate/domain/webhook_store.h"
#include "otpgate/store/groups.h"

#include <memory>

namespace otpgate::store {

// The connection and the groups outlive the store. Without groups each call is made alone.
std::unique_ptr<domain::OtpStore> makeOtpStore(db::Connection& connection, Groups* groups = nullptr);
std::unique_ptr<domain::SessionStore> makeSessionStore(db::Connection& connection, Groups* groups = nullptr);
std::unique_ptr<domain::OutboxStore> makeOutboxStore(db::Connection& connection, Groups* groups = nullptr);
std::unique_ptr<domain::OutboxAdminStore> makeOutboxAdminStore(db::Connection& connection);
std::unique_ptr<domain::SigningKeyStore> makeSigningKeyStore(db::Connection& connection);
std::unique_ptr<domain::SigningKeyStore> makeIdTokenKeyStore(db::Connection& connection);
std::unique_ptr<domain::KeyHolderStore> makeKeyHolderStore(db::Connection& connection);
std::unique_ptr<domain::RetentionStore> makeRetentionStore(db::Connection& connection);
std::unique_ptr<domain::AuditStore> makeAuditStore(db::Connection& connection);
std::unique_ptr<domain::ApiKeyStore> makeApiKeyStore(db::Connection& connection);
std::unique_ptr<domain::VerificationStore> makeVerificationStore(db::Connection& connection);
std::unique_ptr<domain::SmsBudgetStore> makeSmsBudgetStore(db::Connection& connection);
std::unique_ptr<domain::TicketStore> makeTicketStore(db::Connection& connection);
std::unique_ptr<domain::PasskeyStore> makePasskeyStore(db::Connection& connection);
std::unique_ptr<domain::TotpStore> makeTotpStore(db::Connection& connection);
std::unique_ptr<domain::RecoveryStore> makeRecoveryStore(db::Connection& connection);
std::unique_ptr<domain::AccountStore> makeAccountStore(db::Connection& connection);
std::unique_ptr<domain::PeopleStore> makePeopleStore(db::Connection& connection);
std::unique_ptr<domain::StatisticsStore> makeStatisticsStore(db::Connection& connection);
std::unique_ptr<domain::UserGroupStore> makeUserGroupStore(db::Connection& connection);
std::unique_ptr<domain::OidcStore> makeOidcStore(db::Connection& connection, Groups* groups = nullptr);
std::unique_ptr<domain::WebhookStore> makeWebhookStore(db::Connection& connection);

}  // namespace otpgate::store
