// Visitors of protected sites (etc/doc/protect.md): who may pass, and how who is not signed in gets there and back.
// What the web server asks about is request.guarded.
#pragma once

#include "api/endpoints.h"

#include <optional>

namespace otpgate::api {

// Who asks /authz. At a site that the web server names, besides an access token, only the session of that very site
// counts, and then its rule. Throws what authenticate() does, and Forbidden where the rule lets him not in, is missing
// or cannot be understood, or the site is not one of page.return_to; where the sign-in is too old for the rule, to an
// Authorizer SignInTooOld, else Unauthenticated, of which nginx sends everybody to the sign-in.
Caller admit(domain::SessionService& sessions, domain::SiteSessions& sites, const http::Cors& cors, const Clock& clock,
             const ApiSettings& settings, const http::Request& request);

// For who was refused by this error: the redirect to the sign-in, where the web server can pass it on (FastCGI's
// Authorizer role) and a browser opens a page. nullopt: he is refused.
std::optional<http::Response> wayToSignIn(const domain::SiteSessions& sites, const ApiSettings& settings,
                                          const http::Request& request, http::ErrorCode refusal);

}  // namespace otpgate::api
