// POST /api/v1/auth/register.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "api/profile_fields.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

using domain::RegistrationResult;
using http::ApiError;
using http::ErrorCode;

namespace {

constexpr std::string_view kBadVerification = "is not valid for this address, was used already or is too old";

void rejectUnlessRegistered(const RegistrationResult& result) {
    switch (result.outcome) {
    case RegistrationResult::Outcome::Registered: return;
    case RegistrationResult::Outcome::Taken:
        throw ApiError(ErrorCode::Conflict).detail("There is an account with this address already.");
    case RegistrationResult::Outcome::ReceiptSpent:
        throw ApiError(ErrorCode::ValidationError).field("verification_token", std::string{kBadVerification});
    case RegistrationResult::Outcome::Limited:
        if (result.code) rejectUnlessAccepted(*result.code);
        throw limitError(ErrorCode::RateLimit, result.limit);
    case RegistrationResult::Outcome::SendFailed: throw ApiError(ErrorCode::SendFailed);
    }
}

http::Response registered(const RegistrationResult& result, const domain::Registration& registration) {
    const std::string message = result.code ? "A code is on its way to " + registration.destination.masked() +
                                                  ". Enter it, and your account is ready."
                                            : "Your account has been created.";
    http::JsonWriter json;
    json.beginObject().key("user");
    writeUser(json, result.user);
    if (result.code) {
        json.member("otp_id", result.code->id.toString())
            .member("expires_in", result.code->expiresIn.count())
            .member("resend_in", result.code->resendIn.count());
    }
    json.sentence("message", message).sentence("detail", message).endObject();
    return jsonResponse(201, json);
}

}  // namespace

http::Response registerUser(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                            domain::RegistrationService& registrations, const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto destination = readDestination(settings, body, "email");
    noteUnwelcome(settings, body, destination);
    const auto token = body.string("verification_token");
    const auto otpId = token ? codes.parseReceipt(*token, domain::Purpose::Register) : std::nullopt;
    if (token && !otpId) body.noteInvalid("verification_token", kBadVerification);
    const auto firstName = readName(body, "first_name");
    const auto lastName = readName(body, "last_name");
    auto locale = readLocale(body);
    const auto password = body.string("password");
    const auto asker = askerOf(sessions, request, body);
    if (!destination) body.rejectInvalid();
    if (locale.empty()) locale = domain::firstLanguage(asker.client.languages);

    const domain::Registration registration{*destination,          password, otpId, firstName.value_or(""),
                                            lastName.value_or(""), locale};
    noteRefusal(body, "password", registrations.reasonToRefuse(registration));
    body.rejectInvalid();

    const auto result = registrations.registerUser(registration, asker);
    rejectUnlessRegistered(result);
    return registered(result, registration);
}

}  // namespace otpgate::api
