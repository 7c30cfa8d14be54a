// Clients written for authstack: /api/auth/otp/request/ and /api/auth/otp/verify/. Errors are {code, message}.
#include "api/authentication.h"
#include "api/legacy/legacy.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "api/views.h"
#include "otpgate/domain/username.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api::legacy {

using http::ApiError;
using http::ErrorCode;

namespace {

// What these clients are told instead of our own code; an empty message is our sentence. The rest keeps its code and
// status.
struct AuthstackError {
    ErrorCode ours;
    int status;
    std::string_view code;
    std::string_view message;
};
constexpr AuthstackError kErrors[] = {
    {ErrorCode::MalformedJson, 400, "VALIDATION_ERROR", ""},
    {ErrorCode::MissingFields, 400, "VALIDATION_ERROR", ""},
    {ErrorCode::ValidationError, 400, "VALIDATION_ERROR", ""},
    {ErrorCode::UnsupportedMediaType, 400, "VALIDATION_ERROR", ""},
    {ErrorCode::InvalidOtp, 400, "INVALID_OTP", "Invalid OTP"},
    {ErrorCode::OtpUsed, 400, "INVALID_OTP", "OTP already used"},
    {ErrorCode::OtpExpired, 400, "INVALID_OTP", "OTP expired"},
    {ErrorCode::MaxRetriesExceeded, 400, "INVALID_OTP", "Too many attempts"},
    {ErrorCode::SendFailed, 500, "SEND_FAILED", ""},
};

AuthstackError translate(ErrorCode code) {
    for (const AuthstackError& error : kErrors) {
        if (error.ours == code) return error;
    }
    const auto description = http::describe(code);
    return {code, description.status, description.code, ""};
}

// Runs the endpoint; what ends it early becomes {code, message}, with the headers (Retry-After) that belong to it.
template <typename Endpoint>
http::Response withAuthstackErrors(const http::Request& request, Endpoint&& endpoint) {
    try {
        return endpoint();
    } catch (const ApiError& error) {
        const AuthstackError translated = translate(error.code());
        const std::string message = translated.message.empty() ? error.sentence() : std::string{translated.message};
        http::JsonWriter json;
        json.beginObject().member("code", translated.code).member("message", message).endObject();
        http::Response response = error.toResponse(request.requestId);
        response.status = translated.status;
        response.contentType = "application/json";
        response.body = json.take();
        response.said.clear();  // these clients know English only
        return response;
    }
}

void writeAuthstackUser(http::JsonWriter& json, const domain::User& user) {
    json.key("user")
        .beginObject()
        .member("id", user.id.toString())
        .member("username", domain::shownUsername(user))
        .member("email", user.email)
        .member("email_verified", user.emailVerified)
        .member("phone_verified", user.phoneVerified)
        .endObject();
}

http::Response authstackVerified(domain::OtpService& codes, domain::SessionService& sessions,
                                 const domain::VerifiedOtp& result) {
    http::JsonWriter json;
    json.beginObject();
    if (result.signIn) {
        const auto tokens = sessions.issueFirst(*result.signIn);
        json.member("access", tokens.access)
            .member("refresh", tokens.refresh)
            .member("session_id", tokens.sessionId.toString())
            .member("expires_in", tokens.expiresIn.count());
        writeAuthstackUser(json, result.signIn->user);
    } else if (result.purpose == domain::Purpose::Register) {
        json.member("message", "OTP verified")
            .member("verified_destination", result.destination->value())
            .member("verification_token", codes.receiptOf(result));
    } else {
        json.member("message", "OTP verified successfully");
    }
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace

http::Response requestAuthstackOtp(const http::Request& request, domain::OtpService& codes,
                                   domain::SessionService& sessions, const ApiSettings& settings) {
    return withAuthstackErrors(request, [&] {
        http::JsonBody body(request);
        const auto destination = readDestination(settings, body, "destination");
        const auto purpose = readPurpose(body).value_or(domain::Purpose::Login);
        if (purpose == domain::Purpose::Register) noteUnwelcome(settings, body, destination);
        const auto asker = askerOf(sessions, request, body);
        body.rejectInvalid();

        const domain::OtpQuestion question{.destination = *destination,
                                           .purpose = purpose,
                                           .locale = {},
                                           .newAccounts = newAccountsWith(settings, *destination)};
        const auto otp = codes.request(question, asker);
        rejectNobodysNumber(settings, body, question, otp);
        rejectUnlessAccepted(otp);
        const bool isEmail = destination->channel() == domain::Channel::Email;
        http::JsonWriter json;
        json.beginObject()
            .member("message", isEmail ? "OTP sent to email" : "OTP sent to phone")
            .member("otp_id", otp.id.toString())
            .member("expires_in", otp.expiresIn.count())
            .member("destination_masked", destination->masked())
            .endObject();
        return jsonResponse(200, json);
    });
}

http::Response verifyAuthstackOtp(const http::Request& request, domain::OtpService& codes,
                                  domain::SessionService& sessions, const ApiSettings& settings) {
    return withAuthstackErrors(request, [&] {
        http::JsonBody body(request);
        const auto reference = readOtpReference(settings, body);
        const auto guess = readGuess(body);
        const auto device = readDevice(body);
        const auto asker = askerOf(sessions, request, body);
        body.rejectInvalid();

        const auto result = codes.verify(reference, guess, device, asker, sessions.sessionEnd());
        rejectUnlessVerified(result);
        return authstackVerified(codes, sessions, result);
    });
}

}  // namespace otpgate::api::legacy
