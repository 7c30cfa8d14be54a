// Clients that know telephone numbers only: /api/auth/send-otp/, /api/auth/verify-otp/, /api/auth/profile/.
#include "api/authentication.h"
#include "api/legacy/legacy.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "api/views.h"
#include "otpgate/domain/username.h"
#include "otpgate/http/json.h"

namespace otpgate::api::legacy {

namespace {

void writePhoneUser(http::JsonWriter& json, const domain::User& user) {
    json.key("user")
        .beginObject()
        .member("id", user.id.toString())
        .member("phone_number", user.phoneNumber)
        .member("username", domain::shownUsername(user))
        .member("first_name", user.firstName)
        .member("last_name", user.lastName)
        .member("is_phone_verified", user.phoneVerified)
        .member("date_joined", formatRfc3339(user.joinedAt))
        .endObject();
}

}  // namespace

http::Response sendPhoneOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                            const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto phoneNumber = readPhoneNumber(settings, body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const domain::OtpQuestion question{
        .destination = *phoneNumber, .locale = {}, .newAccounts = newAccountsWith(settings, *phoneNumber)};
    const auto otp = codes.request(question, asker);
    rejectNobodysNumber(settings, body, question, otp);
    rejectUnlessAccepted(otp);
    http::JsonWriter json;
    json.beginObject()
        .member("message", "OTP sent successfully")
        .member("phone_number", phoneNumber->value())
        .member("expires_in_minutes", std::chrono::ceil<std::chrono::minutes>(otp.expiresIn).count())
        .endObject();
    return jsonResponse(200, json);
}

http::Response verifyPhoneOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                              const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto phoneNumber = readPhoneNumber(settings, body);
    const auto guess = readGuess(body);
    const auto device = readDevice(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const domain::OtpReference reference{std::nullopt, phoneNumber, domain::Purpose::Login};
    const auto result = codes.verify(reference, guess, device, asker, sessions.sessionEnd());
    rejectUnlessVerified(result);
    const domain::SignIn& signIn = result.signIn.value();
    const auto tokens = sessions.issueFirst(signIn);
    http::JsonWriter json;
    json.beginObject().member("message", "Authentication successful");
    writePhoneUser(json, signIn.user);
    json.key("tokens").beginObject().member("access", tokens.access).member("refresh", tokens.refresh).endObject();
    json.member("is_new_user", signIn.isNewUser).endObject();
    return jsonResponse(200, json);
}

http::Response showPhoneProfile(const http::Request&, const Caller& caller) {
    http::JsonWriter json;
    json.beginObject();
    writePhoneUser(json, caller.user);
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api::legacy
