// GET and POST /oauth/authorize and /oauth/consent: a browser that an application sends here to sign in (OpenID Connect
// Core 1.0, section 3.1.2), and that goes back with a code.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/html_page.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"

#include <algorithm>
#include <variant>

namespace otpgate::api {

using domain::AuthorizeError;
using domain::AuthorizeRefusal;
using domain::AuthorizeRequest;
using domain::OidcClient;
using domain::OidcScope;
using domain::Parameters;
using domain::SignInNeed;

namespace {

// Of the request as it goes through the sign-in, twice encoded: what browsers and web servers still take.
constexpr std::size_t kMostRequestBytes = 4000;

std::string encoded(const Parameters& parameters) {
    std::string text;
    for (const auto& [name, value] : parameters) {
        if (!text.empty()) text += '&';
        text += percentEncoded(name) + "=" + percentEncoded(value);
    }
    return text;
}

std::string placeOf(const ApiSettings& settings, const Parameters& parameters) {
    return settings.basePath + "/oauth/authorize?" + encoded(parameters);
}

http::Response redirectTo(const std::string& url) {
    http::Response response;
    response.status = 303;  // whatever the method was (RFC 9700, section 4.12)
    response.contentType.clear();
    response.with("Location", url).with("Referrer-Policy", "no-referrer");
    return response;
}

// What a form of ours may lead to: a scheme and a host, or the scheme of a program.
std::string originOf(std::string_view uri) {
    const auto scheme = uri.find("://");
    if (scheme == std::string_view::npos) return std::string{uri.substr(0, uri.find(':') + 1)};
    return std::string{uri.substr(0, std::min(uri.find_first_of("/?", scheme + 3), uri.size()))};
}

std::string_view sentenceOf(AuthorizeRefusal refusal) {
    switch (refusal) {
    case AuthorizeRefusal::UnknownClient: return "The application that sent you here is not known.";
    case AuthorizeRefusal::DisabledClient: return "The application that sent you here is switched off.";
    case AuthorizeRefusal::UnknownRedirect:
        return "The application that sent you here wants you back at an address that is not registered for it.";
    case AuthorizeRefusal::Malformed: break;
    }
    return "What the application sent cannot be understood.";
}

http::Response refuse(const ApiSettings& settings, AuthorizeRefusal refusal) {
    return HtmlPage(settings, 400, "This sign-in cannot go on").paragraph(sentenceOf(refusal)).take();
}

// The answer, by way of the browser.
http::Response answer(const ApiSettings& settings, const std::string& redirectUri, domain::ResponseMode mode,
                      const std::string& state, Parameters members) {
    if (!state.empty()) members.emplace_back("state", state);
    members.emplace_back("iss", settings.publicUrl);  // RFC 9207
    if (mode == domain::ResponseMode::Query) {
        const bool hasQuery = redirectUri.find('?') != std::string::npos;
        return redirectTo(redirectUri + (hasQuery ? '&' : '?') + encoded(members));
    }
    return HtmlPage(settings, 200, "One moment", originOf(redirectUri))
        .paragraph("You are signed in and sent on.")
        .form(redirectUri, members, {{{}, {}, "Continue"}})
        .sendByItself()
        .take();
}

http::Response answer(const ApiSettings& settings, const AuthorizeError& error) {
    return answer(settings, error.redirectUri, error.mode, error.state,
                  {{"error", error.error}, {"error_description", error.description}});
}

http::Response answer(const ApiSettings& settings, const AuthorizeRequest& request, std::string error,
                      std::string description) {
    return answer(settings,
                  {request.redirectUri, request.state, request.mode, std::move(error), std::move(description)});
}

// A tag that may stand in our login page's address.
std::string firstLocale(const AuthorizeRequest& request) {
    const std::string first = request.locales.substr(0, request.locales.find(' '));
    const bool isTag = std::ranges::all_of(first, [](char c) { return isLetterOrDigit(c) || c == '-'; });
    return isTag ? first : std::string{};
}

http::Response toSignIn(const ApiSettings& settings, const AuthorizeRequest& request, const Parameters& parameters,
                        SignInNeed need, Timestamp now) {
    const std::string back = placeOf(settings, domain::afterSignIn(parameters, now));
    if (back.size() > kMostRequestBytes) return refuse(settings, AuthorizeRefusal::Malformed);
    const std::string_view moment = need == SignInNeed::TwoFactors ? "passkey"
                                    : need == SignInNeed::Anew     ? "again"
                                                                   : "here";
    std::string url = settings.publicUrl + "/?return_to=" + percentEncoded(back) + "&sign_in=" + std::string{moment};
    if (const std::string locale = firstLocale(request); !locale.empty()) url += "&lang=" + locale;
    if (!request.loginHint.empty()) url += "&login_hint=" + percentEncoded(request.loginHint);
    return redirectTo(url);
}

std::string_view wordsFor(OidcScope scope) {
    switch (scope) {
    case OidcScope::OpenId: return "That it is you, by a number";
    case OidcScope::Profile: return "Your name and language";
    case OidcScope::Email: return "Your e-mail address";
    case OidcScope::Phone: return "Your telephone number";
    case OidcScope::Groups: return "Your groups";
    case OidcScope::OfflineAccess: return "All of this also while you are away";
    }
    return "";
}

http::Response askForConsent(const domain::SessionService& sessions, const ApiSettings& settings,
                             const AuthorizeRequest& request, const OidcClient& client, const Parameters& parameters,
                             const domain::AuthenticatedSession& session) {
    std::vector<std::string_view> items;
    for (const OidcScope scope : request.scopes) items.push_back(wordsFor(scope));
    http::Response response =
        HtmlPage(settings, 200, "Let " + client.title + " know this?", originOf(request.redirectUri))
            .items(items)
            .form(settings.basePath + "/oauth/consent",
                  {{"request", encoded(parameters)}, {"csrf", sessions.csrfTokenOf(session.session.id)}},
                  {{"decision", "allow", "Allow"}, {"decision", "deny", "Do not allow"}})
            .take();
    response.accountLanguage = session.user.locale;
    return response;
}

std::optional<domain::AuthenticatedSession> sessionOf(domain::SessionService& sessions, const http::Request& request) {
    const auto cookie = http::findCookie(request, kSessionCookie);
    return cookie ? sessions.authenticateCookie(*cookie) : std::nullopt;
}

enum class Consent { NotYet, Given };

// From a request that is understood to the code, or to what is in its way.
http::Response proceed(domain::SessionService& sessions, domain::OidcProvider& oidc, const Clock& clock,
                       const ApiSettings& settings, const AuthorizeRequest& request, const OidcClient& client,
                       const Parameters& parameters, const std::optional<domain::AuthenticatedSession>& session,
                       Consent consent) {
    const Timestamp now = clock.now();
    std::optional<domain::BrowserSession> browser;
    if (session)
        browser = {session->session.methods, session->user.hasFactor, session->session.authenticatedAt,
                   session->owesFactor};
    SignInNeed need = domain::needOf(request, browser ? &*browser : nullptr, now);
    if (need == SignInNeed::None && !request.idTokenHint.empty()) {
        const auto hint = oidc.readHint(request.idTokenHint);
        if (!hint) return answer(settings, request, "invalid_request", "id_token_hint is no ID token of ours");
        const bool isAsked = request.signedInSince && session->session.authenticatedAt >= *request.signedInSince;
        if (hint->userId != session->user.id && isAsked)
            return answer(settings, request, "login_required", "somebody else has signed in");
        if (hint->userId != session->user.id) need = SignInNeed::Anew;
    }
    if (need == SignInNeed::Unmet)
        return answer(settings, request, "unmet_authentication_requirements",
                      "the user has no factor for these acr_values");
    if (need != SignInNeed::None) {
        if (request.isSilent) return answer(settings, request, "login_required", "the user must sign in");
        return toSignIn(settings, request, parameters, need, now);
    }
    if (!domain::mayUse(client, session->user)) {
        if (request.isSilent) return answer(settings, request, "access_denied", "the user may not use this client");
        http::Response response = HtmlPage(settings, 403, "You may not use " + client.title)
                                      .paragraph("Its operator can let you in.")
                                      .link("Go to your account")
                                      .take();
        response.accountLanguage = session->user.locale;
        return response;
    }
    if (consent == Consent::Given) {
        oidc.allow(request, session->user);
    } else if (oidc.isConsentNeeded(request, client, session->user)) {
        if (request.isSilent) return answer(settings, request, "consent_required", "the user must be asked");
        return askForConsent(sessions, settings, request, client, parameters, *session);
    }
    auto code = oidc.grant(request, *session);
    if (!code)
        return answer(settings, request, "temporarily_unavailable", "the user has signed in here too often of late");
    return answer(settings, request.redirectUri, request.mode, request.state, {{"code", std::move(*code)}});
}

}  // namespace

http::Response askForGrant(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                           const Clock& clock, const ApiSettings& settings) {
    const bool isPost = request.method == "POST";
    if (isPost && !request.hasForm()) return refuse(settings, AuthorizeRefusal::Malformed);
    const Parameters parameters = http::parseForm(isPost ? request.body : request.query);
    const auto client = oidc.findClient(domain::findParameter(parameters, "client_id").value_or(""));
    const auto ruling = domain::ruleOnAuthorize(parameters, client ? &*client : nullptr);
    if (const auto* refusal = std::get_if<AuthorizeRefusal>(&ruling)) return refuse(settings, *refusal);
    if (const auto* error = std::get_if<AuthorizeError>(&ruling)) return answer(settings, *error);
    if (isPost) {
        // The browser keeps our cookie from a form of another site, but not from where it is sent on to.
        const std::string place = placeOf(settings, parameters);
        if (place.size() > kMostRequestBytes) return refuse(settings, AuthorizeRefusal::Malformed);
        return redirectTo(place);
    }
    return proceed(sessions, oidc, clock, settings, std::get<AuthorizeRequest>(ruling), *client, parameters,
                   sessionOf(sessions, request), Consent::NotYet);
}

http::Response decideOnGrant(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                             const Clock& clock, const ApiSettings& settings) {
    const auto session = sessionOf(sessions, request);
    const std::string csrf = request.formParameter("csrf").value_or("");
    if (!session || !sessions.isCsrfToken(csrf, session->session.id))
        throw http::ApiError(http::ErrorCode::Forbidden, "no CSRF token");
    const Parameters parameters = http::parseForm(request.formParameter("request").value_or(""));
    const auto client = oidc.findClient(domain::findParameter(parameters, "client_id").value_or(""));
    const auto ruling = domain::ruleOnAuthorize(parameters, client ? &*client : nullptr);
    if (const auto* refusal = std::get_if<AuthorizeRefusal>(&ruling)) return refuse(settings, *refusal);
    if (const auto* error = std::get_if<AuthorizeError>(&ruling)) return answer(settings, *error);
    const auto& understood = std::get<AuthorizeRequest>(ruling);
    if (request.formParameter("decision").value_or("") != "allow")
        return answer(settings, understood, "access_denied", "the user does not allow it");
    return proceed(sessions, oidc, clock, settings, understood, *client, parameters, session, Consent::Given);
}

}  // namespace otpgate::api
