#include "otpgate/domain/models.h"

namespace otpgate::domain {

std::string_view toString(Purpose purpose) {
    switch (purpose) {
    case Purpose::Login: return "login";
    }
    return {};
}

std::optional<Purpose> parsePurpose(std::string_view text) {
    if (text == "login") return Purpose::Login;
    return std::nullopt;
}

std::string_view toString(UserStatus status) {
    switch (status) {
    case UserStatus::Active: return "active";
    case UserStatus::Disabled: return "disabled";
    }
    return {};
}

std::string_view toString(AuditEvent event) {
    switch (event) {
    case AuditEvent::OtpRequested: return "OTP_REQUESTED";
    case AuditEvent::OtpSent: return "OTP_SENT";
    case AuditEvent::OtpSendFailed: return "OTP_SEND_FAILED";
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
    }
    return {};
}

}  // namespace otpgate::domain
