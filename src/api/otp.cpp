// POST /api/v1/auth/otp/request and /api/v1/auth/otp/verify (API.md 2).
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

// A stolen session must not take the account with it, so who changes where its codes go has just proved to be its user.
Caller changer(Services& services, const http::Request& request) {
    Caller caller = authenticate(services, request);
    if (services.addresses.mayChange(caller.session)) return caller;
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(services.addresses.changeWithin()).count();
    throw ApiError(ErrorCode::Forbidden, "the sign-in is too old")
        .detail("To change an address, sign in again: the sign-in of this session is more than " +
                std::to_string(minutes) + (minutes == 1 ? " minute ago." : " minutes ago."));
}

http::Response changeAddress(Services& services, const http::Request& request, const domain::OtpReference& reference,
                             std::string_view guess) {
    const Caller caller = authenticate(services, request);
    const auto result = services.addresses.change(caller, reference, guess, clientOf(request));
    rejectUnlessVerified(result.code);
    if (!result.user) throw ApiError(ErrorCode::Conflict).detail("Another account has this address.");
    http::JsonWriter json;
    json.beginObject()
        .member("verified", true)
        .member("verified_destination", result.code.destination->value())
        .member("detail", "Your address has been changed.")
        .key("user");
    writeUser(json, *result.user);
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace

http::Response requestOtp(Services& services, const http::Request& request) {
    http::JsonBody body(request);
    const auto destination = readDestination(services, body, "destination");
    const auto purpose = readPurpose(body);
    auto locale = readLocale(body);
    const auto asker = askerOf(services, request, body);
    std::optional<Uuid> ownerId;
    if (purpose == domain::Purpose::Change) {
        const Caller caller = changer(services, request);
        ownerId = caller.user.id;
        if (locale.empty()) locale = caller.user.locale;  // by the address it would not be found
    }
    body.rejectInvalid();

    const domain::OtpQuestion question{.destination = *destination,
                                       .purpose = purpose.value_or(domain::Purpose::Login),
                                       .locale = locale,
                                       .ownerId = ownerId};
    const auto otp = services.otp.request(question, asker);
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

    if (reference.purpose == domain::Purpose::Change) return changeAddress(services, request, reference, guess);
    const auto result = services.otp.verify(reference, guess, device, asker, services.sessions.sessionEnd());
    if (result.outcome == domain::OtpVerifyResult::Outcome::OwnerNeeded) {
        return changeAddress(services, request, reference, guess);
    }
    rejectUnlessVerified(result);
    if (result.signIn) return signedIn(services, *result.signIn, delivery);
    return otpVerified(services, result);
}

}  // namespace otpgate::api
