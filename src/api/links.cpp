// POST /api/v1/auth/otp/link: the sign-in by the link in a message. The link leads to the page, which reads its secret
// from the fragment and posts it when a button is pressed: whatever only opens links, with scripts or without, changes
// nothing.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

namespace {

constexpr std::size_t kMaxLinkBytes = 64;

bool hasAsked(const domain::OtpService& codes, const http::Request& request, const Uuid& otpId) {
    const auto proof = http::findCookie(request, kAskerCookie);
    return proof && codes.isAskerProof(*proof, otpId);
}

[[noreturn]] void rejectLink(VerifyOutcome outcome) {
    switch (outcome) {
    case VerifyOutcome::Used:
        throw ApiError(ErrorCode::OtpUsed).detail("The link has already been used. Please ask for a new one.");
    case VerifyOutcome::Expired:
        throw ApiError(ErrorCode::OtpExpired).detail("The link has expired. Please ask for a new one.");
    case VerifyOutcome::AccountDisabled: throw ApiError(ErrorCode::AccountDisabled);
    case VerifyOutcome::NeedsFactor:
    case VerifyOutcome::Verified:
    case VerifyOutcome::WrongCode:
    case VerifyOutcome::Unknown:
    case VerifyOutcome::AttemptsExhausted:
    case VerifyOutcome::BudgetExhausted: break;
    }
    throw ApiError(ErrorCode::InvalidOtp).detail("The link is not valid. Please ask for a new one.");
}

// A link may be anybody's own: sent to a victim, it would sign him in as its sender. So a browser that did not ask for
// it is told the code, to type where it was asked for, and signs in for whoever types the address that the link went
// to.
[[noreturn]] void rejectElsewhere(domain::OtpService& codes, const Uuid& otpId) {
    const auto link = codes.lookAtLink(otpId);
    if (link.outcome != VerifyOutcome::Verified) rejectLink(link.outcome);
    ApiError error(ErrorCode::OtherBrowser);
    error.member("destination_masked", link.destination->masked());
    if (!link.code.empty()) error.member("otp", link.code);
    throw error;
}

}  // namespace

http::Response signInByLink(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                            const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto secret = body.requiredString("link", kMaxLinkBytes);
    std::optional<domain::Destination> address;
    if (body.has("destination")) address = readDestination(settings, body, "destination");
    const auto device = readDevice(body);
    const auto delivery = readTokenDelivery(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const auto otpId = codes.openLink(secret);
    if (!otpId) rejectLink(VerifyOutcome::Unknown);
    if (hasAsked(codes, request, *otpId)) {
        address.reset();
    } else if (!address) {
        rejectElsewhere(codes, *otpId);
    }
    const auto result = codes.verifyLink(*otpId, address, device, asker, sessions.sessionEnd());
    if (address && result.outcome == VerifyOutcome::Unknown) {
        throw ApiError(ErrorCode::InvalidOtp).detail("The link was not sent to this address.");
    }
    if (result.outcome == VerifyOutcome::NeedsFactor) rejectForFactor(result);
    if (!result.signIn) rejectLink(result.outcome);
    http::Response response = signedIn(sessions, *result.signIn, delivery);
    http::clearCookie(response, kAskerCookie);
    return response;
}

}  // namespace otpgate::api
