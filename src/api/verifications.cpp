// POST /api/v1/verifications and /api/v1/verifications/check, and GET /health/otp.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_fields.h"
#include "api/rate_limit.h"
#include "api/verification_fields.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <algorithm>

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

constexpr std::size_t kMaxContextBytes = 10 * 1024;

void rejectUnlessVerified(const domain::CheckedVerification& checked) {
    using Outcome = domain::CheckedVerification::Outcome;
    switch (checked.outcome) {
    case Outcome::Verified: return;
    case Outcome::InvalidContext:
        throw ApiError(ErrorCode::ValidationError).field("context", "is not one that this account was given");
    case Outcome::WrongCode:
        throw ApiError(ErrorCode::InvalidOtp)
            .attemptsRemaining(checked.attemptsLeft)
            .member("context", checked.context);
    case Outcome::Used: throw ApiError(ErrorCode::OtpUsed);
    case Outcome::CodeExpired: throw ApiError(ErrorCode::OtpExpired);
    case Outcome::SessionExpired: throw ApiError(ErrorCode::SessionExpired);
    case Outcome::AttemptsExhausted:
        throw ApiError(ErrorCode::MaxRetriesExceeded)
            .detail("This code was tried too often. Ask for a new one.")
            .attemptsRemaining(0)
            .retryAfter(checked.retryAfter);
    case Outcome::BudgetExhausted: throw limitError(ErrorCode::MaxRetriesExceeded, checked.limit);
    }
}

}  // namespace

http::Response createVerification(const http::Request& request, const ApiKeyCaller& caller,
                                  domain::ApiKeyService& apiKeys, domain::VerificationService& verifications,
                                  const ApiSettings& settings) {
    http::JsonBody body(request);
    auto question = readVerification(settings, verifications.codeFormat(), body);
    body.rejectInvalid();
    if (const auto rule = domain::LimitRule::parse(caller.sendLimit)) question->keyLimit = {caller.id, *rule};
    const bool isCallers = question->delivery == domain::CodeDelivery::Caller;
    requireScope(caller, isCallers ? domain::ApiScope::VerifyCaller : domain::ApiScope::Verify);
    if (!isCallers && !apiKeys.maySend(caller)) {
        throw ApiError(ErrorCode::Forbidden, "api_keys.allowed")
            .detail("On this server only the API keys of administrators send messages.");
    }

    const auto verification = verifications.request(*question, caller.userId, clientOf(request));
    if (!verification.isAccepted) throw limitError(ErrorCode::RateLimit, verification.limit);
    if (verification.delivery == domain::Delivery::Failed) throw ApiError(ErrorCode::SendFailed);
    const std::string masked = question->to.masked();
    http::JsonWriter json;
    json.beginObject()
        .sentence("message", isCallers ? "Send the code to " + masked + "." : "A code is on its way to " + masked + ".")
        .member("context", verification.context)
        .member("expires_in", question->expiresIn.count())
        .member("session_expires_in", question->sessionExpiresIn.count());
    if (isCallers) json.member("otp", verification.code);
    json.endObject();
    return withLimit(jsonResponse(201, json), verification.limit);
}

http::Response checkVerification(const http::Request& request, const ApiKeyCaller& caller,
                                 domain::VerificationService& verifications) {
    http::JsonBody body(request);
    const std::string guess = readGuess(body);
    const std::string context = body.requiredString("context", kMaxContextBytes);
    body.rejectInvalid();

    const auto checked = verifications.check(context, guess, caller.userId, clientOf(request));
    rejectUnlessVerified(checked);
    http::JsonWriter json;
    json.beginObject()
        .member("status", "verified")
        .member("identifier", checked.identifier)
        .member("purpose", checked.purpose)
        .key("metadata")
        .raw(checked.metadata)
        .member("retry_count", checked.retryCount)
        .endObject();
    return jsonResponse(200, json);
}

http::Response showOtpHealth(const http::Request&, domain::VerificationService& verifications, const Clock& clock) {
    const Timestamp begin = clock.now();
    if (!verifications.worksInItself()) throw ApiError(ErrorCode::Unavailable, "codes do not verify");
    const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - begin);
    http::JsonWriter json;
    json.beginObject()
        .member("status", "healthy")
        .member("duration_ms", std::max<std::int64_t>(duration.count(), 0))
        .endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
