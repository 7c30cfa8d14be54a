// What several routes answer about codes and sign-ins.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

// Throws the ApiError of a request for a code, or of a guess, that did not succeed.
void rejectUnlessAccepted(const domain::RequestedOtp& otp);
void rejectUnlessVerified(const domain::VerifiedOtp& result);
// A right code, of an account that wants more: with what the second step takes, where that is a code too.
[[noreturn]] void rejectForFactor(const domain::VerifiedOtp& result);

// 202: otp_id, channel, purpose, destination_masked, means, expires_in, resend_in, message; and how the limit stands.
// Where a link is sent, the cookie by which the browser that asked for it is known.
http::Response otpRequested(const domain::OtpService& codes, const domain::OtpQuestion& question,
                            const domain::RequestedOtp& otp);

// How a sign-in hands over the session: tokens in the body (applications), or a cookie and a CSRF token (browsers).
enum class TokenDelivery { Body, Cookie };
// `session`: "cookie" or absent.
TokenDelivery readTokenDelivery(http::JsonBody& body);
http::Response signedIn(const domain::SessionService& sessions, const domain::SignIn& signIn, TokenDelivery delivery);

// 200 for a code that was not for a login: what was verified, and the receipt of register and reset.
http::Response otpVerified(const domain::OtpService& codes, const domain::VerifiedOtp& result);

}  // namespace otpgate::api
