// The one exception that ends a request, and the one table of what clients see of it (RFC 9457).
#pragma once

#include "otpgate/http/error_code.h"
#include "otpgate/http/request.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::http {

// One row of the table: stable code, status, title and the sentence that clients get unless the thrower has a better
// one.
struct ErrorDescription {
    std::string_view code;  // "INVALID_OTP"
    int status;
    std::string_view title;
    std::string_view detail;
};
ErrorDescription describe(ErrorCode code);

struct FieldError {
    std::string field;
    std::string message;
};

class ApiError : public std::exception {
public:
    // `logDetail` goes to the log line of the request only, never to the client.
    explicit ApiError(ErrorCode code, std::string logDetail = {});

    ApiError& detail(std::string sentence);  // replaces the table's sentence
    ApiError& field(std::string name, std::string message);
    ApiError& retryAfter(std::chrono::seconds wait);  // Retry-After and retry_after, at least 1
    ApiError& attemptsRemaining(unsigned count);
    ApiError& member(std::string name, std::string text);  // one that only this error has
    ApiError& part(std::string name, std::string json);    // the same, of JSON that is built
    ApiError& repeatAs(std::string name);                  // a member that says what `detail` says
    ApiError& accountLanguage(std::string tag);            // of who asked
    ApiError& header(std::string name, std::string value);

    ErrorCode code() const { return code_; }
    const std::string& logDetail() const { return logDetail_; }
    // What the client reads: the thrower's sentence, or the table's.
    std::string sentence() const;
    const char* what() const noexcept override;
    // application/problem+json: type ("/problems/invalid-otp", below `base` as the pages are), title, status, detail,
    // code, request_id and what was added. A 401 without a WWW-Authenticate of its own gets the one of RFC 6750,
    // section 3; a 503 without a wait gets 1 second.
    Response toResponse(const std::string& requestId, std::string_view base = {}) const;

private:
    ErrorCode code_;
    std::string logDetail_;
    std::string detail_;
    std::vector<FieldError> fields_;
    std::optional<std::int64_t> retryAfter_;
    std::optional<unsigned> attemptsRemaining_;
    std::vector<std::pair<std::string, std::string>> members_;
    std::vector<std::pair<std::string, std::string>> parts_;
    std::string repeatedAs_;
    std::string accountLanguage_;
    std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace otpgate::http
