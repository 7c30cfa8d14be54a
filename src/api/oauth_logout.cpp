// GET and POST /oauth/logout: an application signs its user out here too (OpenID Connect RP-Initiated Logout 1.0).
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/html_page.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/http/cookies.h"

#include <algorithm>

namespace otpgate::api {

using domain::Parameters;

namespace {

std::string valueOf(const Parameters& parameters, std::string_view name) {
    return domain::findParameter(parameters, name).value_or("");
}

// Back at the application, where it has said how; else a page of ours.
http::Response goodbye(const ApiSettings& settings, const Parameters& parameters) {
    const std::string back = valueOf(parameters, "post_logout_redirect_uri");
    if (back.empty()) return HtmlPage(settings, 200, "You are signed out").link("Sign in").take();
    const std::string state = valueOf(parameters, "state");
    const std::string_view sign = back.find('?') == std::string::npos ? "?" : "&";
    return redirectTo(state.empty() ? back : back + std::string{sign} + "state=" + percentEncoded(state));
}

http::Response refuse(const ApiSettings& settings) {
    return HtmlPage(settings, 400, "This sign-out cannot go on")
        .paragraph("The application that sent you here wants you back at an address that is not registered for it.")
        .link("Go to your account")
        .take();
}

void end(domain::SessionService& sessions, const http::Request& request, const Uuid& sessionId, const Uuid& userId) {
    sessions.end(sessionId, userId, "logout", domain::DeviceFate::Keep, clientOf(request));
}

}  // namespace

http::Response leaveByClient(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                             const ApiSettings& settings) {
    const bool isForm = request.method == "POST" && request.hasForm();
    const Parameters parameters = http::parseForm(isForm ? request.body : request.query);
    const std::string named = valueOf(parameters, "client_id");
    const auto hint = oidc.readHint(valueOf(parameters, "id_token_hint"));
    auto client = hint ? hint->client : oidc.findClient(named);
    // A hint for another application than the one that says to ask.
    const bool isMixedUp = client && !named.empty() && client->id != named;

    const std::string back = valueOf(parameters, "post_logout_redirect_uri");
    const bool isKnown = client && std::ranges::find(client->postLogoutUris, back) != client->postLogoutUris.end();
    if (isMixedUp || (!back.empty() && !isKnown)) return refuse(settings);

    const auto cookie = http::findCookie(request, kSessionCookie);
    const auto session = cookie ? sessions.authenticateCookie(*cookie) : std::nullopt;
    if (hint && hint->client) {
        // Whose session it is the application knows from the ID token, also where the browser brings no cookie along.
        end(sessions, request, hint->sessionId, hint->userId);
        http::Response response = goodbye(settings, parameters);
        if (session && session->session.id == hint->sessionId) http::clearCookie(response, kSessionCookie);
        return response;
    }
    if (!session) return goodbye(settings, parameters);
    if (isForm && sessions.isCsrfToken(valueOf(parameters, "csrf"), session->session.id)) {
        end(sessions, request, session->session.id, session->user.id);
        http::Response response = goodbye(settings, parameters);
        http::clearCookie(response, kSessionCookie);
        return response;
    }
    // Anybody can write a link; without a hint the visitor says himself what he wants (ASVS 5, 10.6.2).
    Parameters kept{{"csrf", sessions.csrfTokenOf(session->session.id)}};
    for (const char* name : {"client_id", "post_logout_redirect_uri", "state"}) {
        if (const std::string value = valueOf(parameters, name); !value.empty()) kept.emplace_back(name, value);
    }
    http::Response response = HtmlPage(settings, 200, "Sign out?", {})
                                  .paragraph("You are signed out here and at every application that you came from.")
                                  .form(settings.basePath + "/oauth/logout", kept, {{{}, {}, "Sign out"}})
                                  .link("Stay signed in")
                                  .take();
    response.accountLanguage = session->user.locale;
    return response;
}

}  // namespace otpgate::api
