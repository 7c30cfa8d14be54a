#include "api/otp_answers.h"

#include "api/authentication.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/base/text.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;
using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

namespace {

// Says whether doing the check once more would help.
[[noreturn]] void rejectForChallenge(const domain::RequestedOtp& otp) {
    using domain::HumanVerdict;
    ApiError error = limitError(otp.shown ? ErrorCode::ChallengeFailed : ErrorCode::ChallengeRequired, otp.limit);
    const bool isAnswered = !otp.shown || otp.shown == HumanVerdict::Refused || otp.shown == HumanVerdict::Elsewhere;
    if (!isAnswered) error.detail("The check cannot be looked at right now. Please try again in a moment.");
    throw error.part("challenge", otp.challenge);
}

}  // namespace

void rejectUnlessAccepted(const domain::RequestedOtp& otp) {
    switch (otp.outcome) {
    case RequestOutcome::Accepted:
        if (otp.delivery == domain::Delivery::Failed) throw ApiError(ErrorCode::SendFailed);
        return;
    case RequestOutcome::ClientLimited:
    case RequestOutcome::AccountLimited:
    case RequestOutcome::DestinationLimited: throw limitError(ErrorCode::RateLimit, otp.limit);
    case RequestOutcome::WorkNeeded: rejectForChallenge(otp);
    case RequestOutcome::UserNotFound: throw ApiError(ErrorCode::UserNotFound);
    case RequestOutcome::AccountDisabled: throw ApiError(ErrorCode::AccountDisabled);
    }
}

void rejectUnlessVerified(const domain::VerifiedOtp& result) {
    switch (result.outcome) {
    case VerifyOutcome::Verified: return;
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
    case VerifyOutcome::NeedsFactor: rejectForFactor(result);
    }
}

void rejectForFactor(const domain::VerifiedOtp& result) {
    ApiError error(ErrorCode::InsufficientUserAuthentication);
    if (!result.secondStepToken.empty()) {
        error.member("second_step_token", result.secondStepToken);
        if (result.takesTotp)
            error.detail("The code is right. This account wants the code of your authenticator app as well.");
        if (result.addsFactor)
            error.detail("The code is right. This account must have a passkey or an authenticator app: add one first.");
        std::vector<std::string> ways;
        if (result.takesTotp) ways.emplace_back("totp");
        if (result.takesRecoveryCode) ways.emplace_back("recovery_code");
        if (result.addsFactor) ways.emplace_back("add_factor");
        error.member("second_step", joined(ways, " "));
    }
    throw error;
}

http::Response otpRequested(const domain::OtpService& codes, const domain::OtpQuestion& question,
                            const domain::RequestedOtp& otp) {
    const std::string masked = question.destination.masked();
    const bool isLink = otp.means == domain::Means::Link;
    const std::string message = (isLink ? "A link is on its way to " : "A code is on its way to ") + masked + ".";
    http::JsonWriter json;
    json.beginObject()
        .member("otp_id", otp.id.toString())
        .member("channel", domain::toString(question.destination.channel()))
        .member("purpose", domain::toString(question.purpose))
        .member("destination_masked", masked);
    // Older clients know the members of a code, and no other.
    if (otp.means != domain::Means::Code) json.member("means", domain::toString(otp.means));
    json.member("expires_in", otp.expiresIn.count())
        .member("resend_in", otp.resendIn.count())
        .sentence("message", message)
        .sentence("detail", message)
        .endObject();
    http::Response response = withLimit(jsonResponse(202, json), otp.limit);
    if (otp.means != domain::Means::Code) {
        http::setCookie(response, kAskerCookie, codes.askerProofOf(otp.id), otp.expiresIn);
    }
    return response;
}

TokenDelivery readTokenDelivery(http::JsonBody& body) {
    const auto session = body.string("session");
    if (session && *session != "cookie") body.noteInvalid("session", "must be cookie, or absent");
    return session ? TokenDelivery::Cookie : TokenDelivery::Body;
}

http::Response signedIn(const domain::SessionService& sessions, const domain::SignIn& signIn, TokenDelivery delivery) {
    const std::string deviceToken = sessions.deviceTokenOf(signIn.deviceId);
    http::JsonWriter json;
    json.beginObject();
    if (delivery == TokenDelivery::Cookie) {
        json.member("csrf_token", sessions.csrfTokenOf(signIn.sessionId))
            .member("expires_in", sessions.cookieLifetime(signIn.methods).count())
            .member("session_id", signIn.sessionId.toString());
    } else {
        writeTokens(json, sessions.issueFirst(signIn));
        json.member("device_token", deviceToken);
    }
    json.sentence("detail", "You are signed in.").member("is_new_user", signIn.isNewUser);
    if (const auto dueAt = sessions.factorDueAt(signIn.user)) json.member("factor_due_at", formatRfc3339(*dueAt));
    json.key("user");
    writeUser(json, signIn.user);
    json.endObject();

    http::Response response = jsonResponse(200, json);
    http::setCookie(response, kDeviceCookie, deviceToken, kDeviceCookieLifetime);
    if (delivery == TokenDelivery::Cookie) {
        http::setCookie(response, kSessionCookie, sessions.cookieOf(signIn.sessionId),
                        sessions.cookieLifetime(signIn.methods));
    }
    return response;
}

http::Response otpVerified(const domain::OtpService& codes, const domain::VerifiedOtp& result) {
    http::JsonWriter json;
    json.beginObject();
    switch (result.purpose) {
    case domain::Purpose::Register:
        json.member("verified_destination", result.destination->value())
            .member("verification_token", codes.receiptOf(result));
        break;
    case domain::Purpose::Reset: json.member("reset_token", codes.receiptOf(result)); break;
    case domain::Purpose::Verify:
    case domain::Purpose::Login:
    case domain::Purpose::Change:
        json.member("verified", true).member("verified_destination", result.destination->value());
        break;
    }
    json.sentence("detail", "The code is verified.").endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
