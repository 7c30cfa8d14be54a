#include "api/authentication.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/http/accept_language.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"

#include <algorithm>

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

// As browsers write it, RFC 4648, section 4.
std::optional<std::string> decodedBase64(std::string text) {
    while (text.ends_with('=')) text.pop_back();
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return parseBase64Url(text);
}

// The token of `Authorization: <scheme> <token>`; the scheme is case-insensitive (RFC 9110, section 11.1), and there
// may be more blanks than one (section 11.4).
std::optional<std::string_view> tokenOf(std::string_view header, std::string_view scheme) {
    if (!startsWithIgnoringCase(header, scheme) || !header.substr(scheme.size()).starts_with(' ')) return std::nullopt;
    const auto token = header.find_first_not_of(' ', scheme.size());
    if (token == std::string_view::npos) return std::nullopt;
    return header.substr(token, header.find_last_not_of(' ') + 1 - token);
}

std::optional<std::string_view> accessTokenOf(const http::Request& request) {
    const auto header = request.header("authorization");
    if (!header) return std::nullopt;
    for (const std::string_view scheme : {"Bearer", "Token"}) {
        if (const auto token = tokenOf(*header, scheme)) return token;
    }
    return std::nullopt;
}

constexpr std::string_view kApiKeyChallenge = R"(Api-Key realm="otpgate")";

std::optional<std::string_view> apiKeyOf(const http::Request& request) {
    if (const auto key = request.header("x-api-key")) return key;
    const auto header = request.header("authorization");
    return header ? tokenOf(*header, "Api-Key") : std::nullopt;
}

ApiError missingScope(const std::vector<domain::ApiScope>& scopes) {
    std::string names;
    for (const domain::ApiScope scope : scopes) {
        if (!names.empty()) names += " or ";
        names += domain::toString(scope);
    }
    return ApiError(ErrorCode::Forbidden, "no scope " + names).detail("The API key needs the scope " + names + ".");
}

bool isSafe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// A page of the host that was asked, under whatever name it is reached.
bool isOwn(std::string_view origin, const http::Request& request) {
    const auto host = request.header("host");
    const auto scheme = origin.find("://");
    return host && scheme != std::string_view::npos && origin.substr(scheme + 3) == *host;
}

// Nothing is left to it but adding a factor.
bool mayOnlyAddFactors(const Caller& caller) {
    return caller.owesFactor || domain::mayOnlyAddFactors(caller.session.methods);
}

// A page may open the form for it.
ApiError needsFactor(const Caller& caller) {
    ApiError error(ErrorCode::InsufficientUserAuthentication);
    if (caller.owesFactor)
        error.detail("This account must have a second factor: add a passkey or an authenticator app first.");
    if (mayOnlyAddFactors(caller)) error.member("may", "add_factor");
    return error;
}

// A browser sends the cookie with whatever a foreign page makes it do, but that page can neither read the token nor set
// the header.
void rejectForgery(domain::SessionService& sessions, const http::Cors& cors, const http::Request& request,
                   const Uuid& sessionId) {
    if (isSafe(request.method)) return;
    const auto origin = request.header("origin");
    if (origin && !isOwn(*origin, request) && !cors.isTrusted(*origin))
        throw ApiError(ErrorCode::Forbidden, "foreign origin");
    const auto token = request.header("x-csrf-token");
    if (!token || !sessions.isCsrfToken(*token, sessionId)) {
        throw ApiError(ErrorCode::Forbidden, "no CSRF token").detail("The X-CSRF-Token header is missing or wrong.");
    }
}

}  // namespace

std::optional<std::string_view> bearerOf(const http::Request& request) {
    const auto header = request.header("authorization");
    return header ? tokenOf(*header, "Bearer") : std::nullopt;
}

bool showsApiKey(const http::Request& request) {
    return apiKeyOf(request).has_value();
}

Caller authenticate(domain::SessionService& sessions, const http::Cors& cors, const http::Request& request) {
    if (const auto token = accessTokenOf(request)) {
        auto grant = sessions.authenticate(*token);
        if (!grant) throw ApiError(ErrorCode::InvalidToken);
        return {std::move(grant->session), Credential::AccessToken};
    }
    if (const auto cookie = http::findCookie(request, kSessionCookie)) {
        auto session = sessions.authenticateCookie(*cookie);
        if (!session) throw ApiError(ErrorCode::InvalidToken);
        rejectForgery(sessions, cors, request, session->session.id);
        return {std::move(*session), Credential::Cookie};
    }
    throw ApiError(ErrorCode::Unauthenticated);
}

Caller authenticateFor(domain::Action action, domain::SessionService& sessions, const http::Cors& cors,
                       const Clock& clock, std::chrono::seconds within, const http::Request& request) {
    Caller caller = authenticate(sessions, cors, request);
    try {
        requireStanding(action, caller, clock, within);
    } catch (ApiError& refusal) {
        // A page that was loaded again needs it for that form.
        if (caller.credential == Credential::Cookie && mayOnlyAddFactors(caller))
            refusal.header("X-CSRF-Token", sessions.csrfTokenOf(caller.session.id));
        throw;
    }
    return caller;
}

Administrator authenticateAdministrator(domain::SessionService& sessions, const http::Cors& cors, const Clock& clock,
                                        std::chrono::seconds within, const http::Request& request) {
    Caller caller = authenticate(sessions, cors, request);
    if (caller.user.role != domain::Role::Admin) throw ApiError(ErrorCode::Forbidden, "no administrator");
    requireStanding(domain::Action::Administer, caller, clock, within);
    return {std::move(caller)};
}

void requireStanding(domain::Action action, const Caller& caller, const Clock& clock, std::chrono::seconds within) {
    switch (domain::stepUpFor(action, domain::standingOf(caller, clock.now()), within)) {
    case domain::StepUp::None: return;
    case domain::StepUp::TwoFactors: throw needsFactor(caller).accountLanguage(caller.user.locale);
    case domain::StepUp::Anew: break;
    }
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(within).count();
    throw ApiError(ErrorCode::SignInTooOld)
        .header("WWW-Authenticate", R"(Bearer realm="otpgate", error="insufficient_user_authentication", max_age=")" +
                                        std::to_string(within.count()) + '"')
        .accountLanguage(caller.user.locale)
        .detail("For this, sign in again: the sign-in of this session is more than " + std::to_string(minutes) +
                (minutes == 1 ? " minute ago." : " minutes ago."));
}

ApiKeyCaller authenticateKey(domain::ApiKeyService& apiKeys, const http::Request& request,
                             const std::vector<domain::ApiScope>& scopes) {
    const auto shown = apiKeyOf(request);
    if (!shown) {
        throw ApiError(ErrorCode::Unauthenticated)
            .detail("This needs an API key, in X-API-Key or as Authorization: Api-Key.")
            .header("WWW-Authenticate", std::string{kApiKeyChallenge});
    }
    auto key = apiKeys.authenticate(*shown);
    if (!key) {
        throw ApiError(ErrorCode::InvalidToken)
            .detail("The API key is not valid, was revoked or has expired.")
            .header("WWW-Authenticate", std::string{kApiKeyChallenge});
    }
    const bool hasAny =
        std::any_of(scopes.begin(), scopes.end(), [&](const domain::ApiScope scope) { return key->has(scope); });
    if (!scopes.empty() && !hasAny) throw missingScope(scopes);
    return {std::move(*key)};
}

void requireScope(const ApiKeyCaller& caller, domain::ApiScope scope) {
    if (!caller.has(scope)) throw missingScope({scope});
}

bool isMonitor(const Monitoring& monitoring, const http::Request& request) {
    const auto address = http::IpAddress::parse(request.clientAddress);
    return address && monitoring.readers.contains(*address);
}

bool isAdminAddress(const AdminAccess& access, const http::Request& request) {
    if (access.addresses.isEmpty()) return true;
    const auto address = http::IpAddress::parse(request.clientAddress);
    return address && access.addresses.contains(*address);
}

domain::Client clientOf(const http::Request& request) {
    return {request.clientAddress, request.clientNetwork, request.userAgent, request.requestId,
            http::acceptedLanguages(request.header("accept-language").value_or(""))};
}

std::optional<domain::WorkSolution> readWork(http::JsonBody& body) {
    constexpr std::string_view kName = "altcha";
    const auto text = body.string(kName);
    if (!text) return std::nullopt;
    try {
        http::Request inner;
        inner.contentType = "application/json";
        inner.body = decodedBase64(*text).value_or("");
        http::JsonBody solution(inner);
        domain::WorkSolution work{solution.requiredString("challenge"), solution.requiredString("salt"),
                                  solution.requiredString("signature"), 0};
        const auto number = solution.integer("number");
        if (!number || *number < 0) solution.noteMissing("number");
        solution.rejectInvalid();
        work.number = static_cast<std::uint64_t>(*number);
        return work;
    } catch (const http::ApiError&) {
        body.noteInvalid(kName, "must be a solved challenge");
        return std::nullopt;
    }
}

std::string readHumanToken(http::JsonBody& body) {
    constexpr std::string_view kName = "captcha_token";
    std::string token = body.string(kName, domain::kLongestHumanToken).value_or("");
    if (!token.empty() && !domain::isHumanToken(token)) body.noteInvalid(kName, "must be a solved challenge");
    return token;
}

domain::Asker askerOf(const domain::SessionService& sessions, const http::Request& request, http::JsonBody& body) {
    domain::Asker asker{clientOf(request), std::nullopt, readWork(body), readHumanToken(body)};
    if (const auto wish = body.string("second_step")) {
        if (*wish != "always") body.noteInvalid("second_step", "must be always, or absent");
        asker.secondStep = domain::SecondStep::Always;
    }
    if (const auto token = body.string("device_token")) asker.device = sessions.parseDeviceToken(*token);
    if (asker.device) return asker;
    const auto cookie = http::findCookie(request, kDeviceCookie);
    if (cookie) asker.device = sessions.parseDeviceToken(*cookie);
    return asker;
}

}  // namespace otpgate::api
