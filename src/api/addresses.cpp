// POST /api/v1/auth/address-change/request and /api/v1/auth/address-change/verify: another address for the signed-in
// user's account.
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

http::Response requestAddressChange(const http::Request& request, const Caller& caller, domain::OtpService& codes,
                                    const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto destination = readDestination(settings, body, "destination");
    noteUnwelcome(settings, body, destination, Making::Address);
    auto locale = readLocale(body);
    const domain::Asker asker{clientOf(request), std::nullopt, readWork(body), readHumanToken(body)};
    body.rejectInvalid();
    if (locale.empty()) locale = caller.user.locale;  // by the address it would not be found

    const domain::OtpQuestion question{
        .destination = *destination, .purpose = domain::Purpose::Change, .locale = locale, .ownerId = caller.user.id};
    const auto otp = codes.request(question, asker);
    rejectUnlessAccepted(otp);
    return otpRequested(codes, question, otp);
}

http::Response verifyAddressChange(const http::Request& request, const Caller& caller,
                                   domain::AddressService& addresses, const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto reference = readOtpReference(settings, body, domain::Purpose::Change);
    const auto guess = readGuess(body);
    body.rejectInvalid();

    const auto result = addresses.change(caller, reference, guess, clientOf(request));
    rejectUnlessVerified(result.code);
    if (!result.user) throw ApiError(ErrorCode::Conflict).detail("Another account has this address.");
    http::JsonWriter json;
    json.beginObject()
        .member("verified", true)
        .member("verified_destination", result.code.destination->value())
        .sentence("detail", "Your address has been changed.")
        .key("user");
    writeUser(json, *result.user);
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
