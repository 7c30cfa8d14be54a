#include "otpgate/domain/webhook_events.h"

#include "otpgate/base/numeric_date.h"

namespace otpgate::domain {

std::string_view toString(WebhookEvent event) {
    switch (event) {
    case WebhookEvent::UserCreated: return "user.created";
    case WebhookEvent::UserUpdated: return "user.updated";
    case WebhookEvent::UserDisabled: return "user.disabled";
    case WebhookEvent::UserEnabled: return "user.enabled";
    case WebhookEvent::UserDeleted: return "user.deleted";
    case WebhookEvent::AddressChanged: return "address.changed";
    case WebhookEvent::PasswordChanged: return "password.changed";
    case WebhookEvent::SessionCreated: return "session.created";
    case WebhookEvent::SessionEnded: return "session.ended";
    case WebhookEvent::FactorAdded: return "factor.added";
    case WebhookEvent::FactorRemoved: return "factor.removed";
    case WebhookEvent::FactorsReset: return "factor.reset";
    case WebhookEvent::LimitReached: return "login.failed_limit";
    case WebhookEvent::MessageFailed: return "message.failed";
    case WebhookEvent::Test: return "webhook.test";
    }
    return {};
}

std::optional<WebhookEvent> parseWebhookEvent(std::string_view text) {
    // The word behind the last one is empty.
    for (int i = 0; !toString(static_cast<WebhookEvent>(i)).empty(); ++i) {
        if (text == toString(static_cast<WebhookEvent>(i))) return static_cast<WebhookEvent>(i);
    }
    return std::nullopt;
}

std::optional<TellableEvent> tellableEvent(AuditEvent event) {
    switch (event) {
    case AuditEvent::UserRegistered: return {{WebhookEvent::UserCreated}};
    case AuditEvent::ProfileUpdated: return {{WebhookEvent::UserUpdated, R"("changed":"profile")"}};
    case AuditEvent::RoleChanged: return {{WebhookEvent::UserUpdated, R"("changed":"role")"}};
    case AuditEvent::GroupJoined:
    case AuditEvent::GroupLeft: return {{WebhookEvent::UserUpdated, R"("changed":"groups")"}};
    case AuditEvent::UserDisabled: return {{WebhookEvent::UserDisabled}};
    case AuditEvent::UserEnabled: return {{WebhookEvent::UserEnabled}};
    case AuditEvent::UserDeleted: return {{WebhookEvent::UserDeleted}};
    case AuditEvent::AddressChanged: return {{WebhookEvent::AddressChanged}};
    case AuditEvent::PasswordReset:
    case AuditEvent::PasswordChanged: return {{WebhookEvent::PasswordChanged}};
    case AuditEvent::LoginSucceeded: return {{WebhookEvent::SessionCreated}};
    case AuditEvent::PasskeyAdded: return {{WebhookEvent::FactorAdded, R"("factor":"passkey")"}};
    case AuditEvent::PasskeyRemoved: return {{WebhookEvent::FactorRemoved, R"("factor":"passkey")"}};
    case AuditEvent::TotpAdded: return {{WebhookEvent::FactorAdded, R"("factor":"authenticator")"}};
    case AuditEvent::TotpRemoved: return {{WebhookEvent::FactorRemoved, R"("factor":"authenticator")"}};
    case AuditEvent::RecoveryCodesMade: return {{WebhookEvent::FactorAdded, R"("factor":"recovery_codes")"}};
    case AuditEvent::RecoveryCodeUsed: return {{WebhookEvent::FactorRemoved, R"("factor":"recovery_code")"}};
    case AuditEvent::FactorsReset: return {{WebhookEvent::FactorsReset}};
    case AuditEvent::OtpLocked: return {{WebhookEvent::LimitReached}};
    // Of the end of a session tells what ends it (store/webhook_events.h), and of a failed message what gives it up:
    // they know which. The rest happens at every sign-in, or is no matter of others.
    case AuditEvent::SessionRevoked:
    case AuditEvent::TokenReused:
    case AuditEvent::OtpSendFailed:
    case AuditEvent::NoticeSendFailed:
    case AuditEvent::OtpRequested:
    case AuditEvent::OtpSent:
    case AuditEvent::NoticeSent:
    case AuditEvent::OtpVerified:
    case AuditEvent::OtpFailed:
    case AuditEvent::OtpRateLimited:
    case AuditEvent::LoginFailed:
    case AuditEvent::TokenRefreshed:
    case AuditEvent::GroupCreated:
    case AuditEvent::GroupDeleted:
    case AuditEvent::LimitsCleared:
    case AuditEvent::MessageSentAgain:
    case AuditEvent::AccountExported:
    case AuditEvent::TestMessageRequested:
    case AuditEvent::RegistrationRefused:
    case AuditEvent::ApiKeyCreated:
    case AuditEvent::ApiKeyRevoked:
    case AuditEvent::VerificationRequested:
    case AuditEvent::VerificationSucceeded:
    case AuditEvent::VerificationFailed:
    case AuditEvent::ApplicationSignedIn:
    case AuditEvent::ConsentGiven:
    case AuditEvent::ConsentWithdrawn:
    case AuditEvent::ClientCreated:
    case AuditEvent::ClientChanged:
    case AuditEvent::ClientSecretRotated:
    case AuditEvent::ClientDisabled:
    case AuditEvent::ClientEnabled:
    case AuditEvent::ClientDeleted:
    case AuditEvent::WebhookAdded:
    case AuditEvent::WebhookRemoved:
    case AuditEvent::WebhookSecretRotated:
    case AuditEvent::WebhookRetried: break;
    }
    return std::nullopt;
}

std::string detailsOf(const OutboxMessage& message) {
    return R"("channel":")" + std::string{toString(message.destination.channel())} + R"(","message":")" +
           std::string{toString(message.kind)} + '"';
}

std::string bodyOf(const ToldEvent& told, std::chrono::seconds accessLifetime) {
    std::string data;
    const auto add = [&data](std::string_view member) {
        if (member.empty()) return;
        if (!data.empty()) data += ',';
        data += member;
    };
    if (told.userId) add(R"("user_id":")" + told.userId->toString() + '"');
    if (told.sessionId) add(R"("session_id":")" + told.sessionId->toString() + '"');
    if (told.event == WebhookEvent::SessionEnded) {
        add(R"("exp":)" + std::to_string(numericDate(told.createdAt + accessLifetime)));
    }
    add(told.details);
    return R"({"type":")" + std::string{toString(told.event)} + R"(","timestamp":")" + formatRfc3339(told.createdAt) +
           R"(","data":{)" + data + "}}";
}

}  // namespace otpgate::domain
