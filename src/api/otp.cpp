// POST /api/v1/auth/otp/request and /api/v1/auth/otp/verify.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response requestOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                          const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto destination = readDestination(settings, body, "destination");
    const auto purpose = readPurpose(body).value_or(domain::Purpose::Login);
    if (purpose == domain::Purpose::Register) noteUnwelcome(settings, body, destination);
    const auto locale = readLocale(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const domain::OtpQuestion question{.destination = *destination,
                                       .purpose = purpose,
                                       .locale = locale,
                                       .newAccounts = newAccountsWith(settings, *destination)};
    const auto otp = codes.request(question, asker);
    rejectNobodysNumber(settings, body, question, otp);
    rejectUnlessAccepted(otp);
    return otpRequested(codes, question, otp);
}

http::Response verifyOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                         const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto reference = readOtpReference(settings, body);
    const auto guess = readGuess(body);
    const auto device = readDevice(body);
    const auto delivery = readTokenDelivery(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const auto result = codes.verify(reference, guess, device, asker, sessions.sessionEnd());
    rejectUnlessVerified(result);
    if (result.signIn) return signedIn(sessions, *result.signIn, delivery);
    return otpVerified(codes, result);
}

}  // namespace otpgate::api
