// GET and POST /oauth/authorize and /oauth/consent: a browser that an application sends here to sign in (OpenID Connect
// Core 1.0, section 3.1.2), and that goes back with a code.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/html_page.h"
#include "api/views.h"
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

http::Response refuseRequest(const ApiSettings& settings, AuthorizeRefusal refusal) {
    return HtmlPage(settings, 400, "This sign-in cannot go on").paragraph(sentenceOf(refusal)).take();
}

// The answer, by way of the browser.
http::Response sendBack(const ApiSettings& settings, const std::string& redirectUri, domain::ResponseMode mode,
                        const std::string& state, Parameters members) {
    if (!state.empty()) members.emplace_back("state", state);
    members.emplace_back("iss", settings.publicUrl);  // RFC 9207
    if (mode == domain::ResponseMode::Query) {
        const bool hasQuery = redirectUri.find('?') != std::string::npos;
        return redirectTo(redirectUri + (hasQuery ? '&' : '?') + encoded(members));
    }
    return HtmlPage(settings, 200, "One moment", domain::formTargetOf(redirectUri))
        .paragraph("You are signed in and sent on.")
        .form(redirectUri, members, {{{}, {}, "Continue"}})
        .sendByItself()
        .take();
}

http::Response sendBack(const ApiSettings& settings, const AuthorizeError& error) {
    return sendBack(settings, error.redirectUri, error.mode, error.state,
                    {{"error", error.error}, {"error_description", error.description}});
}

http::Response sendBack(const ApiSettings& settings, const AuthorizeRequest& request, std::string error,
                        std::string description) {
    return sendBack(settings,
                    {request.redirectUri, request.state, request.mode, std::move(error), std::move(description)});
}

// ui_locales, as our login page takes them in its address and the boundary takes an account's: by comma.
std::string localesOf(std::string_view wanted) {
    std::string list;
    for (const std::string_view word : split(wanted, ' ')) {
        const bool isTag = std::ranges::all_of(word, [](char c) { return isLetterOrDigit(c) || c == '-'; });
        if (!word.empty() && isTag) list.append(list.empty() ? "" : ",").append(word);
    }
    return list;
}

http::Response toSignIn(const ApiSettings& settings, const AuthorizeRequest& request, const Parameters& parameters,
                        SignInNeed need, Timestamp now) {
    const std::string back = placeOf(settings, domain::afterSignIn(parameters, now));
    if (back.size() > kMostRequestBytes) return refuseRequest(settings, AuthorizeRefusal::Malformed);
    const std::string_view moment = need == SignInNeed::TwoFactors ? "passkey"
                                    : need == SignInNeed::Anew     ? "again"
                                                                   : "here";
    std::string url = settings.publicUrl + "/?return_to=" + percentEncoded(back) + "&sign_in=" + std::string{moment};
    if (const std::string locales = localesOf(request.locales); !locales.empty()) url += "&lang=" + locales;
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

// A request that is understood, of a client that there is.
struct Asked {
    AuthorizeRequest request;
    OidcClient client;
    Parameters parameters;
};

// Else the answer.
std::variant<Asked, http::Response> understand(domain::OidcProvider& oidc, const ApiSettings& settings,
                                               Parameters parameters) {
    auto client = oidc.findClient(domain::findParameter(parameters, "client_id").value_or(""));
    auto ruling = domain::ruleOnAuthorize(parameters, client ? &*client : nullptr);
    if (const auto* refusal = std::get_if<AuthorizeRefusal>(&ruling)) return refuseRequest(settings, *refusal);
    if (const auto* error = std::get_if<AuthorizeError>(&ruling)) return sendBack(settings, *error);
    return Asked{std::move(std::get<AuthorizeRequest>(ruling)), std::move(*client), std::move(parameters)};
}

http::Response askForConsent(const domain::SessionService& sessions, const ApiSettings& settings, const Asked& asked,
                             const domain::AuthenticatedSession& session) {
    std::vector<std::string_view> items;
    for (const OidcScope scope : asked.request.scopes) items.push_back(wordsFor(scope));
    http::Response response =
        HtmlPage(settings, 200, "Let " + asked.client.title + " know this?",
                 domain::formTargetOf(asked.request.redirectUri))
            .items(items)
            .form(settings.basePath + "/oauth/consent",
                  {{"request", encoded(asked.parameters)}, {"csrf", sessions.csrfTokenOf(session.session.id)}},
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
http::Response proceed(const http::Request& visit, domain::SessionService& sessions, domain::OidcProvider& oidc,
                       const Clock& clock, const ApiSettings& settings, const Asked& asked,
                       const std::optional<domain::AuthenticatedSession>& session, Consent consent) {
    const auto& [request, client, parameters] = asked;
    const Timestamp now = clock.now();
    std::optional<domain::BrowserSession> browser;
    if (session)
        browser = {session->session.methods, session->user.hasFactor, session->session.authenticatedAt,
                   session->owesFactor};
    SignInNeed need = domain::needOf(request, browser ? &*browser : nullptr, now);
    if (need == SignInNeed::None && !request.idTokenHint.empty()) {
        const auto hint = oidc.readHint(request.idTokenHint);
        if (!hint) return sendBack(settings, request, "invalid_request", "id_token_hint is no ID token of ours");
        const bool isAsked = request.signedInSince && session->session.authenticatedAt >= *request.signedInSince;
        if (hint->userId != session->user.id && isAsked)
            return sendBack(settings, request, "login_required", "somebody else has signed in");
        if (hint->userId != session->user.id) need = SignInNeed::Anew;
    }
    if (need == SignInNeed::Unmet)
        return sendBack(settings, request, "unmet_authentication_requirements",
                        "the user has no factor for these acr_values");
    if (need != SignInNeed::None) {
        if (request.isSilent) return sendBack(settings, request, "login_required", "the user must sign in");
        return toSignIn(settings, request, parameters, need, now);
    }
    if (!domain::mayUse(client, session->user)) {
        if (request.isSilent) return sendBack(settings, request, "access_denied", "the user may not use this client");
        http::Response response = HtmlPage(settings, 403, "You may not use " + client.title)
                                      .paragraph("Its operator can let you in.")
                                      .link("Go to your account")
                                      .take();
        response.accountLanguage = session->user.locale;
        return response;
    }
    if (consent == Consent::Given) {
        oidc.allow(request, session->user, clientOf(visit));
    } else if (oidc.isConsentNeeded(request, client, session->user)) {
        if (request.isSilent) return sendBack(settings, request, "consent_required", "the user must be asked");
        return askForConsent(sessions, settings, asked, *session);
    }
    auto code = oidc.grant(request, *session, clientOf(visit));
    if (!code)
        return sendBack(settings, request, "temporarily_unavailable", "the user has signed in here too often of late");
    return sendBack(settings, request.redirectUri, request.mode, request.state, {{"code", std::move(*code)}});
}

http::Response ask(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                   const Clock& clock, const ApiSettings& settings, const Parameters& parameters) {
    auto understood = understand(oidc, settings, parameters);
    if (auto* response = std::get_if<http::Response>(&understood)) return std::move(*response);
    const auto& asked = std::get<Asked>(understood);
    if (request.method == "POST") {
        // The browser keeps our cookie from a form of another site, but not from where it is sent on to.
        const std::string place = placeOf(settings, parameters);
        if (place.size() > kMostRequestBytes) return refuseRequest(settings, AuthorizeRefusal::Malformed);
        return redirectTo(place);
    }
    return proceed(request, sessions, oidc, clock, settings, asked, sessionOf(sessions, request), Consent::NotYet);
}

http::Response decide(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                      const Clock& clock, const ApiSettings& settings, const Parameters& parameters) {
    const auto session = sessionOf(sessions, request);
    const std::string csrf = request.formParameter("csrf").value_or("");
    if (!session || !sessions.isCsrfToken(csrf, session->session.id))
        throw http::ApiError(http::ErrorCode::Forbidden, "no CSRF token");
    auto understood = understand(oidc, settings, parameters);
    if (auto* response = std::get_if<http::Response>(&understood)) return std::move(*response);
    const auto& asked = std::get<Asked>(understood);
    if (request.formParameter("decision").value_or("") != "allow")
        return sendBack(settings, asked.request, "access_denied", "the user does not allow it");
    return proceed(request, sessions, oidc, clock, settings, asked, session, Consent::Given);
}

// A page speaks what the application says its user reads, before what the account does.
http::Response spoken(http::Response page, const Parameters& parameters) {
    const std::string locales = localesOf(domain::findParameter(parameters, "ui_locales").value_or(""));
    if (!locales.empty()) page.accountLanguage = locales + "," + page.accountLanguage;
    return page;
}

}  // namespace

http::Response askForGrant(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                           const Clock& clock, const ApiSettings& settings) {
    const bool isPost = request.method == "POST";
    if (isPost && !request.hasForm()) return refuseRequest(settings, AuthorizeRefusal::Malformed);
    const Parameters parameters = http::parseForm(isPost ? request.body : request.query);
    return spoken(ask(request, sessions, oidc, clock, settings, parameters), parameters);
}

http::Response decideOnGrant(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                             const Clock& clock, const ApiSettings& settings) {
    const Parameters parameters = http::parseForm(request.formParameter("request").value_or(""));
    return spoken(decide(request, sessions, oidc, clock, settings, parameters), parameters);
}

}  // namespace otpgate::api
