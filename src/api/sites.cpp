// /authz and /.otpgate: sites that web servers protect with us.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/site_visits.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/entry_rule.h"
#include "otpgate/domain/proved.h"
#include "otpgate/domain/session_rules.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"

#include <algorithm>

namespace otpgate::api {

using domain::Application;
using http::ApiError;
using http::ErrorCode;

namespace {

constexpr std::string_view kSiteCookie = "__Host-otpgate-site";
constexpr std::string_view kNonceCookie = "__Host-otpgate-start";
constexpr std::string_view kSharedCookie = "__Secure-otpgate-sites";
// From the first click to the end of the sign-in, for whose code the mail may be slow.
constexpr std::chrono::hours kNonceLifetime{1};
constexpr std::size_t kMostTargetBytes = 1500;

// Cookies know no ports, so those of two sites on one host have two names.
std::string named(std::string_view cookie, std::string_view site) {
    const std::string_view authority = site.substr(site.find("://") + 3);
    const auto port = authority.substr(hostOf(site).size());
    return std::string{cookie} + (port.empty() ? "" : "-" + std::string{port.substr(1)});
}

// Browsers keep our cookies from https, and from this machine itself.
bool keepsCookies(std::string_view site) {
    const std::string_view host = hostOf(site);
    return site.starts_with("https://") || host == "localhost" || host.ends_with(".localhost") ||
           host.starts_with("127.");
}

bool isOwnOrigin(const ApiSettings& settings, std::string_view site) {
    return equalsIgnoringCase(settings.returnTargets.own().origin, site);
}

// The site that the web server speaks of.
const http::GuardedRequest& guardedBy(const ApiSettings& settings, const http::Request& request) {
    if (!request.guarded) throw ApiError(ErrorCode::NotFound, "OTPGATE_SITE is missing");
    const http::GuardedRequest& guarded = *request.guarded;
    if (settings.returnTargets.application(guarded.site) == nullptr)
        throw ApiError(ErrorCode::Forbidden, "OTPGATE_SITE is not in page.return_to: " + guarded.site);
    return guarded;
}

// Whether the hosts of session.cookie_domain share a session, and this is one.
bool isShared(const AuthzSettings& authz, std::string_view site) {
    const std::string_view host = hostOf(site);
    return !authz.cookieDomain.empty() && keepsCookies(site) &&
           (host == authz.cookieDomain || host.ends_with("." + authz.cookieDomain));
}

std::string sharedPlace(const AuthzSettings& authz) {
    return "." + authz.cookieDomain;
}

// A browser that opens a page, and so can be sent elsewhere and come back; no script, picture or form.
bool opensPage(const http::Request& request, std::string_view method) {
    if ((method != "GET" && method != "HEAD") || request.header("authorization")) return false;
    if (const auto mode = request.header("sec-fetch-mode")) {
        return *mode == "navigate" && request.header("sec-fetch-dest").value_or("document") == "document";
    }
    return request.header("accept").value_or("").find("text/html") != std::string_view::npos;
}

// A browser that a script of some page makes call us.
bool isScripted(const http::Request& request) {
    return request.header("sec-fetch-mode").value_or("navigate") != "navigate";
}

// Browsers escape less than RFC 3986 wants: so that what they sent is the URL that we can check.
std::string escaped(std::string_view target) {
    constexpr std::string_view kSigns = "-._~:/?[]@!$&'()*+,;=%";
    std::string whole;
    for (const char c : target) {
        const bool stays = isLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
        whole += stays ? std::string(1, c) : percentEncoded({&c, 1});
    }
    return whole;
}

// Where the visitor wanted to be.
std::string targetOf(const http::GuardedRequest& guarded) {
    std::string target = escaped(guarded.target);
    return target.starts_with('/') && target.size() <= kMostTargetBytes ? target : "/";
}

// `moment`: `here`, or `again` for who is signed in already and must prove it anew, or `passkey` where it must be by
// one.
http::Response toLoginPage(const ApiSettings& settings, std::string_view back, std::string_view moment) {
    return redirectTo(settings.publicUrl + "/?return_to=" + percentEncoded(back) + "&sign_in=" + std::string{moment});
}

constexpr std::string_view momentFor(bool needsTwoFactors, bool needsAnew) {
    if (needsTwoFactors) return "passkey";
    return needsAnew ? "again" : "here";
}

// The first step: a nonce for this browser, and the way to the sign-in.
http::Response towardsSignIn(const domain::SiteSessions& sites, const ApiSettings& settings,
                             const http::Request& request, const http::GuardedRequest& guarded) {
    const std::string target = targetOf(guarded);
    const auto rule = domain::EntryRule::parse(guarded.rule.value_or(""));
    const auto within = rule ? rule->within() : std::nullopt;
    const bool needsTwoFactors = rule && rule->needsTwoFactors();
    if (isOwnOrigin(settings, guarded.site))
        return toLoginPage(settings, target, momentFor(needsTwoFactors, within.has_value()));
    if (!keepsCookies(guarded.site)) throw ApiError(ErrorCode::Forbidden, "a site without https: " + guarded.site);

    // Another tab may be on its way already; both arrive.
    const std::string name = named(kNonceCookie, guarded.site);
    const auto known = http::findCookie(request, name);
    const std::string nonce = known && domain::SiteSessions::isNonce(*known) ? std::string{*known} : sites.makeNonce();
    std::string url = settings.publicUrl + "/authz/enter?site=" + percentEncoded(guarded.site) +
                      "&to=" + percentEncoded(target) + "&challenge=" + domain::SiteSessions::challengeOf(nonce);
    if (within) url += "&within=" + std::to_string(within->count());
    if (needsTwoFactors) url += "&aal=2";
    http::Response response = redirectTo(url);
    http::setCookie(response, name, nonce, kNonceLifetime);
    return response;
}

// Whose session it is at this site.
std::optional<domain::AuthenticatedSession> visitorOf(domain::SiteSessions& sites, const AuthzSettings& authz,
                                                      const http::Request& request, const std::string& site) {
    if (const auto cookie = http::findCookie(request, named(kSiteCookie, site))) {
        if (auto session = sites.authenticate(*cookie, site)) return session;
    }
    const auto shared = isShared(authz, site) ? http::findCookie(request, kSharedCookie) : std::nullopt;
    return shared ? sites.authenticate(*shared, sharedPlace(authz)) : std::nullopt;
}

Caller recognise(domain::SessionService& sessions, domain::SiteSessions& sites, const http::Cors& cors,
                 const ApiSettings& settings, const http::Request& request) {
    const bool isElsewhere = request.guarded && !isOwnOrigin(settings, guardedBy(settings, request).site);
    if (!isElsewhere || request.header("authorization")) return authenticate(sessions, cors, request);
    auto session = visitorOf(sites, settings.authz, request, request.guarded->site);
    if (!session) throw ApiError(ErrorCode::Unauthenticated);
    return {std::move(*session), Credential::Cookie};
}

void requireEntry(const http::GuardedRequest& guarded, const Caller& caller, http::Role role, Timestamp now) {
    if (!guarded.rule) throw ApiError(ErrorCode::Forbidden, "OTPGATE_REQUIRE is missing");
    const auto rule = domain::EntryRule::parse(*guarded.rule);
    if (!rule) throw ApiError(ErrorCode::Forbidden, "OTPGATE_REQUIRE cannot be understood: " + *guarded.rule);
    switch (rule->decide(caller, now)) {
    case domain::Entry::Granted: return;
    case domain::Entry::Denied: throw ApiError(ErrorCode::Forbidden, "OTPGATE_REQUIRE: " + *guarded.rule);
    case domain::Entry::LevelTooLow:
        throw ApiError(ErrorCode::InsufficientUserAuthentication, "OTPGATE_REQUIRE: " + *guarded.rule)
            .detail("For this, sign in with a passkey that asks for your PIN, fingerprint or face.");
    case domain::Entry::SignInTooOld:
        throw ApiError(role == http::Role::Authorizer ? ErrorCode::SignInTooOld : ErrorCode::Unauthenticated,
                       "OTPGATE_REQUIRE: " + *guarded.rule);
    }
}

std::string remoteUserOf(const domain::User& user, RemoteUser choice) {
    if (choice == RemoteUser::Id) return user.id.toString();
    const auto email = domain::provedEmail(user);
    if (!email) throw ApiError(ErrorCode::Forbidden, "authz.remote_user = email: there is no proved one");
    return *email;
}

}  // namespace

Caller admit(domain::SessionService& sessions, domain::SiteSessions& sites, const http::Cors& cors, const Clock& clock,
             const ApiSettings& settings, const http::Request& request) {
    Caller caller = recognise(sessions, sites, cors, settings, request);
    requireStanding(domain::Action::Use, caller, clock, settings.changeWithin);
    if (request.guarded) requireEntry(*request.guarded, caller, request.role, clock.now());
    return caller;
}

std::optional<http::Response> wayToSignIn(const domain::SiteSessions& sites, const ApiSettings& settings,
                                          const http::Request& request, http::ErrorCode refusal) {
    const bool helps = refusal == ErrorCode::Unauthenticated || refusal == ErrorCode::InvalidToken ||
                       refusal == ErrorCode::SignInTooOld || refusal == ErrorCode::InsufficientUserAuthentication;
    const bool isAsked = request.role == http::Role::Authorizer && request.guarded;
    if (!helps || !isAsked || !opensPage(request, request.guarded->method)) return std::nullopt;
    return towardsSignIn(sites, settings, request, *request.guarded);
}

http::Response authorize(const http::Request&, const Caller& caller, const ApiSettings& settings) {
    // For nginx's auth_request: the web server hands these on to what it protects.
    http::Response response = http::Response::noContent();
    const std::string user = remoteUserOf(caller.user, settings.authz.remoteUser);
    const auto email = domain::provedEmail(caller.user);
    response.with("Otpgate-User", user);
    const std::string groups = joined(caller.user.groups, ",");
    const auto withGroups = [&](const char* name) {
        if (!groups.empty()) response.with(name, groups);
    };
    const auto level = std::to_string(static_cast<int>(domain::assuranceOf(caller.session.methods)));
    switch (settings.authz.headers) {
    case HeaderFamily::XAuth:
        response.with("X-Auth-User", caller.user.id.toString()).with("X-Auth-Session", caller.session.id.toString());
        if (email) response.with("X-Auth-Email", *email);
        response.with("X-Auth-Aal", level);
        withGroups("X-Auth-Groups");
        break;
    case HeaderFamily::Remote:
        response.with("Remote-User", user);
        if (email) response.with("Remote-Email", *email);
        withGroups("Remote-Groups");
        break;
    case HeaderFamily::XAuthRequest:
        response.with("X-Auth-Request-User", user);
        if (email) response.with("X-Auth-Request-Email", *email);
        withGroups("X-Auth-Request-Groups");
        break;
    }
    return response;
}

http::Response beginAtSite(const http::Request& request, domain::SessionService& sessions, domain::SiteSessions& sites,
                           const http::Cors& cors, const Clock& clock, const ApiSettings& settings) {
    const http::GuardedRequest& guarded = guardedBy(settings, request);
    try {
        admit(sessions, sites, cors, clock, settings, request);
    } catch (const ApiError& refusal) {
        // mod_fcgid's access checker sends everybody here whom it refuses. Who is signed in and may not enter would
        // come back in a circle.
        if (refusal.code() == ErrorCode::Forbidden) throw;
    }
    if (!opensPage(request, guarded.method)) throw ApiError(ErrorCode::Unauthenticated);
    return towardsSignIn(sites, settings, request, guarded);
}

http::Response handOver(const http::Request& request, domain::SessionService& sessions, domain::SiteSessions& sites,
                        const Clock& clock, const ApiSettings& settings) {
    const std::string site = toLower(request.queryParameter("site").value_or(""));
    const std::string target = request.queryParameter("to").value_or("");
    const std::string challenge = request.queryParameter("challenge").value_or("");
    const Application* application = settings.returnTargets.application(site);
    const auto back = settings.returnTargets.find(site + target);
    const bool isGood = application != nullptr && back && target.starts_with('/') && keepsCookies(site) &&
                        domain::SiteSessions::isChallenge(challenge) && !isOwnOrigin(settings, site);
    if (!isGood || isScripted(request)) throw ApiError(ErrorCode::NotFound, "no site of page.return_to, or no page");

    const auto cookie = http::findCookie(request, kSessionCookie);
    const auto session = cookie ? sessions.authenticateCookie(*cookie) : std::nullopt;
    const bool needsTwoFactors = request.queryParameter("aal").value_or("") == "2";
    if (!session) return toLoginPage(settings, back->url, momentFor(needsTwoFactors, false));
    const std::string& methods = session->session.methods;
    const bool isSure = domain::assuranceOf(methods) == domain::AssuranceLevel::Two;
    if ((needsTwoFactors && !isSure) || !domain::opensAccount(methods, session->user.hasFactor) || session->owesFactor)
        return toLoginPage(settings, back->url, "passkey");
    const auto within = parseNumber<std::uint32_t>(request.queryParameter("within").value_or(""));
    if (within && !domain::signedInRecently(session->session, std::chrono::seconds{*within}, clock.now()))
        return toLoginPage(settings, back->url, "again");

    if (isShared(settings.authz, site)) {
        http::Response response = redirectTo(back->url);
        http::setDomainCookie(response, kSharedCookie, sites.cookieOf(session->session.id, sharedPlace(settings.authz)),
                              settings.authz.cookieDomain, sites.lifetime());
        return response;
    }
    return redirectTo(application->origin +
                      "/.otpgate/enter?ticket=" + sites.ticketFor(session->session.id, application->origin, challenge) +
                      "&to=" + percentEncoded(target));
}

http::Response enterSite(const http::Request& request, domain::SiteSessions& sites, const ApiSettings& settings) {
    const http::GuardedRequest& guarded = guardedBy(settings, request);
    const std::string target = request.queryParameter("to").value_or("/");
    const auto back = settings.returnTargets.find(guarded.site + target);
    if (!target.starts_with('/') || !back || isScripted(request)) throw ApiError(ErrorCode::NotFound);

    const auto nonce = http::findCookie(request, named(kNonceCookie, guarded.site));
    const auto session =
        sites.redeem(request.queryParameter("ticket").value_or(""), guarded.site, nonce.value_or(std::string_view{}));
    if (!session) {
        // A page that was loaded again, perhaps. Who is not in already is told by the login page, and goes on from
        // there by a click, so that nobody runs in a circle whose browser keeps no cookies.
        if (visitorOf(sites, settings.authz, request, guarded.site)) return redirectTo(back->url);
        return redirectTo(settings.publicUrl + "/?return_to=" + percentEncoded(back->url));
    }
    http::Response response = redirectTo(back->url);
    http::setCookie(response, named(kSiteCookie, guarded.site), sites.cookieOf(session->session.id, guarded.site),
                    sites.lifetime());
    return response;
}

http::Response showTheWayOut(const http::Request& request, const ApiSettings& settings) {
    // A link must not sign anybody out, or a picture would. The page has a button.
    guardedBy(settings, request);
    return redirectTo(settings.publicUrl + "/");
}

http::Response leaveSite(const http::Request& request, domain::SessionService& sessions, domain::SiteSessions& sites,
                         const ApiSettings& settings) {
    const http::GuardedRequest& guarded = guardedBy(settings, request);
    if (!equalsIgnoringCase(request.header("origin").value_or(""), guarded.site))
        throw ApiError(ErrorCode::Forbidden, "foreign origin");
    // The login ends, and with it the session of every site.
    if (const auto visitor = visitorOf(sites, settings.authz, request, guarded.site)) {
        sessions.end(visitor->session.id, visitor->user.id, "logout", domain::DeviceFate::Keep, clientOf(request));
    }
    http::Response response = redirectTo(settings.publicUrl + "/");
    http::clearCookie(response, named(kSiteCookie, guarded.site));
    return response;
}

}  // namespace otpgate::api
