#include "otpgate/http/errors.h"

#include "http/header_names.h"
#include "otpgate/base/text.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <cstdlib>

namespace otpgate::http {

ErrorDescription describe(ErrorCode code) {
    switch (code) {
    case ErrorCode::MalformedJson:
        return {"MALFORMED_JSON", 400, "Malformed JSON", "The request body is not one valid JSON object."};
    case ErrorCode::ValidationError:
        return {"VALIDATION_ERROR", 400, "Invalid fields", "Some of the fields are not valid."};
    case ErrorCode::MissingFields:
        return {"MISSING_FIELDS", 400, "Missing fields", "Some of the required fields are missing."};
    case ErrorCode::UnsupportedMediaType:
        return {"UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type", "The request body must be application/json."};
    case ErrorCode::PayloadTooLarge:
        return {"PAYLOAD_TOO_LARGE", 413, "Request body too large", "The request body must be at most 16 KiB."};
    case ErrorCode::NotFound: return {"NOT_FOUND", 404, "Not found", "There is nothing at this address."};
    case ErrorCode::MethodNotAllowed:
        return {"METHOD_NOT_ALLOWED", 405, "Method not allowed", "This address does not answer that method."};
    case ErrorCode::InvalidOtp: return {"INVALID_OTP", 400, "Invalid code", "The code is not correct."};
    case ErrorCode::OtpUsed:
        return {"OTP_USED", 400, "Code already used", "The code has already been used. Please request a new one."};
    case ErrorCode::OtpExpired:
        return {"OTP_EXPIRED", 410, "Code expired", "The code has expired. Please request a new one."};
    case ErrorCode::OtherBrowser:
        return {"OTHER_BROWSER", 409, "Opened in another browser",
                "The link was opened in another browser than the one in which it was asked for."};
    case ErrorCode::SessionExpired:
        return {"SESSION_EXPIRED", 410, "Verification expired", "The verification has expired. Please start again."};
    case ErrorCode::MaxRetriesExceeded:
        return {"MAX_RETRIES_EXCEEDED", 429, "Too many attempts", "There were too many wrong codes."};
    case ErrorCode::RateLimit:
        return {"RATE_LIMIT", 429, "Too many requests", "There were too many requests. Please try again later."};
    case ErrorCode::ChallengeRequired:
        return {"CHALLENGE_REQUIRED", 429, "A challenge is to be solved",
                "There were many requests. Solve the challenge and send its solution with the request."};
    case ErrorCode::ChallengeFailed:
        return {"CHALLENGE_FAILED", 429, "The check was not passed",
                "The check was not passed, or was used before. Please do it once more."};
    case ErrorCode::InvalidCredentials:
        return {"INVALID_CREDENTIALS", 401, "Invalid credentials", "The sign-in name or the password is not correct."};
    case ErrorCode::Unauthenticated: return {"UNAUTHENTICATED", 401, "Not signed in", "This needs a signed-in caller."};
    case ErrorCode::InvalidToken:
        return {"INVALID_TOKEN", 401, "Invalid token", "The token is not valid or has expired."};
    case ErrorCode::TokenReused:
        return {"TOKEN_REUSED", 401, "Token already used",
                "The refresh token was used before, so the session has been ended. Please sign in again."};
    case ErrorCode::Forbidden: return {"FORBIDDEN", 403, "Forbidden", "The caller may not do this."};
    case ErrorCode::SignInTooOld:
        return {"SIGN_IN_TOO_OLD", 403, "Sign-in too old",
                "For this, the sign-in must be a recent one: sign in again."};
    case ErrorCode::InsufficientUserAuthentication:
        return {"INSUFFICIENT_USER_AUTHENTICATION", 401, "More than a code is needed",
                "This account is protected by more than a code. Sign in with your passkey or authenticator app."};
    case ErrorCode::AccountDisabled: return {"ACCOUNT_DISABLED", 403, "Account disabled", "This account is disabled."};
    case ErrorCode::UserNotFound: return {"USER_NOT_FOUND", 404, "User not found", "There is no such user."};
    case ErrorCode::Conflict: return {"CONFLICT", 409, "Conflict", "This is already taken."};
    case ErrorCode::SendFailed:
        return {"SEND_FAILED", 502, "Message not sent", "The message could not be sent. Please try again."};
    case ErrorCode::Unavailable:
        return {"UNAVAILABLE", 503, "Temporarily unavailable",
                "The service cannot answer right now. Please try again in a moment."};
    case ErrorCode::InternalError:
        return {"INTERNAL_ERROR", 500, "Internal error", "Something went wrong on our side."};
    }
    std::abort();  // not a value of the enum
}

namespace {

// "INVALID_OTP" -> "/problems/invalid-otp": a URI reference of its own for each code (RFC 9457, section 3.1.1).
std::string problemType(std::string_view base, std::string_view code) {
    std::string type{base};
    type += "/problems/";
    for (const char c : code) type += c == '_' ? '-' : toLower(c);
    return type;
}

// RFC 6750, section 3.1: who sent no credentials is told no error; who sent a bad token is told so.
std::string_view challengeFor(ErrorCode code) {
    if (code == ErrorCode::InsufficientUserAuthentication) {  // RFC 9470, section 3
        return R"(Bearer realm="otpgate", error="insufficient_user_authentication", acr_values="urn:otpgate:aal2")";
    }
    const bool tokenWasBad = code == ErrorCode::InvalidToken || code == ErrorCode::TokenReused;
    return tokenWasBad ? R"(Bearer realm="otpgate", error="invalid_token")" : R"(Bearer realm="otpgate")";
}

}  // namespace

ApiError::ApiError(ErrorCode code, std::string logDetail) : code_(code), logDetail_(std::move(logDetail)) {}

ApiError& ApiError::detail(std::string sentence) {
    detail_ = std::move(sentence);
    return *this;
}

ApiError& ApiError::field(std::string name, std::string message) {
    fields_.push_back({std::move(name), std::move(message)});
    return *this;
}

ApiError& ApiError::retryAfter(std::chrono::seconds wait) {
    retryAfter_ = std::max<std::int64_t>(wait.count(), 1);
    return *this;
}

ApiError& ApiError::attemptsRemaining(unsigned count) {
    attemptsRemaining_ = count;
    return *this;
}

ApiError& ApiError::member(std::string name, std::string text) {
    members_.emplace_back(std::move(name), std::move(text));
    return *this;
}

ApiError& ApiError::part(std::string name, std::string json) {
    parts_.emplace_back(std::move(name), std::move(json));
    return *this;
}

ApiError& ApiError::repeatAs(std::string name) {
    repeatedAs_ = std::move(name);
    return *this;
}

ApiError& ApiError::accountLanguage(std::string tag) {
    accountLanguage_ = std::move(tag);
    return *this;
}

ApiError& ApiError::header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
}

const char* ApiError::what() const noexcept {
    // The table's codes are string literals, so data() ends with NUL.
    return describe(code_).code.data();
}

std::string ApiError::sentence() const {
    return detail_.empty() ? std::string{describe(code_).detail} : detail_;
}

Response ApiError::toResponse(const std::string& requestId, std::string_view base) const {
    const ErrorDescription row = describe(code_);
    const std::int64_t retryAfter = retryAfter_.value_or(row.status == 503 ? 1 : 0);

    JsonWriter json;
    json.beginObject();
    json.member("type", problemType(base, row.code));
    json.sentence("title", row.title);
    json.member("status", row.status);
    json.sentence("detail", sentence());
    json.member("code", row.code);
    json.member("request_id", requestId);
    if (!fields_.empty()) {
        json.key("errors").beginArray();
        for (const FieldError& error : fields_) {
            json.beginObject().member("field", error.field).sentence("message", error.message).endObject();
        }
        json.endArray();
    }
    if (retryAfter > 0) json.member("retry_after", retryAfter);
    if (attemptsRemaining_) json.member("attempts_remaining", *attemptsRemaining_);
    if (!repeatedAs_.empty()) json.sentence(repeatedAs_, sentence());
    for (const auto& [name, text] : members_) json.member(name, text);
    for (const auto& [name, part] : parts_) json.key(name).raw(part);
    json.endObject();

    Response response;
    response.status = row.status;
    response.body = json.take();
    response.contentType = "application/problem+json";
    response.headers = headers_;
    response.said = json.takeSaid();
    response.accountLanguage = accountLanguage_;
    if (retryAfter > 0) response.with("Retry-After", std::to_string(retryAfter));
    if (row.status == 401 && !hasHeader(response, "WWW-Authenticate")) {
        response.with("WWW-Authenticate", std::string{challengeFor(code_)});
    }
    return response;
}

}  // namespace otpgate::http
