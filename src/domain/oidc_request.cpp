#include "otpgate/domain/oidc_request.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/domain/assurance.h"

#include <algorithm>
#include <array>

namespace otpgate::domain {

namespace {

constexpr std::size_t kMostNonceBytes = 500;
constexpr std::size_t kChallengeCharacters = 43;  // 32 bytes in base64url
constexpr std::size_t kShortestVerifier = 43;
constexpr std::size_t kLongestVerifier = 128;
constexpr std::size_t kMostAcrs = 10;

constexpr std::string_view kPhishingResistant = "phr";  // OpenID EAP ACR Values 1.0
constexpr std::string_view kPhishingResistantInHardware = "phrh";

// Those that may come once only.
constexpr std::array<std::string_view, 15> kKnown{
    "response_type",         "scope",         "state",      "nonce",   "code_challenge",
    "code_challenge_method", "response_mode", "prompt",     "max_age", "login_hint",
    "id_token_hint",         "ui_locales",    "acr_values", "request", "request_uri"};

std::vector<std::string_view> wordsIn(std::string_view text) {
    auto words = split(text, ' ');
    std::erase(words, std::string_view{});
    return words;
}

bool hasWord(std::string_view text, std::string_view word) {
    const auto words = wordsIn(text);
    return std::ranges::find(words, word) != words.end();
}

// Reads what the application may ask for, once it is known whom to answer.
class Reader {
public:
    Reader(const Parameters& parameters, const OidcClient& client, std::string redirectUri)
        : parameters_(parameters),
          client_(client) {
        request_.clientId = client.id;
        request_.redirectUri = std::move(redirectUri);
        request_.state = text("state");
        if (text("response_mode") == "form_post") request_.mode = ResponseMode::FormPost;
    }

    AuthorizeRuling read() {
        const auto repeated =
            std::ranges::find_if(kKnown, [&](std::string_view name) { return isRepeated(parameters_, name); });
        if (repeated != kKnown.end()) return error("invalid_request", std::string{*repeated} + " came twice");
        if (auto refused = readForm()) return std::move(*refused);
        if (auto refused = readChallenge()) return std::move(*refused);
        if (auto refused = readWishes()) return std::move(*refused);
        return std::move(request_);
    }

private:
    using Refused = std::optional<AuthorizeError>;

    std::string text(std::string_view name) const { return findParameter(parameters_, name).value_or(""); }

    AuthorizeError error(std::string code, std::string description) const {
        return {request_.redirectUri, request_.state, request_.mode, std::move(code), std::move(description)};
    }

    Refused readForm() {
        if (!text("request").empty()) return error("request_not_supported", "request objects are not read here");
        if (!text("request_uri").empty()) return error("request_uri_not_supported", "request_uri is not read here");
        if (!text("registration").empty())
            return error("registration_not_supported", "clients are registered by the operator");
        const std::string type = text("response_type");
        if (type.empty()) return error("invalid_request", "response_type is missing");
        if (type != "code") return error("unsupported_response_type", "response_type is code here");
        const std::string mode = text("response_mode");
        if (!mode.empty() && mode != "query" && mode != "form_post")
            return error("invalid_request", "response_mode is query or form_post here");
        request_.scopes = parseScopes(text("scope"));
        if (!has(request_.scopes, OidcScope::OpenId)) return error("invalid_scope", "the scope openid is needed");
        request_.nonce = text("nonce");
        if (request_.nonce.size() > kMostNonceBytes) return error("invalid_request", "nonce is longer than 500 bytes");
        return std::nullopt;
    }

    Refused readChallenge() {
        request_.challenge = text("code_challenge");
        const std::string method = text("code_challenge_method");
        if (request_.challenge.empty()) {
            if (!method.empty()) return error("invalid_request", "code_challenge is missing");
            if (client_.needsPkce) return error("invalid_request", "PKCE is needed: code_challenge is missing");
            return std::nullopt;
        }
        // Without a method it would be plain (RFC 7636, section 4.3), which proves nothing to whoever reads requests.
        if (method != "S256") return error("invalid_request", "code_challenge_method is S256 here");
        const auto bytes = parseBase64Url(request_.challenge);
        if (request_.challenge.size() != kChallengeCharacters || !bytes)
            return error("invalid_request", "code_challenge is no SHA-256 in base64url");
        return std::nullopt;
    }

    Refused readWishes() {
        const std::string prompt = text("prompt");
        request_.isSilent = hasWord(prompt, "none");
        if (request_.isSilent && wordsIn(prompt).size() > 1)
            return error("invalid_request", "prompt=none stands alone");
        request_.wantsSignIn = hasWord(prompt, "login") || hasWord(prompt, "select_account");
        request_.wantsConsent = hasWord(prompt, "consent");
        if (const std::string age = text("max_age"); !age.empty()) {
            const auto seconds = parseNumber<std::uint32_t>(age);
            if (!seconds) return error("invalid_request", "max_age is no number of seconds");
            request_.maxAge = std::chrono::seconds{*seconds};
        }
        request_.loginHint = text("login_hint");
        request_.idTokenHint = text("id_token_hint");
        request_.locales = text("ui_locales");
        const std::string acrs = text("acr_values");
        for (const std::string_view acr : wordsIn(acrs)) {
            if (request_.acrs.size() < kMostAcrs) request_.acrs.emplace_back(acr);
        }
        if (const auto since = parseNumber<std::int64_t>(text(kSignedInSince)))
            request_.signedInSince = fromMicroseconds(*since);
        return std::nullopt;
    }

    const Parameters& parameters_;
    const OidcClient& client_;
    AuthorizeRequest request_;
};

// Whether a sign-in by these methods is what the name stands for; nullopt for a name that is not ours.
std::optional<bool> meets(std::string_view acr, std::string_view methods) {
    const bool isTwo = assuranceOf(methods) == AssuranceLevel::Two;
    if (acr == toUrn(AssuranceLevel::One)) return true;
    if (acr == toUrn(AssuranceLevel::Two)) return isTwo;
    if (acr == kPhishingResistant) return hasWord(methods, "hwk") || hasWord(methods, "swk");
    if (acr == kPhishingResistantInHardware) return hasWord(methods, "hwk");
    return std::nullopt;
}

// Form-decoding (RFC 6749, appendix B). nullopt for a % without two hexadecimal digits.
std::optional<std::string> formDecoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const auto byte = parseHex(toLower(text.substr(i + 1, 2)));
        if (!byte || byte->size() != 1) return std::nullopt;
        decoded += *byte;
        i += 2;
    }
    return decoded;
}

// Standard base64, with its padding or without.
std::optional<std::string> base64Decoded(std::string_view text) {
    std::string url{text.substr(0, text.find_last_not_of('=') + 1)};
    std::ranges::replace(url, '+', '-');
    std::ranges::replace(url, '/', '_');
    return parseBase64Url(url);
}

std::optional<ShownClient> readBasic(std::string_view authorization) {
    constexpr std::string_view kScheme = "Basic ";
    if (!startsWithIgnoringCase(authorization, kScheme)) return std::nullopt;
    const auto pair = base64Decoded(trim(authorization.substr(kScheme.size())));
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    auto id = formDecoded(std::string_view{*pair}.substr(0, colon));
    auto secret = formDecoded(std::string_view{*pair}.substr(colon + 1));
    if (!id || !secret) return std::nullopt;
    return ShownClient{std::move(*id), std::move(*secret)};
}

}  // namespace

std::optional<std::string> findParameter(const Parameters& parameters, std::string_view name) {
    const auto found = std::ranges::find_if(
        parameters, [&](const auto& parameter) { return parameter.first == name && !parameter.second.empty(); });
    return found == parameters.end() ? std::nullopt : std::optional{found->second};
}

bool isRepeated(const Parameters& parameters, std::string_view name) {
    return std::ranges::count_if(parameters, [&](const auto& parameter) { return parameter.first == name; }) > 1;
}

std::string_view toString(OidcScope scope) {
    switch (scope) {
    case OidcScope::OpenId: return "openid";
    case OidcScope::Profile: return "profile";
    case OidcScope::Email: return "email";
    case OidcScope::Phone: return "phone";
    case OidcScope::Groups: return "groups";
    case OidcScope::OfflineAccess: return "offline_access";
    }
    return "";
}

std::vector<OidcScope> parseScopes(std::string_view text) {
    const auto words = wordsIn(text);
    std::vector<OidcScope> scopes;
    for (const OidcScope scope : kOidcScopes) {
        if (std::ranges::find(words, toString(scope)) != words.end()) scopes.push_back(scope);
    }
    return scopes;
}

std::string toText(const std::vector<OidcScope>& scopes) {
    std::string text;
    for (const OidcScope scope : scopes) text.append(text.empty() ? "" : " ").append(toString(scope));
    return text;
}

bool has(const std::vector<OidcScope>& scopes, OidcScope scope) {
    return std::ranges::find(scopes, scope) != scopes.end();
}

std::vector<OidcScope> inOrder(const std::vector<OidcScope>& scopes) {
    std::vector<OidcScope> ordered;
    for (const OidcScope scope : kOidcScopes) {
        if (has(scopes, scope)) ordered.push_back(scope);
    }
    return ordered;
}

AuthorizeRuling ruleOnAuthorize(const Parameters& parameters, const OidcClient* client) {
    if (isRepeated(parameters, "client_id") || isRepeated(parameters, "redirect_uri"))
        return AuthorizeRefusal::Malformed;
    if (client == nullptr) return AuthorizeRefusal::UnknownClient;
    if (client->isDisabled) return AuthorizeRefusal::DisabledClient;
    auto redirect = findParameter(parameters, "redirect_uri");
    if (!redirect || !isRegistered(client->redirectUris, *redirect)) return AuthorizeRefusal::UnknownRedirect;
    return Reader(parameters, *client, std::move(*redirect)).read();
}

Parameters afterSignIn(const Parameters& parameters, Timestamp now) {
    Parameters next;
    for (const auto& [name, value] : parameters) {
        if (name == kSignedInSince) continue;
        if (name != "prompt") {
            next.emplace_back(name, value);
            continue;
        }
        std::vector<std::string> rest;
        for (const std::string_view word : wordsIn(value)) {
            if (word != "login" && word != "select_account") rest.emplace_back(word);
        }
        if (!rest.empty()) next.emplace_back(name, joined(rest, " "));
    }
    next.emplace_back(kSignedInSince, std::to_string(toMicroseconds(now)));
    return next;
}

SignInNeed needOf(const AuthorizeRequest& request, const BrowserSession* session, Timestamp now) {
    if (session == nullptr) return SignInNeed::SignIn;
    // An account with a factor is nobody's who has not shown it, and one that must have one is nobody's yet.
    if (!opensAccount(session->methods, session->hasFactor) || session->owesFactor) return SignInNeed::TwoFactors;
    const bool isAsked = request.signedInSince && session->authenticatedAt >= *request.signedInSince;
    const bool isTooOld = request.maxAge && now - session->authenticatedAt > *request.maxAge;
    if (!isAsked && (request.wantsSignIn || isTooOld)) return SignInNeed::Anew;
    bool isAnyKnown = false;
    for (const std::string& acr : request.acrs) {
        const auto met = meets(acr, session->methods);
        if (met == true) return SignInNeed::None;
        isAnyKnown = isAnyKnown || met.has_value();
    }
    if (!isAnyKnown) return SignInNeed::None;
    // Who has just been sent to sign in, and did, has no better way: he is not sent there for ever.
    const bool mayDoBetter = session->hasFactor && assuranceOf(session->methods) != AssuranceLevel::Two && !isAsked;
    return mayDoBetter ? SignInNeed::TwoFactors : SignInNeed::Unmet;
}

std::string acrOf(const std::vector<std::string>& asked, std::string_view methods) {
    const auto met =
        std::ranges::find_if(asked, [&](const std::string& acr) { return meets(acr, methods).value_or(false); });
    return met == asked.end() ? std::string{toUrn(assuranceOf(methods))} : *met;
}

std::variant<ShownClient, ClientProof> readClient(std::optional<std::string_view> authorization,
                                                  const Parameters& form) {
    for (const std::string_view name : {"client_id", "client_secret"}) {
        if (isRepeated(form, name)) return ClientProof::Ambiguous;
    }
    const auto id = findParameter(form, "client_id");
    auto secret = findParameter(form, "client_secret");
    if (!authorization) {
        if (!id) return ClientProof::Missing;
        return ShownClient{*id, std::move(secret)};
    }
    auto basic = readBasic(*authorization);
    if (!basic) return ClientProof::Missing;
    if (secret || (id && *id != basic->id)) return ClientProof::Ambiguous;
    return std::move(*basic);
}

bool isProved(const OidcClient& client, const ShownClient& shown) {
    if (client.isDisabled) return false;
    if (!client.secretHash) return !shown.secret || shown.secret->empty();
    return shown.secret && isSecretOf(client, *shown.secret);
}

bool isVerifierOf(std::string_view verifier, std::string_view challenge) {
    const bool isOne = verifier.size() >= kShortestVerifier && verifier.size() <= kLongestVerifier &&
                       std::ranges::all_of(verifier, [](char c) {
                           return isLetterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
                       });
    return isOne && crypto::equalInConstantTime(toBase64Url(crypto::sha256(verifier)), challenge);
}

}  // namespace otpgate::domain
