#include "otpgate/store/stores.h"

#include "store/account_store.h"
#include "store/api_key_store.h"
#include "store/audit_log.h"
#include "store/key_holder_store.h"
#include "store/oidc_store.h"
#include "store/otp_store.h"
#include "store/outbox_admin_store.h"
#include "store/outbox_store.h"
#include "store/passkey_store.h"
#include "store/people_store.h"
#include "store/recovery_store.h"
#include "store/retention_store.h"
#include "store/session_store.h"
#include "store/signing_key_store.h"
#include "store/sms_budget_store.h"
#include "store/statistics_store.h"
#include "store/ticket_store.h"
#include "store/totp_store.h"
#include "store/user_group_store.h"
#include "store/verification_store.h"
#include "store/webhook_store.h"

namespace otpgate::store {

std::unique_ptr<domain::OtpStore> makeOtpStore(db::Connection& connection, Groups* groups) {
    return std::make_unique<OtpTable>(connection, groups);
}

std::unique_ptr<domain::SessionStore> makeSessionStore(db::Connection& connection, Groups* groups) {
    return std::make_unique<SessionTable>(connection, groups);
}

std::unique_ptr<domain::OutboxStore> makeOutboxStore(db::Connection& connection, Groups* groups) {
    return std::make_unique<OutboxTable>(connection, groups);
}

std::unique_ptr<domain::OutboxAdminStore> makeOutboxAdminStore(db::Connection& connection) {
    return std::make_unique<OutboxAdminTable>(connection);
}

std::unique_ptr<domain::SigningKeyStore> makeSigningKeyStore(db::Connection& connection) {
    return std::make_unique<SigningKeyTable>(connection, "signing_keys");
}

std::unique_ptr<domain::SigningKeyStore> makeIdTokenKeyStore(db::Connection& connection) {
    return std::make_unique<SigningKeyTable>(connection, "id_token_keys");
}

std::unique_ptr<domain::OidcStore> makeOidcStore(db::Connection& connection, Groups* groups) {
    return std::make_unique<OidcTables>(connection, groups);
}

std::unique_ptr<domain::WebhookStore> makeWebhookStore(db::Connection& connection) {
    return std::make_unique<WebhookTables>(connection);
}

std::unique_ptr<domain::KeyHolderStore> makeKeyHolderStore(db::Connection& connection) {
    return std::make_unique<KeyHolderTable>(connection);
}

std::unique_ptr<domain::RetentionStore> makeRetentionStore(db::Connection& connection) {
    return std::make_unique<RetentionTables>(connection);
}

std::unique_ptr<domain::AuditStore> makeAuditStore(db::Connection& connection) {
    return std::make_unique<AuditLog>(connection);
}

std::unique_ptr<domain::ApiKeyStore> makeApiKeyStore(db::Connection& connection) {
    return std::make_unique<ApiKeyTable>(connection);
}

std::unique_ptr<domain::PasskeyStore> makePasskeyStore(db::Connection& connection) {
    return std::make_unique<PasskeyTable>(connection);
}

std::unique_ptr<domain::VerificationStore> makeVerificationStore(db::Connection& connection) {
    return std::make_unique<VerificationTable>(connection);
}

std::unique_ptr<domain::SmsBudgetStore> makeSmsBudgetStore(db::Connection& connection) {
    return std::make_unique<SmsBudgetTable>(connection);
}

std::unique_ptr<domain::PeopleStore> makePeopleStore(db::Connection& connection) {
    return std::make_unique<PeopleTables>(connection);
}

std::unique_ptr<domain::StatisticsStore> makeStatisticsStore(db::Connection& connection) {
    return std::make_unique<StatisticsTables>(connection);
}

std::unique_ptr<domain::UserGroupStore> makeUserGroupStore(db::Connection& connection) {
    return std::make_unique<UserGroupTable>(connection);
}

std::unique_ptr<domain::TicketStore> makeTicketStore(db::Connection& connection) {
    return std::make_unique<TicketTable>(connection);
}

std::unique_ptr<domain::TotpStore> makeTotpStore(db::Connection& connection) {
    return std::make_unique<TotpTable>(connection);
}

std::unique_ptr<domain::RecoveryStore> makeRecoveryStore(db::Connection& connection) {
    return std::make_unique<RecoveryTable>(connection);
}

std::unique_ptr<domain::AccountStore> makeAccountStore(db::Connection& connection) {
    return std::make_unique<AccountTable>(connection);
}

}  // namespace otpgate::store
