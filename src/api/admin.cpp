#include "api/admin.h"

#include "api/account_export.h"
#include "api/admin_fields.h"
#include "api/audit_fields.h"
#include "api/audit_rows.h"
#include "api/authentication.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <array>

namespace otpgate::api {

namespace {

using http::ApiError;
using http::ErrorCode;

constexpr unsigned kEventsOfOne = 50;
constexpr unsigned kMessagesOfOne = 20;

domain::User userOf(const http::Request& request, domain::Administration& people) {
    auto user = people.find(idOf(request));
    if (!user) throw ApiError(ErrorCode::NotFound);
    return std::move(*user);
}

http::Response setStatus(const http::Request& request, const Administrator& caller, domain::Administration& people,
                         domain::UserStatus status) {
    return answerOf(people.setStatus(idOf(request), status, actingClient(request, caller)));
}

void writeDevice(http::JsonWriter& json, const domain::KnownDevice& device) {
    json.beginObject()
        .member("id", device.id.toString())
        .member("platform", unlessEmpty(device.device.platform))
        .member("app_version", unlessEmpty(device.device.appVersion))
        .member("device_name", unlessEmpty(device.device.name))
        .member("created_at", formatRfc3339(device.createdAt))
        .member("last_seen_at", formatRfc3339(device.lastSeenAt))
        .endObject();
}

// "2 of 10 guesses left until 14:05", as numbers and times.
void writeLimit(http::JsonWriter& json, const domain::LimitNow& now, Timestamp time) {
    std::optional<std::string> resetAt;
    if (now.state.reset.count() > 0) resetAt = formatRfc3339(time + now.state.reset);
    json.beginObject()
        .member("counted", domain::toString(now.limit.counted))
        .member("address", unlessEmpty(now.limit.address))
        .member("limit", now.state.window.count)
        .member("window_seconds", now.state.window.window.count())
        .member("remaining", now.state.remaining)
        .member("next_free_at", resetAt)
        .endObject();
}

// Of the user and of the addresses, which what was sent to them is known by.
domain::AuditFilter eventsOf(const domain::User& user) {
    domain::AuditFilter filter;
    filter.scope = domain::AuditScope{user.id, domain::addressesOf(user)};
    return filter;
}

std::optional<std::string_view> setUser(domain::AuditFilter& filter, std::string_view text) {
    const auto id = Uuid::parse(text);
    if (!id) return "must be the id of a user";
    filter.scope = domain::AuditScope{*id, {}};
    return std::nullopt;
}

constexpr std::array<AuditParameter, 5> kEventParameters{{{"user", &setUser},
                                                          {"destination", &setAuditDestination},
                                                          {"event", &setAuditEvent},
                                                          {"from_date", &setAuditBegin},
                                                          {"to_date", &setAuditEnd}}};

domain::AuditFilter readEventFilter(const http::Request& request) {
    domain::AuditFilter filter;
    readAuditParameters(request, kEventParameters, filter);
    return filter;
}

std::optional<domain::Destination> readAddress(http::JsonBody& body, const ApiSettings& settings) {
    const auto email = body.string("email");
    const auto number = body.string("phone_number");
    std::optional<domain::Destination> address;
    if (email) {
        address = domain::Destination::parseEmail(*email, settings.emailValidation);
        if (!address) body.noteInvalid("email", "must be an e-mail address");
    } else if (number) {
        address = domain::Destination::parsePhoneNumber(*number);
        if (!address) body.noteInvalid("phone_number", "must be a telephone number such as +4930123456");
    } else {
        body.noteMissing("email");
    }
    return address;
}

}  // namespace

http::Response findUsers(const http::Request& request, const Administrator&, domain::Administration& people) {
    const auto page = people.search(request.queryParameter("search").value_or(""), cursorOf(request), limitOf(request));
    http::JsonWriter json;
    json.beginObject().key("users").beginArray();
    for (const domain::User& user : page.users) writeUser(json, user);
    json.endArray();
    writeNextCursor(json, page.next);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response showUser(const http::Request& request, const Administrator&, domain::Administration& people,
                        domain::ApiKeyService& apiKeys, domain::AuditStore& audit, const Clock& clock) {
    const domain::User user = userOf(request, people);
    http::JsonWriter json;
    json.beginObject().key("user");
    writeUser(json, user);
    json.member("has_factor", user.hasFactor).key("sessions").beginArray();
    for (const domain::Session& session : people.sessions(user.id)) writeSession(json, session, Uuid{});
    json.endArray().key("devices").beginArray();
    for (const domain::KnownDevice& device : people.devices(user.id)) writeDevice(json, device);
    json.endArray().key("api_keys").beginArray();
    for (const domain::ApiKey& key : apiKeys.list(user.id)) {
        json.beginObject();
        writeApiKey(json, key);
        json.member("last_used_at", optionalTime(key.lastUsedAt)).endObject();
    }
    json.endArray().key("limits").beginArray();
    for (const domain::LimitNow& limit : people.limits(user)) writeLimit(json, limit, clock.now());
    json.endArray().key("messages").beginArray();
    for (const domain::OutboxEntry& entry : people.messages(user, kMessagesOfOne)) writeMessage(json, entry);
    json.endArray().key("events").beginArray();
    for (const auto& entry : audit.next(eventsOf(user), std::nullopt, kEventsOfOne)) writeAuditEntry(json, entry);
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response deleteUser(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return answerOf(people.remove(idOf(request), actingClient(request, caller)));
}

http::Response disableUser(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return setStatus(request, caller, people, domain::UserStatus::Disabled);
}

http::Response enableUser(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return setStatus(request, caller, people, domain::UserStatus::Active);
}

http::Response setUsersAddress(const http::Request& request, const Administrator& caller,
                               domain::Administration& people, const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto address = readAddress(body, settings);
    body.rejectInvalid();
    return answerOf(people.setAddress(idOf(request), address.value(), actingClient(request, caller)));
}

http::Response clearUsersLimits(const http::Request& request, const Administrator& caller,
                                domain::Administration& people) {
    return answerOf(people.clearLimits(idOf(request), actingClient(request, caller)));
}

http::Response resetUsersFactors(const http::Request& request, const Administrator& caller,
                                 domain::Administration& people) {
    return answerOf(people.resetFactors(idOf(request), actingClient(request, caller)));
}

http::Response endUsersSessions(const http::Request& request, const Administrator& caller,
                                domain::Administration& people) {
    people.endSessions(userOf(request, people).id, actingClient(request, caller));
    return http::Response::noContent();
}

http::Response endUsersSession(const http::Request& request, const Administrator& caller,
                               domain::Administration& people) {
    const auto session = Uuid::parse(request.pathParameters.at("session"));
    if (!session || !people.endSession(idOf(request), *session, actingClient(request, caller))) {
        throw ApiError(ErrorCode::NotFound);
    }
    return http::Response::noContent();
}

http::Response exportUser(const http::Request& request, const Administrator& caller, domain::Administration& people,
                          domain::AccountService& accounts, domain::AuditStore& audit, const Clock& clock) {
    const domain::User user = userOf(request, people);
    people.noteExport(user.id, actingClient(request, caller));
    http::Response response;
    response.body = exportOf(user, accounts, audit, clock.now());
    response.with("Content-Disposition", "attachment; filename=\"account.json\"");
    return response;
}

http::Response listEvents(const http::Request& request, const Administrator&, domain::AuditStore& audit) {
    const auto filter = readEventFilter(request);
    const unsigned limit = limitOf(request);
    const std::string cursor = cursorOf(request);
    const auto last = Uuid::parse(cursor);
    if (!cursor.empty() && !last) rejectCursor();
    const auto entries = audit.next(filter, last, limit);
    http::JsonWriter json;
    json.beginObject().key("events").beginArray();
    for (const auto& entry : entries) writeAuditEntry(json, entry);
    json.endArray();
    writeNextCursor(json, entries.size() == limit ? std::optional{entries.back().id.toString()} : std::nullopt);
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
