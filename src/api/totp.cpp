// /api/v1/auth/totp, /api/v1/auth/recovery-codes and /api/v1/auth/second-step: authenticator apps (RFC 6238), and what
// takes their place when they are lost.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "api/passkey_fields.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/qr_code.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/totp_rules.h"
#include "otpgate/domain/username.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

constexpr std::size_t kMaxTokenBytes = 400;

ApiError noSuchTotp() {
    return ApiError(ErrorCode::NotFound).detail("You have no authenticator app with this id.");
}

// The members of an object that has been begun.
void writeTotp(http::JsonWriter& json, const domain::Totp& totp) {
    json.member("id", totp.id.toString())
        .member("name", totp.name)
        .member("created_at", formatRfc3339(totp.createdAt))
        .member("last_used_at", optionalTime(totp.lastUsedAt));
}

void rejectUnlessTotpAdded(const domain::AddedTotp& added) {
    using Outcome = domain::AddedTotp::Outcome;
    switch (added.outcome) {
    case Outcome::Added: return;
    case Outcome::BadToken: throw ApiError(ErrorCode::ValidationError).field("token", std::string{kBadToken});
    case Outcome::WrongCode: throw ApiError(ErrorCode::InvalidOtp);
    case Outcome::KnownAlready:
        throw ApiError(ErrorCode::Conflict).detail("This authenticator app is known here already.");
    case Outcome::TooMany:
        throw ApiError(ErrorCode::Conflict)
            .detail("You have " + std::to_string(domain::kMaxTotps) + " authenticator apps. Remove one first.");
    case Outcome::NeedsFactor: throw ApiError(ErrorCode::InsufficientUserAuthentication);
    case Outcome::SessionEnded: throw ApiError(ErrorCode::InvalidToken);
    }
}

void rejectUnlessStepTaken(const domain::SecondStepVerdict& verdict) {
    using Outcome = domain::SecondStepVerdict::Outcome;
    switch (verdict.outcome) {
    case Outcome::SignedIn: return;
    case Outcome::BadToken:
        throw ApiError(ErrorCode::ValidationError).field("second_step_token", std::string{kBadToken});
    case Outcome::Wrong: throw ApiError(ErrorCode::InvalidOtp);
    case Outcome::Limited: throw limitError(ErrorCode::MaxRetriesExceeded, verdict.limit);
    case Outcome::TooManyFailures:
        throw ApiError(ErrorCode::MaxRetriesExceeded)
            .detail(
                "There were too many wrong codes in a row. Sign in with a passkey, or ask the people who run this "
                "site.");
    case Outcome::AccountDisabled: throw ApiError(ErrorCode::AccountDisabled);
    }
}

// As people type it; what is no code is a wrong one.
std::string readAppCode(http::JsonBody& body) {
    return domain::parseCode(body.requiredString("otp")).value_or("");
}

}  // namespace

http::Response inviteTotp(const http::Request&, const Caller& caller, domain::TotpService& totps,
                          const ApiSettings& settings) {
    const domain::User& user = caller.user;
    const std::string account = user.email ? *user.email : user.phoneNumber.value_or(domain::shownUsername(user));
    const std::string site = settings.page.name.empty() ? std::string{hostOf(settings.publicUrl)} : settings.page.name;
    const auto invitation = totps.invite(user.id);
    const std::string uri = domain::totpUri(invitation.secret, site, account);
    http::JsonWriter json;
    json.beginObject()
        .member("token", invitation.token)
        .member("secret", toBase32(invitation.secret))
        .member("uri", uri);
    json.key("qr").beginArray();
    for (const std::string& row : qrCodeOf(uri)) json.value(row);
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response addTotp(const http::Request& request, const Caller& caller, domain::TotpService& totps) {
    http::JsonBody body(request);
    const std::string token = body.requiredString("token", kMaxTokenBytes);
    const std::string code = readAppCode(body);
    const std::string name = readPasskeyName(body);
    body.rejectInvalid();
    const auto added = totps.add(caller, token, code, name, clientOf(request));
    rejectUnlessTotpAdded(added);
    http::JsonWriter json;
    json.beginObject();
    writeTotp(json, added.totp.value());
    json.endObject();
    return jsonResponse(201, json);
}

http::Response listTotps(const http::Request&, const Caller& caller, domain::TotpService& totps) {
    http::JsonWriter json;
    json.beginObject().key("authenticators").beginArray();
    for (const domain::Totp& totp : totps.list(caller.user.id)) {
        json.beginObject();
        writeTotp(json, totp);
        json.endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response removeTotp(const http::Request& request, const Caller& caller, domain::TotpService& totps) {
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id || !totps.remove(*id, caller, clientOf(request))) throw noSuchTotp();
    return http::Response::noContent();
}

http::Response takeSecondStep(const http::Request& request, domain::SessionService& sessions,
                              domain::TotpService& totps, domain::RecoveryService& recovery) {
    http::JsonBody body(request);
    const std::string token = body.requiredString("second_step_token", kMaxTokenBytes);
    const auto recoveryCode = body.string("recovery_code");
    const bool addsFactor = body.boolean("add_factor").value_or(false);
    const bool isLimited = recoveryCode || addsFactor;
    const std::string code = isLimited ? "" : readAppCode(body);
    const auto wish = body.boolean("trust_device").value_or(false) ? domain::TrustWish::Trust : domain::TrustWish::None;
    const auto device = readDevice(body);
    const auto delivery = readTokenDelivery(body);
    // It is for a page that adds a factor; a token would be taken for more by whoever verifies it himself.
    if (isLimited && delivery != TokenDelivery::Cookie)
        body.noteInvalid("session", "must be cookie where only a factor may be added");
    const auto asker = askerOf(sessions, request, body);
    body.rejectInvalid();

    const auto verdict = recoveryCode ? recovery.signIn(token, *recoveryCode, device, asker)
                         : addsFactor ? totps.signInToAddFactor(token, device, asker)
                                      : totps.signIn(token, code, device, asker, wish);
    rejectUnlessStepTaken(verdict);
    return signedIn(sessions, verdict.signIn.value(), delivery);
}

http::Response showRecoveryCodes(const http::Request&, const Caller& caller, domain::RecoveryService& recovery) {
    const auto state = recovery.state(caller.user.id);
    http::JsonWriter json;
    json.beginObject()
        .member("left", std::int64_t{state.left})
        .member("created_at", optionalTime(state.madeAt))
        .endObject();
    return jsonResponse(200, json);
}

http::Response makeRecoveryCodes(const http::Request&, const Caller& caller, domain::RecoveryService& recovery) {
    if (!caller.user.hasFactor) {
        throw ApiError(ErrorCode::Conflict)
            .detail("Add a passkey or an authenticator app first: recovery codes are for when it is lost.");
    }
    const auto made = recovery.make(caller.user.id);
    if (made.limit) throw limitError(ErrorCode::RateLimit, made.limit);
    http::JsonWriter json;
    json.beginObject().key("codes").beginArray();
    for (const std::string& code : made.codes) json.value(code);
    json.endArray().endObject();
    return jsonResponse(201, json);
}

http::Response confirmRecoveryCodes(const http::Request& request, const Caller& caller,
                                    domain::RecoveryService& recovery) {
    http::JsonBody body(request);
    const std::string code = body.requiredString("code");
    body.rejectInvalid();
    const auto kept = recovery.confirm(caller, code, clientOf(request));
    if (kept.limit) throw limitError(ErrorCode::RateLimit, kept.limit);
    if (!kept.isDone) throw ApiError(ErrorCode::InvalidOtp);
    return http::Response::noContent();
}

}  // namespace otpgate::api
