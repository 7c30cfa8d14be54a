// POST /api/v1/auth/otp/request and /api/v1/auth/otp/verify (API.md 2).
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response requestOtp(Services& services, const http::Request& request) {
    http::JsonBody body(request);
    const auto destination = readDestination(services, body, "destination");
    const auto purpose = readPurpose(body).value_or(domain::Purpose::Login);
    if (purpose == domain::Purpose::Register) noteImpossibleNumber(services, body, destination);
    const auto locale = readLocale(body);
    const auto asker = askerOf(services, request, body);
    body.rejectInvalid();

    const domain::OtpQuestion question{.destination = *destination,
                                       .purpose = purpose,
                                       .locale = locale,
                                       .newAccounts = newAccountsWith(services, *destination)};
    const auto otp = services.otp.request(question, asker);
    rejectNobodysNumber(services, body, question, otp);
    rejectUnlessAccepted(otp);
    return otpRequested(question, otp);
}

http::Response verifyOtp(Services& services, const http::Request& request) {
    http::JsonBody body(request);
    const auto reference = readOtpReference(services, body);
    const auto guess = readGuess(body);
    const auto device = readDevice(body);
    const auto delivery = readTokenDelivery(body);
    const auto asker = askerOf(services, request, body);
    body.rejectInvalid();

    const auto result = services.otp.verify(reference, guess, device, asker, services.sessions.sessionEnd());
    rejectUnlessVerified(result);
    if (result.signIn) return signedIn(services, *result.signIn, delivery);
    return otpVerified(services, result);
}

}  // namespace otpgate::api
