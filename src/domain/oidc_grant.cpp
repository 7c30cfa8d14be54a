#include "otpgate/domain/oidc_grant.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/numeric_date.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/crypto/signed_token.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/proved.h"
#include "otpgate/domain/session_rules.h"

namespace otpgate::domain {

namespace {

std::optional<std::pair<Uuid, std::int64_t>> openPair(const crypto::KeyRing& ring, crypto::KeyUse use,
                                                      std::string_view text) {
    const auto payload = crypto::openToken(ring, use, text, Uuid::kBytes + crypto::kIntegerBytes);
    if (!payload) return std::nullopt;
    const std::string_view view = *payload;
    return std::pair{Uuid::fromBytes(view.substr(0, Uuid::kBytes)), crypto::unpackInteger(view.substr(Uuid::kBytes))};
}

std::string signPair(const crypto::KeyRing& ring, crypto::KeyUse use, const Uuid& id, std::int64_t number) {
    return crypto::signToken(ring, use, std::string{id.bytes()} + crypto::packInteger(number));
}

}  // namespace

bool isAlive(const GrantInUse& use, Timestamp now) {
    if (use.grant.endedAt || use.grant.expiresAt <= now || use.client.isDisabled || !use.user) return false;
    if (!opensAccount(use.grant.methods, use.user->hasFactor) || !mayUse(use.client, *use.user)) return false;
    return use.sessionIsAlive || has(use.grant.scopes, OidcScope::OfflineAccess);
}

CodeRuling ruleOnCode(const GrantInUse& use, std::string_view clientId, std::string_view redirectUri,
                      std::string_view verifier, Timestamp now) {
    // Whoever shows another's code has it from elsewhere, but must not be able to end the other's grant by it.
    if (use.grant.clientId != clientId) return CodeRuling::Invalid;
    if (use.grant.redeemedAt) return CodeRuling::Reused;
    // The session must be alive, even for what outlasts it.
    if (!isAlive(use, now) || !use.sessionIsAlive || use.grant.createdAt + kOidcCodeLifetime <= now)
        return CodeRuling::Invalid;
    if (!crypto::equalInConstantTime(crypto::sha256(redirectUri), use.grant.redirectHash)) return CodeRuling::Invalid;
    // A verifier without a challenge: somebody took the challenge out of the request (RFC 9700, section 4.8.2).
    const bool isProof = use.grant.challenge.empty() ? verifier.empty() : isVerifierOf(verifier, use.grant.challenge);
    return isProof ? CodeRuling::Good : CodeRuling::Invalid;
}

RotationRuling ruleOnRotation(const GrantInUse& use, std::string_view clientId, std::int64_t counter, Timestamp now) {
    if (use.grant.clientId != clientId || !isAlive(use, now) || !has(use.grant.scopes, OidcScope::OfflineAccess))
        return RotationRuling::Invalid;
    if (use.grant.refreshCounter == counter) return RotationRuling::Good;
    if (use.grant.refreshCounter == counter + 1 && use.grant.rotatedAt > now - kRefreshGrace)
        return RotationRuling::Repeated;
    // A token ahead of the row: the database was restored from an older copy. Nothing is proved by it.
    return use.grant.refreshCounter < counter ? RotationRuling::Invalid : RotationRuling::Reused;
}

std::string oidcCodeOf(const crypto::KeyRing& ring, const Uuid& grantId) {
    return crypto::signToken(ring, crypto::KeyUse::OidcCode, grantId.bytes());
}

std::optional<Uuid> parseOidcCode(const crypto::KeyRing& ring, std::string_view text) {
    const auto payload = crypto::openToken(ring, crypto::KeyUse::OidcCode, text, Uuid::kBytes);
    return payload ? std::optional{Uuid::fromBytes(*payload)} : std::nullopt;
}

std::string toText(const crypto::KeyRing& ring, const OidcRefreshToken& token) {
    return signPair(ring, crypto::KeyUse::OidcRefreshToken, token.grantId, token.counter);
}

std::optional<OidcRefreshToken> parseOidcRefreshToken(const crypto::KeyRing& ring, std::string_view text) {
    const auto pair = openPair(ring, crypto::KeyUse::OidcRefreshToken, text);
    return pair ? std::optional{OidcRefreshToken{pair->first, pair->second}} : std::nullopt;
}

std::string toText(const crypto::KeyRing& ring, const OidcAccessToken& token) {
    return signPair(ring, crypto::KeyUse::OidcAccessToken, token.grantId, toMicroseconds(token.expiresAt));
}

std::optional<OidcAccessToken> parseOidcAccessToken(const crypto::KeyRing& ring, std::string_view text) {
    const auto pair = openPair(ring, crypto::KeyUse::OidcAccessToken, text);
    return pair ? std::optional{OidcAccessToken{pair->first, fromMicroseconds(pair->second)}} : std::nullopt;
}

void addUserClaims(crypto::JwtClaims& claims, const User& user, const std::vector<OidcScope>& scopes) {
    const auto addUnlessEmpty = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) claims.text(name, text);
    };
    if (has(scopes, OidcScope::Profile)) {
        const std::string both = joined({user.firstName, user.lastName}, " ");
        addUnlessEmpty("name", user.displayName.empty() ? std::string{trim(both)} : user.displayName);
        addUnlessEmpty("given_name", user.firstName);
        addUnlessEmpty("family_name", user.lastName);
        claims.text("preferred_username", user.username.value_or(user.id.toString()));
        addUnlessEmpty("locale", user.locale);
        addUnlessEmpty("zoneinfo", user.timeZone);
    }
    if (has(scopes, OidcScope::Email)) {
        if (const auto email = provedEmail(user)) claims.text("email", *email).flag("email_verified", true);
    }
    if (has(scopes, OidcScope::Phone)) {
        if (const auto number = provedPhoneNumber(user))
            claims.text("phone_number", *number).flag("phone_number_verified", true);
    }
    if (has(scopes, OidcScope::Groups)) claims.texts("groups", user.groups);
}

std::string idTokenClaims(const OidcGrant& grant, const User& user, const IdTokenFacts& facts) {
    crypto::JwtClaims claims;
    claims.text("iss", facts.issuer).text("sub", user.id.toString()).text("aud", grant.clientId);
    claims.number("iat", numericDate(facts.now)).number("exp", numericDate(facts.now + facts.lifetime));
    claims.number("auth_time", numericDate(grant.authenticatedAt));
    if (facts.isFirst && !grant.nonce.empty()) claims.text("nonce", grant.nonce);
    claims.text("acr", grant.acr);
    std::vector<std::string> methods;
    for (const std::string_view word : split(grant.methods, ' ')) methods.emplace_back(word);
    claims.texts("amr", methods);
    claims.text("sid", grant.sessionId.toString());
    claims.text("at_hash", toBase64Url(crypto::sha256(facts.accessToken).substr(0, 16)));  // Core, section 3.1.3.6
    addUserClaims(claims, user, grant.scopes);
    return claims.toJson();
}

}  // namespace otpgate::domain
