#include "api/admin.h"

#include "api/audit_fields.h"
#include "api/audit_rows.h"
#include "api/authentication.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <array>

namespace otpgate::api {

namespace {

using domain::AdminOutcome;
using http::ApiError;
using http::ErrorCode;

constexpr unsigned kPageSize = 50;
constexpr unsigned kMostOfAPage = 200;
constexpr unsigned kEventsOfOne = 50;
constexpr unsigned kMessagesOfOne = 20;

Uuid userIdOf(const http::Request& request) {
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id) throw ApiError(ErrorCode::NotFound);
    return *id;
}

domain::User userOf(const http::Request& request, domain::Administration& people) {
    auto user = people.find(userIdOf(request));
    if (!user) throw ApiError(ErrorCode::NotFound);
    return std::move(*user);
}

domain::Client actingClient(const http::Request& request, const Administrator& caller) {
    domain::Client client = clientOf(request);
    client.actor = caller.user.id;
    return client;
}

unsigned limitOf(const http::Request& request) {
    const auto text = request.queryParameter("limit");
    if (!text) return kPageSize;
    const auto limit = parseNumber<unsigned>(*text);
    if (limit && *limit >= 1 && *limit <= kMostOfAPage) return *limit;
    throw ApiError(ErrorCode::ValidationError).field("limit", "must be a number from 1 to 200");
}

[[noreturn]] void rejectCursor() {
    throw ApiError(ErrorCode::ValidationError).field("cursor", "must be a next_cursor that was answered");
}

// What we said as next_cursor.
std::string cursorOf(const http::Request& request) {
    const auto text = request.queryParameter("cursor");
    if (!text || text->empty()) return {};
    auto cursor = parseBase64Url(*text);
    if (cursor && isValidUtf8(*cursor)) return std::move(*cursor);
    rejectCursor();
}

void writeNextCursor(http::JsonWriter& json, const std::optional<std::string>& next) {
    json.member("next_cursor", next ? std::optional{toBase64Url(*next)} : std::nullopt);
}

// What was so already is no failure: who asks twice gets what he asked for.
http::Response answerOf(AdminOutcome outcome) {
    switch (outcome) {
    case AdminOutcome::Done:
    case AdminOutcome::Unchanged: return http::Response::noContent();
    case AdminOutcome::NoSuchUser:
    case AdminOutcome::NoSuchGroup: break;
    case AdminOutcome::Taken:
    case AdminOutcome::TooMany: throw ApiError(ErrorCode::Conflict);
    case AdminOutcome::Self: throw ApiError(ErrorCode::Forbidden, "an administrator's own account");
    }
    throw ApiError(ErrorCode::NotFound);
}

http::Response setStatus(const http::Request& request, const Administrator& caller, domain::Administration& people,
                         domain::UserStatus status) {
    return answerOf(people.setStatus(userIdOf(request), status, actingClient(request, caller)));
}

http::Response setMembership(const http::Request& request, const Administrator& caller, domain::Administration& people,
                             bool isMember) {
    const auto group = domain::parseGroupName(request.pathParameters.at("group"));
    if (!group) throw ApiError(ErrorCode::NotFound);
    return answerOf(people.setMembership(userIdOf(request), *group, isMember, actingClient(request, caller)));
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

void writeMessage(http::JsonWriter& json, const domain::OutboxEntry& entry) {
    const domain::OutboxMessage& message = entry.message;
    const bool hasPurpose = domain::carriesSecret(message.kind);
    json.beginObject()
        .member("id", message.id.toString())
        .member("state", domain::toString(entry.state))
        .member("kind", domain::toString(message.kind))
        .member("purpose", hasPurpose ? std::optional{domain::toString(message.purpose)} : std::nullopt)
        .member("channel", domain::toString(message.destination.channel()))
        .member("destination", message.destination.value())
        .member("attempts", message.attempts)
        .member("last_error", unlessEmpty(entry.lastError))
        .member("created_at", formatRfc3339(message.createdAt))
        .member("expires_at", formatRfc3339(message.expiresAt))
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
    return answerOf(people.remove(userIdOf(request), actingClient(request, caller)));
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
    return answerOf(people.setAddress(userIdOf(request), address.value(), actingClient(request, caller)));
}

http::Response clearUsersLimits(const http::Request& request, const Administrator& caller,
                                domain::Administration& people) {
    return answerOf(people.clearLimits(userIdOf(request), actingClient(request, caller)));
}

http::Response resetUsersFactors(const http::Request& request, const Administrator& caller,
                                 domain::Administration& people) {
    return answerOf(people.resetFactors(userIdOf(request), actingClient(request, caller)));
}

http::Response endUsersSessions(const http::Request& request, const Administrator& caller,
                                domain::Administration& people) {
    people.endSessions(userOf(request, people).id, actingClient(request, caller));
    return http::Response::noContent();
}

http::Response endUsersSession(const http::Request& request, const Administrator& caller,
                               domain::Administration& people) {
    const auto session = Uuid::parse(request.pathParameters.at("session"));
    if (!session || !people.endSession(userIdOf(request), *session, actingClient(request, caller))) {
        throw ApiError(ErrorCode::NotFound);
    }
    return http::Response::noContent();
}

http::Response joinGroup(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return setMembership(request, caller, people, true);
}

http::Response leaveGroup(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return setMembership(request, caller, people, false);
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
