// POST /api/v1/auth/otp/request and /api/v1/auth/otp/verify (API.md 2).
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_fields.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

http::Response requestOtp(Services& services, const http::Request& request) {
    http::JsonBody body(request);
    const auto destination = readDestination(body);
    const auto purpose = readPurpose(body);
    const auto locale = readLocale(body);
    if (!destination) body.noteMissing("destination");
    body.rejectInvalid();

    const auto otp = services.otp.request(*destination, purpose, locale, clientOf(request));
    if (!otp.isAccepted) throw limitError(ErrorCode::RateLimit, otp.limit);
    http::JsonWriter json;
    json.beginObject()
        .member("otp_id", otp.id.toString())
        .member("channel", domain::toString(destination->channel()))
        .member("purpose", domain::toString(purpose))
        .member("destination_masked", destination->masked())
        .member("expires_in", otp.expiresIn.count())
        .member("resend_in", otp.resendIn.count())
        .member("message", "A code is on its way to " + destination->masked() + ".")
        .endObject();
    return withLimit(jsonResponse(202, json), otp.limit);
}

namespace {

http::Response signedIn(const domain::VerifiedOtp& result) {
    http::JsonWriter json;
    json.beginObject();
    writeTokens(json, result.tokens);
    json.member("is_new_user", result.isNewUser).key("user");
    writeUser(json, result.user.value());
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace

http::Response verifyOtp(Services& services, const http::Request& request) {
    http::JsonBody body(request);
    const OtpReference reference = readOtpReference(body);
    const std::string guess = readGuess(body);
    const domain::Device device = readDevice(body);
    body.rejectInvalid();

    const domain::Client client = clientOf(request);
    const auto result = reference.otpId
                            ? services.otp.verify(*reference.otpId, guess, device, client)
                            : services.otp.verify(*reference.destination, reference.purpose, guess, device, client);
    switch (result.outcome) {
    case VerifyOutcome::Verified: return signedIn(result);
    case VerifyOutcome::WrongCode:
    case VerifyOutcome::Unknown: throw ApiError(ErrorCode::InvalidOtp).attemptsRemaining(result.attemptsLeft);
    case VerifyOutcome::Used: throw ApiError(ErrorCode::OtpUsed);
    case VerifyOutcome::Expired: throw ApiError(ErrorCode::OtpExpired);
    case VerifyOutcome::AttemptsExhausted:
        throw ApiError(ErrorCode::MaxRetriesExceeded)
            .detail("This code was tried too often. Ask for a new one.")
            .attemptsRemaining(0)
            .retryAfter(result.retryAfter);
    case VerifyOutcome::BudgetExhausted: throw limitError(ErrorCode::MaxRetriesExceeded, result.limit);
    case VerifyOutcome::AccountDisabled: throw ApiError(ErrorCode::AccountDisabled);
    }
    throw ApiError(ErrorCode::InternalError, "an outcome of otp verify has no answer");
}

}  // namespace otpgate::api
