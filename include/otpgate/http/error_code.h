// Every error that a client can see, by name; errors.h has the table that says what each one looks like.
#pragma once

namespace otpgate::http {

enum class ErrorCode {
    MalformedJson,
    ValidationError,
    MissingFields,
    UnsupportedMediaType,
    PayloadTooLarge,
    NotFound,
    MethodNotAllowed,
    InvalidOtp,
    OtpUsed,
    OtpExpired,
    OtherBrowser,
    SessionExpired,
    MaxRetriesExceeded,
    RateLimit,
    ChallengeRequired,
    ChallengeFailed,
    InvalidCredentials,
    Unauthenticated,
    InvalidToken,
    TokenReused,
    Forbidden,
    SignInTooOld,
    InsufficientUserAuthentication,
    AccountDisabled,
    UserNotFound,
    Conflict,
    SendFailed,
    Unavailable,
    InternalError,  // stays the last one: the tests walk up to it
};

}  // namespace otpgate::http
