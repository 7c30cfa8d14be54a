// /api/v1/auth/passkeys and /api/v1/auth/passkey: WebAuthn Level 3.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_answers.h"
#include "api/otp_fields.h"
#include "api/passkey_fields.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/username.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

constexpr std::int64_t kTimeoutMs = std::chrono::milliseconds{domain::kChallengeLifetime}.count();

void requireOffered(const domain::PasskeyService& passkeys) {
    if (!passkeys.areOffered()) throw ApiError(ErrorCode::NotFound).detail("There are no passkeys on this server.");
}

ApiError noSuchPasskey() {
    return ApiError(ErrorCode::NotFound).detail("You have no passkey with this id.");
}

Uuid readId(const http::Request& request) {
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id) throw noSuchPasskey();
    return *id;
}

// The members of an object that has been begun.
void writePasskey(http::JsonWriter& json, const domain::Passkey& passkey) {
    json.member("id", passkey.id.toString())
        .member("credential_id", toBase64Url(passkey.credentialId))
        .member("name", passkey.name)
        .member("synced", passkey.backedUp)
        .member("created_at", formatRfc3339(passkey.createdAt))
        .member("last_used_at", optionalTime(passkey.lastUsedAt));
}

// PublicKeyCredentialDescriptorJSON, section 5.1.9.
void writeDescriptor(http::JsonWriter& json, const domain::Passkey& passkey) {
    json.beginObject().member("type", "public-key").member("id", toBase64Url(passkey.credentialId));
    json.key("transports").beginArray();
    if (!passkey.transports.empty()) {
        for (const std::string_view word : split(passkey.transports, ' ')) json.value(word);
    }
    json.endArray().endObject();
}

// PublicKeyCredentialCreationOptionsJSON. Discoverable, for nobody types an address at the sign-in.
void writeCreationOptions(http::JsonWriter& json, const domain::PasskeyInvitation& invitation, const domain::User& user,
                          const std::string& rpId, const std::string& siteName) {
    const std::string name = user.email ? *user.email : user.phoneNumber.value_or(domain::shownUsername(user));
    json.beginObject().member("challenge", invitation.challenge);
    json.key("rp").beginObject().member("id", rpId).member("name", siteName.empty() ? rpId : siteName).endObject();
    json.key("user").beginObject().member("id", toBase64Url(invitation.userHandle.bytes())).member("name", name);
    json.member("displayName", user.displayName.empty() ? name : user.displayName).endObject();
    json.key("pubKeyCredParams").beginArray();
    for (const crypto::PasskeyAlgorithm algorithm : crypto::kPasskeyAlgorithms) {
        json.beginObject().member("type", "public-key").member("alg", static_cast<std::int64_t>(algorithm)).endObject();
    }
    json.endArray().member("timeout", kTimeoutMs).member("attestation", "none");
    json.key("excludeCredentials").beginArray();
    for (const domain::Passkey& passkey : invitation.known) writeDescriptor(json, passkey);
    json.endArray();
    json.key("authenticatorSelection").beginObject().member("residentKey", "required");
    json.member("requireResidentKey", true).member("userVerification", "preferred").endObject().endObject();
}

void rejectUnlessAdded(const domain::AddedPasskey& added) {
    using Outcome = domain::AddedPasskey::Outcome;
    switch (added.outcome) {
    case Outcome::Added: return;
    case Outcome::Wrong:
        throw ApiError(ErrorCode::ValidationError).field("credential", "is not valid, was used already or is too old");
    case Outcome::KnownAlready: throw ApiError(ErrorCode::Conflict).detail("This passkey is known here already.");
    case Outcome::TooMany:
        throw ApiError(ErrorCode::Conflict)
            .detail("You have " + std::to_string(domain::kMaxPasskeys) + " passkeys. Remove one first.");
    case Outcome::OtherSite:
        throw ApiError(ErrorCode::Conflict, "passkeys.rp_id is not the one that the first passkey was made for")
            .detail("The passkeys here belong to another name of this site. Please tell the people who run it.");
    case Outcome::NeedsFactor: throw ApiError(ErrorCode::InsufficientUserAuthentication);
    case Outcome::SessionEnded: throw ApiError(ErrorCode::InvalidToken);
    }
}

void rejectUnlessSignedIn(const domain::PasskeyVerdict& verdict) {
    using Outcome = domain::PasskeyVerdict::Outcome;
    switch (verdict.outcome) {
    case Outcome::SignedIn: return;
    case Outcome::Unknown:
        throw ApiError(ErrorCode::NotFound).detail("This passkey is not known here. Sign in with a code.");
    case Outcome::Wrong:
        throw ApiError(ErrorCode::InvalidCredentials)
            .detail("The passkey's answer is not right, or came too late. Please try again.");
    case Outcome::Limited: throw limitError(ErrorCode::RateLimit, verdict.limit);
    case Outcome::AccountDisabled: throw ApiError(ErrorCode::AccountDisabled);
    case Outcome::NeedsFactor:
        throw ApiError(ErrorCode::InsufficientUserAuthentication)
            .detail("This passkey did not verify you. Use one with your PIN, fingerprint or face.");
    }
}

}  // namespace

http::Response invitePasskey(const http::Request&, const Caller& caller, domain::PasskeyService& passkeys,
                             const ApiSettings& settings) {
    requireOffered(passkeys);
    http::JsonWriter json;
    json.beginObject().key("publicKey");
    writeCreationOptions(json, passkeys.invite(caller.user), caller.user, passkeys.rpId(), settings.page.name);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response addPasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys) {
    requireOffered(passkeys);
    http::JsonBody body(request);
    const std::string name = readPasskeyName(body);
    auto creation = readCreation(body);
    creation.name = name;
    const auto added = passkeys.add(caller, creation, clientOf(request));
    rejectUnlessAdded(added);
    http::JsonWriter json;
    json.beginObject();
    writePasskey(json, added.passkey.value());
    json.endObject();
    return jsonResponse(201, json);
}

http::Response listPasskeys(const http::Request&, const Caller& caller, domain::PasskeyService& passkeys) {
    http::JsonWriter json;
    json.beginObject().key("passkeys").beginArray();
    for (const domain::Passkey& passkey : passkeys.list(caller.user.id)) {
        json.beginObject();
        writePasskey(json, passkey);
        json.endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response renamePasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys) {
    const Uuid id = readId(request);
    http::JsonBody body(request);
    const std::string name = readPasskeyName(body);
    body.rejectInvalid();
    if (!passkeys.rename(id, caller.user.id, name)) throw noSuchPasskey();
    return http::Response::noContent();
}

http::Response removePasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys) {
    if (!passkeys.remove(readId(request), caller, clientOf(request))) throw noSuchPasskey();
    return http::Response::noContent();
}

http::Response askForPasskey(const http::Request&, const domain::PasskeyService& passkeys) {
    requireOffered(passkeys);
    // The same for everybody: no passkey is named, so nobody learns who has one.
    http::JsonWriter json;
    json.beginObject().key("publicKey").beginObject().member("challenge", passkeys.challenge());
    json.member("rpId", passkeys.rpId()).member("timeout", kTimeoutMs).member("userVerification", "preferred");
    json.key("allowCredentials").beginArray().endArray().endObject().endObject();
    return jsonResponse(200, json);
}

http::Response loginByPasskey(const http::Request& request, domain::SessionService& sessions,
                              domain::PasskeyService& passkeys) {
    requireOffered(passkeys);
    http::JsonBody body(request);
    const auto device = readDevice(body);
    const auto delivery = readTokenDelivery(body);
    const auto asker = askerOf(sessions, request, body);
    const auto assertion = readAssertion(body);

    const auto verdict = passkeys.signIn(assertion, device, asker);
    rejectUnlessSignedIn(verdict);
    return signedIn(sessions, verdict.signIn.value(), delivery);
}

}  // namespace otpgate::api
