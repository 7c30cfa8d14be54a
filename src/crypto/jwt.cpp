#include "otpgate/crypto/jwt.h"

#include "crypto/claims.h"
#include "crypto/signing_key.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/numeric_date.h"

namespace otpgate::crypto {
namespace {

using std::chrono::seconds;

constexpr seconds kNotBeforeLeeway{30};
constexpr std::string_view kTokenType = "access";
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999: beyond, microseconds would overflow

std::string makePayload(const AccessClaims& claims) {
    std::string json;
    const auto member = [&](std::string_view name, const std::string& text) {
        json.append(json.empty() ? "{\"" : ",\"").append(name).append("\":");
        appendJsonString(json, text);
    };
    const auto time = [&](std::string_view name, Timestamp value) {
        json.append(",\"").append(name).append("\":").append(std::to_string(numericDate(value)));
    };
    member("iss", claims.issuer);
    member("aud", claims.audience);
    member("sub", claims.subject);
    member("sid", claims.sessionId);
    member("jti", claims.tokenId);
    time("iat", claims.issuedAt);
    time("nbf", claims.issuedAt);
    time("exp", claims.expiresAt);
    json += ",\"amr\":[";
    for (const std::string& method : claims.methods) {
        if (json.back() != '[') json += ',';
        appendJsonString(json, method);
    }
    json += ']';
    time("auth_time", claims.authTime);
    const std::string level = std::to_string(claims.assuranceLevel);
    json.append(R"(,"acr":"urn:otpgate:aal)").append(level).append(R"(","aal":)").append(level);
    json.append(R"(,"token_type":")").append(kTokenType).append("\"}");
    return json;
}

struct TokenParts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
    std::string_view signingInput;  // header and payload with the dot between them
};

std::optional<TokenParts> partsOf(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return TokenParts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                      token.substr(0, second)};
}

bool isText(const Claims& claims, std::string_view name, std::string_view expected) {
    const auto* text = findClaim<std::string>(claims, name);
    return text != nullptr && *text == expected;
}

bool readText(const Claims& claims, std::string_view name, std::string& out) {
    const auto* text = findClaim<std::string>(claims, name);
    if (text != nullptr) out = *text;
    return text != nullptr;
}

bool readTime(const Claims& claims, std::string_view name, Timestamp& out) {
    const auto* value = findClaim<std::int64_t>(claims, name);
    if (value == nullptr || *value < 0 || *value > kLastSecond) return false;
    out = Timestamp{seconds{*value}};
    return true;
}

}  // namespace

std::string SigningKey::sign(const AccessClaims& claims) const {
    return seal(keys_->header, makePayload(claims));
}

std::string SigningKey::sign(std::string_view payload, std::string_view typ) const {
    if (typ == kPlainType) return seal(keys_->header, payload);
    const std::string header = headerOf(keys_->algorithm, keys_->id, typ);
    return seal(toBase64Url(header), payload);
}

std::string SigningKey::seal(std::string token, std::string_view payload) const {
    token.append(".").append(toBase64Url(payload));
    const std::string signature = keys_->sign(token);
    return token.append(".").append(toBase64Url(signature));
}

void JwtClaims::begin(std::string_view name) {
    if (json_.size() > 1) json_ += ',';
    appendJsonString(json_, name);
    json_ += ':';
}

JwtClaims& JwtClaims::text(std::string_view name, std::string_view value) {
    begin(name);
    appendJsonString(json_, value);
    return *this;
}

JwtClaims& JwtClaims::texts(std::string_view name, const std::vector<std::string>& values) {
    begin(name);
    json_ += '[';
    for (const std::string& value : values) {
        if (json_.back() != '[') json_ += ',';
        appendJsonString(json_, value);
    }
    json_ += ']';
    return *this;
}

JwtClaims& JwtClaims::number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
}

JwtClaims& JwtClaims::flag(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

JwtClaims& JwtClaims::raw(std::string_view name, std::string_view json) {
    begin(name);
    json_ += json;
    return *this;
}

// What a stranger wrote is compared with the header that we would have written, not interpreted.
std::optional<std::string> keyIdOf(std::string_view token, SigningAlgorithm algorithm) {
    const auto parts = partsOf(token);
    if (!parts || parts->header.size() > kMaxHeaderLength) return std::nullopt;
    const auto header = parseBase64Url(parts->header);
    // What stands before the key id and behind it.
    const std::string frame = headerOf(algorithm, {}, kPlainType);
    const std::size_t before = frame.find(kKeyIdMember) + kKeyIdMember.size();
    const std::size_t behind = frame.size() - before;
    if (!header || header->size() <= frame.size()) return std::nullopt;
    std::string keyId = header->substr(before, header->size() - frame.size());
    const bool isOurs = header->starts_with(std::string_view{frame}.substr(0, before)) &&
                        header->ends_with(std::string_view{frame}.substr(before)) &&
                        header->size() == before + keyId.size() + behind;
    if (!isOurs || !isKeyId(keyId)) return std::nullopt;
    return keyId;
}

namespace {

// Of a token that the key has signed, with the header that it signs with.
std::optional<Claims> verifiedClaims(std::string_view token, const SigningKey& key) {
    const auto parts = partsOf(token);
    // The same header means the same key id and the key's own algorithm: the token chooses nothing.
    if (!parts || keyIdOf(token, key.algorithm()) != key.id()) return std::nullopt;
    const auto signature = parseBase64Url(parts->signature);
    if (!signature || !key.verify(parts->signingInput, *signature)) return std::nullopt;
    const auto payload = parseBase64Url(parts->payload);
    return payload ? parseClaims(*payload) : std::nullopt;
}

}  // namespace

std::optional<AccessClaims> verifyAccessToken(std::string_view token, const SigningKey& key, std::string_view issuer,
                                              std::string_view audience, Timestamp now) {
    if (key.algorithm() != SigningAlgorithm::Es256) return std::nullopt;
    const auto claims = verifiedClaims(token, key);
    if (!claims) return std::nullopt;
    AccessClaims access;
    Timestamp notBefore;
    const auto* methods = findClaim<std::vector<std::string>>(*claims, "amr");
    const bool isComplete = readText(*claims, "iss", access.issuer) && readText(*claims, "aud", access.audience) &&
                            readText(*claims, "sub", access.subject) && readText(*claims, "sid", access.sessionId) &&
                            readText(*claims, "jti", access.tokenId) && readTime(*claims, "iat", access.issuedAt) &&
                            readTime(*claims, "nbf", notBefore) && readTime(*claims, "exp", access.expiresAt) &&
                            methods != nullptr && readTime(*claims, "auth_time", access.authTime) &&
                            isText(*claims, "token_type", kTokenType);
    if (!isComplete || access.issuer != issuer || access.audience != audience) return std::nullopt;
    if (now + kNotBeforeLeeway < notBefore || now >= access.expiresAt) return std::nullopt;
    access.methods = *methods;
    // A version before this one wrote none.
    if (const auto* level = findClaim<std::int64_t>(*claims, "aal")) access.assuranceLevel = *level == 2 ? 2 : 1;
    return access;
}

std::optional<IdTokenHint> readIdTokenHint(std::string_view token, const SigningKey& key, std::string_view issuer) {
    const auto claims = verifiedClaims(token, key);
    if (!claims) return std::nullopt;
    IdTokenHint hint;
    // An access token of the API is no hint: nobody but its owner has seen it.
    const bool isOne = isText(*claims, "iss", issuer) && readText(*claims, "aud", hint.audience) &&
                       readText(*claims, "sub", hint.subject) && readText(*claims, "sid", hint.sessionId) &&
                       !claims->contains("token_type");
    return isOne ? std::optional{std::move(hint)} : std::nullopt;
}

}  // namespace otpgate::crypto
