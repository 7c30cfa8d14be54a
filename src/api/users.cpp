// /api/v1/auth/me and /api/v1/auth/profile.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/otp_fields.h"
#include "api/profile_fields.h"
#include "api/views.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <stdexcept>

namespace otpgate::api {

namespace {

http::Response userResponse(const domain::User& user, std::optional<Timestamp> factorDueAt = std::nullopt) {
    http::JsonWriter json;
    json.beginObject().key("user");
    writeUser(json, user);
    if (factorDueAt) json.member("factor_due_at", formatRfc3339(*factorDueAt));
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace

http::Response showMe(const http::Request&, const Caller& caller, domain::SessionService& sessions) {
    http::Response response = userResponse(caller.user, sessions.factorDueAt(caller.user));
    if (caller.credential == Credential::Cookie) {
        response.with("X-CSRF-Token", sessions.csrfTokenOf(caller.session.id));
        // The session lives on while it is used; its cookie must too.
        http::setCookie(response, kSessionCookie, sessions.cookieOf(caller.session.id),
                        sessions.cookieLifetime(caller.session));
    }
    return response;
}

http::Response updateProfile(const http::Request& request, const Caller& caller, domain::AccountService& accounts,
                             const Clock& clock, const ApiSettings& settings) {
    using Outcome = domain::ProfileUpdate::Outcome;
    http::JsonBody body(request);
    domain::ProfileFields fields;
    fields.username = readUsername(body, caller.user);
    fields.displayName = readName(body, "display_name");
    fields.firstName = readName(body, "first_name");
    fields.lastName = readName(body, "last_name");
    // Nothing sets it back to the browser's; what is no tag leaves it as it is.
    if (const auto locale = body.hint("locale"); locale && (locale->empty() || !readLocale(body).empty())) {
        fields.locale = readLocale(body);
    }
    body.rejectInvalid();
    // A name is for ever.
    if (fields.username) requireStanding(domain::Action::Change, caller, clock, settings.changeWithin);

    const auto update = accounts.updateProfile(caller.user.id, fields, domain::NameGiver::Owner, clientOf(request));
    switch (update.outcome) {
    case Outcome::Updated: return userResponse(update.user.value());
    case Outcome::NoSuchUser: throw http::ApiError(http::ErrorCode::InvalidToken);
    case Outcome::NameTaken: body.noteInvalid("username", "cannot be had: choose another one"); break;
    case Outcome::NamedBefore:
        body.noteInvalid("username", "was chosen already; an administrator can change it");
        break;
    }
    body.rejectInvalid();
    throw std::logic_error("a refused name is an invalid field");
}

http::Response deleteMe(const http::Request&, const Caller& caller, domain::AccountService& accounts) {
    accounts.remove(caller.user);
    http::Response response = http::Response::noContent();
    http::clearCookie(response, kSessionCookie);
    http::clearCookie(response, kDeviceCookie);
    return response;
}

}  // namespace otpgate::api
