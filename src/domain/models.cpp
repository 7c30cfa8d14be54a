#include "otpgate/domain/models.h"

namespace otpgate::domain {

std::string_view toString(Purpose purpose) {
    switch (purpose) {
    case Purpose::Login: return "login";
    case Purpose::Register: return "register";
    case Purpose::Verify: return "verify";
    case Purpose::Reset: return "reset";
    case Purpose::Change: return "change";
    }
    return {};
}

std::optional<Purpose> parsePurpose(std::string_view text) {
    for (const Purpose purpose :
         {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset, Purpose::Change}) {
        if (text == toString(purpose)) return purpose;
    }
    return std::nullopt;
}

std::string_view toString(Role role) {
    switch (role) {
    case Role::User: return "user";
    case Role::Admin: return "admin";
    }
    return {};
}

std::string_view toString(UserStatus status) {
    switch (status) {
    case UserStatus::Active: return "active";
    case UserStatus::Disabled: return "disabled";
    }
    return {};
}

std::string_view toString(CodeAlphabet alphabet) {
    switch (alphabet) {
    case CodeAlphabet::Digits: return "digits";
    case CodeAlphabet::Letters: return "letters";
    }
    return {};
}

std::optional<CodeAlphabet> parseCodeAlphabet(std::string_view text) {
    for (const CodeAlphabet alphabet : {CodeAlphabet::Digits, CodeAlphabet::Letters}) {
        if (text == toString(alphabet)) return alphabet;
    }
    return std::nullopt;
}

std::string_view toString(MessageKind kind) {
    switch (kind) {
    case MessageKind::Code: return "code";
    case MessageKind::Link: return "link";
    case MessageKind::NewSignIn: return "new_sign_in";
    case MessageKind::PasswordChanged: return "password_changed";
    case MessageKind::AddressChanged: return "address_changed";
    case MessageKind::ManyFailures: return "many_failures";
    case MessageKind::PasskeyAdded: return "passkey_added";
    case MessageKind::PasskeyRemoved: return "passkey_removed";
    case MessageKind::TotpAdded: return "authenticator_added";
    case MessageKind::TotpRemoved: return "authenticator_removed";
    case MessageKind::RecoveryCodesMade: return "recovery_codes_made";
    case MessageKind::RecoveryCodeUsed: return "recovery_code_used";
    case MessageKind::DeviceTrusted: return "device_trusted";
    }
    return {};
}

std::optional<MessageKind> parseMessageKind(std::string_view text) {
    for (const MessageKind kind :
         {MessageKind::Code, MessageKind::Link, MessageKind::NewSignIn, MessageKind::PasswordChanged,
          MessageKind::AddressChanged, MessageKind::ManyFailures, MessageKind::PasskeyAdded,
          MessageKind::PasskeyRemoved, MessageKind::TotpAdded, MessageKind::TotpRemoved, MessageKind::RecoveryCodesMade,
          MessageKind::RecoveryCodeUsed, MessageKind::DeviceTrusted}) {
        if (text == toString(kind)) return kind;
    }
    return std::nullopt;
}

bool carriesSecret(MessageKind kind) {
    return kind == MessageKind::Code || kind == MessageKind::Link;
}

std::string joinLanguages(std::string_view wish, std::string_view accounts, std::string_view accepted) {
    std::string languages;
    for (const std::string_view each : {wish, accounts, accepted}) {
        if (!each.empty()) languages.append(languages.empty() ? "" : ",").append(each);
    }
    return languages;
}

std::string_view firstLanguage(std::string_view accepted) {
    return accepted.substr(0, accepted.find(','));
}

std::string_view toString(AuditEvent event) {
    switch (event) {
    case AuditEvent::OtpRequested: return "OTP_REQUESTED";
    case AuditEvent::OtpSent: return "OTP_SENT";
    case AuditEvent::OtpSendFailed: return "OTP_SEND_FAILED";
    case AuditEvent::NoticeSent: return "NOTICE_SENT";
    case AuditEvent::NoticeSendFailed: return "NOTICE_SEND_FAILED";
    case AuditEvent::OtpVerified: return "OTP_VERIFIED";
    case AuditEvent::OtpFailed: return "OTP_FAILED";
    case AuditEvent::OtpLocked: return "OTP_LOCKED";
    case AuditEvent::OtpRateLimited: return "OTP_RATE_LIMITED";
    case AuditEvent::UserRegistered: return "USER_REGISTERED";
    case AuditEvent::LoginSucceeded: return "LOGIN_SUCCEEDED";
    case AuditEvent::LoginFailed: return "LOGIN_FAILED";
    case AuditEvent::TokenRefreshed: return "TOKEN_REFRESHED";
    case AuditEvent::TokenReused: return "TOKEN_REUSED";
    case AuditEvent::SessionRevoked: return "SESSION_REVOKED";
    case AuditEvent::PasswordReset: return "PASSWORD_RESET";
    case AuditEvent::PasswordChanged: return "PASSWORD_CHANGED";
    case AuditEvent::AddressChanged: return "ADDRESS_CHANGED";
    case AuditEvent::ProfileUpdated: return "PROFILE_UPDATED";
    case AuditEvent::UserDisabled: return "USER_DISABLED";
    case AuditEvent::UserEnabled: return "USER_ENABLED";
    case AuditEvent::UserDeleted: return "USER_DELETED";
    case AuditEvent::RoleChanged: return "ROLE_CHANGED";
    case AuditEvent::GroupJoined: return "GROUP_JOINED";
    case AuditEvent::LimitsCleared: return "LIMITS_CLEARED";
    case AuditEvent::MessageSentAgain: return "MESSAGE_SENT_AGAIN";
    case AuditEvent::AccountExported: return "ACCOUNT_EXPORTED";
    case AuditEvent::GroupLeft: return "GROUP_LEFT";
    case AuditEvent::GroupCreated: return "GROUP_CREATED";
    case AuditEvent::GroupDeleted: return "GROUP_DELETED";
    case AuditEvent::TestMessageRequested: return "TEST_MESSAGE_REQUESTED";
    case AuditEvent::RegistrationRefused: return "REGISTRATION_REFUSED";
    case AuditEvent::ApiKeyCreated: return "API_KEY_CREATED";
    case AuditEvent::ApiKeyRevoked: return "API_KEY_REVOKED";
    case AuditEvent::VerificationRequested: return "VERIFICATION_REQUESTED";
    case AuditEvent::VerificationSucceeded: return "VERIFICATION_SUCCEEDED";
    case AuditEvent::VerificationFailed: return "VERIFICATION_FAILED";
    case AuditEvent::PasskeyAdded: return "PASSKEY_ADDED";
    case AuditEvent::PasskeyRemoved: return "PASSKEY_REMOVED";
    case AuditEvent::TotpAdded: return "AUTHENTICATOR_ADDED";
    case AuditEvent::TotpRemoved: return "AUTHENTICATOR_REMOVED";
    case AuditEvent::RecoveryCodesMade: return "RECOVERY_CODES_MADE";
    case AuditEvent::RecoveryCodeUsed: return "RECOVERY_CODE_USED";
    case AuditEvent::FactorsReset: return "FACTORS_RESET";
    case AuditEvent::ApplicationSignedIn: return "APPLICATION_SIGNED_IN";
    case AuditEvent::ConsentGiven: return "CONSENT_GIVEN";
    case AuditEvent::ConsentWithdrawn: return "CONSENT_WITHDRAWN";
    case AuditEvent::ClientCreated: return "CLIENT_CREATED";
    case AuditEvent::ClientChanged: return "CLIENT_CHANGED";
    case AuditEvent::ClientSecretRotated: return "CLIENT_SECRET_ROTATED";
    case AuditEvent::ClientDisabled: return "CLIENT_DISABLED";
    case AuditEvent::ClientEnabled: return "CLIENT_ENABLED";
    case AuditEvent::ClientDeleted: return "CLIENT_DELETED";
    case AuditEvent::WebhookAdded: return "WEBHOOK_ADDED";
    case AuditEvent::WebhookRemoved: return "WEBHOOK_REMOVED";
    case AuditEvent::WebhookSecretRotated: return "WEBHOOK_SECRET_ROTATED";
    case AuditEvent::WebhookRetried: return "WEBHOOK_RETRIED";
    }
    return {};
}

std::optional<AuditEvent> parseAuditEvent(std::string_view text) {
    // The word behind the last one is empty.
    for (int i = 0; !toString(static_cast<AuditEvent>(i)).empty(); ++i) {
        if (text == toString(static_cast<AuditEvent>(i))) return static_cast<AuditEvent>(i);
    }
    return std::nullopt;
}

std::vector<std::string> addressesOf(const User& user) {
    std::vector<std::string> addresses;
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (address) addresses.push_back(*address);
    }
    return addresses;
}

}  // namespace otpgate::domain
