#include "otpgate/domain/oidc_client.h"

#include "otpgate/base/dot_segment.h"
#include "otpgate/base/random.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/domain/user_group_store.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::size_t kClientSecretCharacters = 43;
constexpr std::size_t kMostIdCharacters = 64;
constexpr std::size_t kMostTitleCharacters = 100;

// What a URI consists of (RFC 3986, section 2), without the # of a fragment, the * that others read as a wildcard, and
// the quotation mark that ends an attribute in a page.
bool isOfAUri(char c) {
    constexpr std::string_view kSigns = "-._~:/?[]@!$&()+,;=%";
    return isLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
}

bool isUri(std::string_view text) {
    return !text.empty() && text.size() <= kMostUriBytes && std::ranges::all_of(text, isOfAUri);
}

// Behind "https://": a name or number, and perhaps a port. No user name.
struct Authority {
    std::string_view host;
    std::string_view port;  // digits
    std::string_view rest;  // of the URI, from / or ? on
};

std::optional<Authority> parseAuthority(std::string_view behindScheme) {
    const auto end = std::min(behindScheme.find_first_of("/?"), behindScheme.size());
    const std::string_view authority = behindScheme.substr(0, end);
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    Authority parsed{authority.substr(0, colon), {}, behindScheme.substr(end)};
    if (colon != std::string_view::npos) {
        parsed.port = authority.substr(colon + 1);
        const auto number = parseNumber<std::uint16_t>(parsed.port);
        if (!number || *number == 0) return std::nullopt;
    }
    // What a browser could read as another host than we do is none.
    const bool isName = !parsed.host.empty() && std::ranges::all_of(parsed.host, [](char c) {
        return isLetterOrDigit(c) || c == '-' || c == '.';
    });
    if (!isName && parsed.host != "[::1]") return std::nullopt;
    return parsed;
}

bool isLoopbackNumber(std::string_view host) {
    return host == "127.0.0.1" || host == "[::1]";
}

// com.example.app:/callback
bool isOfAProgram(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
    const std::string_view scheme = text.substr(0, colon);
    return isLetter(scheme.front()) && scheme.find('.') != std::string_view::npos &&
           std::ranges::all_of(scheme, [](char c) { return isLetterOrDigit(c) || c == '.' || c == '-' || c == '+'; });
}

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

bool isSameButForThePort(std::string_view registered, std::string_view asked) {
    if (!registered.starts_with(kHttp) || !asked.starts_with(kHttp)) return false;
    const auto known = parseAuthority(registered.substr(kHttp.size()));
    const auto other = parseAuthority(asked.substr(kHttp.size()));
    return known && other && isLoopbackNumber(known->host) && known->host == other->host && known->rest == other->rest;
}

bool isTitle(std::string_view text) {
    const auto name = parsePersonName(text);
    return name && !name->empty() && countCharacters(*name) <= kMostTitleCharacters;
}

// What is wrong in a list; nullopt: nothing.
std::optional<std::string> faultIn(const std::vector<std::string>& uris) {
    if (uris.size() > kMostClientUris) return std::string{};
    const auto wrong = std::ranges::find_if_not(uris, isRedirectUri);
    return wrong == uris.end() ? std::nullopt : std::optional{*wrong};
}

}  // namespace

std::string_view toString(ConsentPolicy policy) {
    return policy == ConsentPolicy::Ask ? "ask" : "never";
}

std::optional<ConsentPolicy> parseConsentPolicy(std::string_view text) {
    if (text == "ask") return ConsentPolicy::Ask;
    if (text == "never") return ConsentPolicy::Never;
    return std::nullopt;
}

std::optional<std::string> parseClientId(std::string_view text) {
    const bool isOne = !text.empty() && text.size() <= kMostIdCharacters && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || isDigit(c) || c == '.' || c == '-' || c == '_';
    });
    return isOne && !isDotSegment(text) ? std::optional{std::string{text}} : std::nullopt;
}

std::string makeClientSecret(Random& random) {
    constexpr std::string_view kCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // The bytes from here on would make the first characters likelier than the others.
    constexpr std::size_t kUnfair = 256 - 256 % kCharacters.size();
    std::string secret;
    while (secret.size() < kClientSecretCharacters) {
        std::uint8_t byte = 0;
        random.fill({&byte, 1});
        if (byte < kUnfair) secret += kCharacters[byte % kCharacters.size()];
    }
    return secret;
}

std::string secretHashOf(std::string_view secret) {
    return crypto::sha256(secret);
}

bool isSecretOf(const OidcClient& client, std::string_view secret) {
    return client.secretHash && crypto::equalInConstantTime(*client.secretHash, secretHashOf(secret));
}

bool isRedirectUri(std::string_view text) {
    if (!isUri(text)) return false;
    if (text.starts_with(kHttps)) return parseAuthority(text.substr(kHttps.size())).has_value();
    if (!text.starts_with(kHttp)) return isOfAProgram(text);
    const auto authority = parseAuthority(text.substr(kHttp.size()));
    return authority && (authority->host == "localhost" || isLoopbackNumber(authority->host));
}

std::string formTargetOf(std::string_view redirectUri) {
    const auto scheme = redirectUri.find("://");
    if (scheme == std::string_view::npos || redirectUri[scheme + 3] == '[')
        return std::string{redirectUri.substr(0, redirectUri.find(':') + 1)};
    return std::string{redirectUri.substr(0, redirectUri.find_first_of("/?", scheme + 3))};
}

bool isBackchannelUri(std::string_view text) {
    if (!isUri(text)) return false;
    for (const std::string_view scheme : {kHttps, kHttp}) {
        if (text.starts_with(scheme)) return parseAuthority(text.substr(scheme.size())).has_value();
    }
    return false;
}

bool isRegistered(const std::vector<std::string>& registered, std::string_view asked) {
    return isRedirectUri(asked) && std::ranges::any_of(registered, [&](const std::string& known) {
               return known == asked || isSameButForThePort(known, asked);
           });
}

bool mayUse(const OidcClient& client, const User& user) {
    return client.groups.empty() || std::ranges::find_first_of(client.groups, user.groups) != client.groups.end();
}

ClientKind kindOf(const OidcClient& client) {
    return client.secretHash ? ClientKind::Confidential : ClientKind::Public;
}

std::optional<ClientFault> faultOf(const OidcClient& client, ClientKind kind) {
    if (!isTitle(client.title)) return ClientFault{ClientField::Title};
    if (client.redirectUris.empty()) return ClientFault{ClientField::RedirectUris};
    if (auto part = faultIn(client.redirectUris)) return ClientFault{ClientField::RedirectUris, std::move(*part)};
    if (auto part = faultIn(client.postLogoutUris)) return ClientFault{ClientField::PostLogoutUris, std::move(*part)};
    if (!client.backchannelUri.empty() && !isBackchannelUri(client.backchannelUri))
        return ClientFault{ClientField::BackchannelUri, client.backchannelUri};
    // Nothing else proves that the code is its own.
    if (kind == ClientKind::Public && !client.needsPkce) return ClientFault{ClientField::Pkce};
    const auto wrong =
        std::ranges::find_if_not(client.groups, [](const std::string& name) { return parseGroupName(name) == name; });
    if (wrong != client.groups.end()) return ClientFault{ClientField::Groups, *wrong};
    if (joined(client.groups, ",").size() > kMostGroupNameBytes) return ClientFault{ClientField::Groups};
    return std::nullopt;
}

}  // namespace otpgate::domain
