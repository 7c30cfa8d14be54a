// POST /api/v1/auth/login, login/otp-verify, forgot-password, password-reset and password-change.
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

using domain::PasswordOutcome;
using domain::Purpose;
using http::ApiError;
using http::ErrorCode;

namespace {

void rejectUnlessRight(const domain::CheckedPassword& checked) {
    switch (checked.outcome) {
    case PasswordOutcome::Right: return;
    case PasswordOutcome::Wrong: throw ApiError(ErrorCode::InvalidCredentials);
    case PasswordOutcome::ClientLimited: throw limitError(ErrorCode::RateLimit, checked.limit);
    case PasswordOutcome::TooManyFailures:
        throw ApiError(ErrorCode::MaxRetriesExceeded)
            .detail(
                "There were too many wrong guesses in a row. Sign in without a password, by the link that we send.");
    case PasswordOutcome::Limited:
        throw limitError(ErrorCode::MaxRetriesExceeded, checked.limit)
            .detail("There were too many tries. Please try again later.");
    }
}

ApiError needsFactorToReset() {
    return ApiError(ErrorCode::InsufficientUserAuthentication)
        .detail("A code alone does not change the password of this account.");
}

http::Response resetByToken(domain::OtpService& codes, domain::PasswordService& passwords, const http::Request& request,
                            http::JsonBody& body, const std::string& token,
                            const std::optional<std::string>& password) {
    const auto otpId = codes.parseReceipt(token, Purpose::Reset);
    const auto user = otpId ? passwords.findByReset(*otpId) : std::nullopt;
    if (!user) body.noteInvalid("reset_token", kBadToken);
    if (user && password) noteRefusal(body, "password", passwords.reasonToRefuse(*password, *user));
    body.rejectInvalid();

    if (user->hasFactor) throw needsFactorToReset();
    if (!passwords.reset(*otpId, passwords.hash(*password), clientOf(request))) {
        throw ApiError(ErrorCode::ValidationError).field("reset_token", std::string{kBadToken});
    }
    return messageResponse("Your password has been changed. Please sign in with the new one.");
}

http::Response resetByCode(domain::OtpService& codes, domain::SessionService& sessions,
                           domain::PasswordService& passwords, const ApiSettings& settings,
                           const http::Request& request, http::JsonBody& body,
                           const std::optional<std::string>& password) {
    const auto reference = readOtpReference(settings, body, Purpose::Reset);
    const auto guess = readGuess(body);
    const auto asker = askerOf(sessions, request, body);
    // Of the owner only the address is used, which the caller knows: a refusal must not tell a name.
    if (password) {
        noteRefusal(body, "password", passwords.reasonToRefuse(*password, reference.destination));
    }
    body.rejectInvalid();

    // Hashed before the code is spent: where the hashes are queueing, the code is good for another try.
    const std::string hash = passwords.hash(*password);
    const auto reset = passwords.resetByCode(codes, reference, guess, hash, asker);
    rejectUnlessVerified(reset.code);
    if (reset.needsFactor) throw needsFactorToReset();
    if (!reset.isDone) throw ApiError(ErrorCode::InvalidOtp);
    return messageResponse("Your password has been changed. Please sign in with the new one.");
}

}  // namespace

http::Response loginByPassword(const http::Request& request, domain::OtpService& codes,
                               domain::SessionService& sessions, domain::PasswordService& passwords,
                               const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto destination = readDestination(settings, body, "email");
    const auto password = body.requiredString("password");
    const auto locale = readLocale(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    rejectUnlessRight(passwords.check(*destination, password, asker));
    const domain::OtpQuestion question{*destination, Purpose::Login, locale, "pwd otp"};
    const auto otp = codes.request(question, asker);
    rejectUnlessAccepted(otp);
    return otpRequested(codes, question, otp);
}

http::Response verifyLogin(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                           const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto reference = readOtpReference(settings, body, Purpose::Login);
    const auto guess = readGuess(body);
    const auto device = readDevice(body);
    const auto delivery = readTokenDelivery(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const auto result = codes.verify(reference, guess, device, asker, sessions.sessionEnd());
    rejectUnlessVerified(result);
    return signedIn(sessions, result.signIn.value(), delivery);
}

http::Response forgotPassword(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                              const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto destination = readDestination(settings, body, "email");
    const auto locale = readLocale(body);
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    // Always the same, even where other routes reveal who has an account.
    const domain::OtpQuestion question{*destination, Purpose::Reset, locale, "otp", domain::Disclosure::Hide};
    const auto otp = codes.request(question, asker);
    rejectUnlessAccepted(otp);
    return otpRequested(codes, question, otp);
}

http::Response resetPassword(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                             domain::PasswordService& passwords, const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto password = readNewPassword(body, "password");
    const auto token = body.string("reset_token");
    return token ? resetByToken(codes, passwords, request, body, *token, password)
                 : resetByCode(codes, sessions, passwords, settings, request, body, password);
}

http::Response changePassword(const http::Request& request, const Caller& caller, domain::PasswordService& passwords) {
    http::JsonBody body(request);
    const auto current = body.requiredString("current_password");
    const auto password = readNewPassword(body, "new_password");
    if (password) noteRefusal(body, "new_password", passwords.reasonToRefuse(*password, caller.user));
    if (!caller.user.hasPassword) {
        body.noteInvalid("current_password", "there is none yet: set one by way of forgot-password");
    }
    body.rejectInvalid();

    const domain::Asker asker{clientOf(request), caller.session.deviceId};
    rejectUnlessRight(passwords.change(caller.user, caller.session, current, *password, asker));
    return messageResponse("Your password has been changed.");
}

}  // namespace otpgate::api
