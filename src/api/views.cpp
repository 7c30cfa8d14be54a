#include "api/views.h"

#include "otpgate/domain/username.h"

namespace otpgate::api {

std::optional<std::string> unlessEmpty(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return text;
}

std::optional<std::string> optionalTime(const std::optional<Timestamp>& time) {
    if (!time) return std::nullopt;
    return formatRfc3339(*time);
}

http::Response jsonResponse(int status, http::JsonWriter& json) {
    http::Response response;
    response.status = status;
    response.body = json.take();
    response.said = json.takeSaid();
    return response;
}

http::Response messageResponse(std::string_view message) {
    http::JsonWriter json;
    json.beginObject().sentence("message", message).sentence("detail", message).endObject();
    return jsonResponse(200, json);
}

http::Response redirectTo(const std::string& url) {
    http::Response response;
    response.status = 303;
    response.contentType.clear();
    response.with("Location", url).with("Referrer-Policy", "no-referrer");
    return response;
}

void writePlaces(http::JsonWriter& json, const ApiSettings& settings, std::span<const Place> places) {
    for (const Place& place : places) json.member(place.name, settings.publicUrl + std::string{place.path});
}

void writeCodes(http::JsonWriter& json, const ApiSettings& settings) {
    json.key("channels").beginArray().value("email");
    if (settings.smsIsSetUp) json.value("sms");
    json.endArray();
    json.key("code").beginObject();
    json.member("length", std::int64_t{settings.codeFormat.length});
    json.member("alphabet", settings.codeFormat.alphabet == domain::CodeAlphabet::Digits ? "digits" : "letters");
    json.endObject();
}

void writeGroups(http::JsonWriter& json, const std::vector<std::string>& groups) {
    json.key("groups").beginArray();
    for (const std::string& group : groups) json.value(group);
    json.endArray();
}

void writeUser(http::JsonWriter& json, const domain::User& user) {
    json.beginObject()
        .member("id", user.id.toString())
        .member("username", domain::shownUsername(user))
        .member("email", user.email)
        .member("phone_number", user.phoneNumber)
        .member("email_verified", user.emailVerified)
        .member("phone_verified", user.phoneVerified)
        .member("first_name", user.firstName)
        .member("last_name", user.lastName)
        .member("locale", user.locale)
        .member("role", domain::toString(user.role))
        .member("status", domain::toString(user.status))
        .member("date_joined", formatRfc3339(user.joinedAt))
        .member("last_login_at", optionalTime(user.lastLoginAt));
    // Only where they say something: older clients compare what they get with what they know.
    if (!user.displayName.empty()) json.member("display_name", user.displayName);
    if (!user.groups.empty()) writeGroups(json, user.groups);
    json.endObject();
}

void writeSession(http::JsonWriter& json, const domain::Session& session, const Uuid& currentId) {
    json.beginObject()
        .member("id", session.id.toString())
        .member("created_at", formatRfc3339(session.createdAt))
        .member("last_seen_at", formatRfc3339(session.lastSeenAt))
        .member("expires_at", formatRfc3339(session.expiresAt))
        .member("ip", session.address)
        .member("user_agent", session.userAgent);
    json.key("device")
        .beginObject()
        .member("install_id", unlessEmpty(session.device.installId))
        .member("platform", unlessEmpty(session.device.platform))
        .member("app_version", unlessEmpty(session.device.appVersion))
        .member("device_name", unlessEmpty(session.device.name))
        .endObject();
    json.member("current", session.id == currentId).endObject();
}

void writeApiKey(http::JsonWriter& json, const domain::ApiKey& key) {
    json.member("id", key.id.toString()).member("name", key.name).member("prefix", key.prefix);
    json.key("scopes").beginArray();
    for (const domain::ApiScope scope : key.scopes) json.value(domain::toString(scope));
    json.endArray();
    json.member("created_at", formatRfc3339(key.createdAt)).member("expires_at", optionalTime(key.expiresAt));
    json.member("send_limit", unlessEmpty(key.sendLimit));
}

void writeTokens(http::JsonWriter& json, const domain::Tokens& tokens) {
    json.member("access", tokens.access)
        .member("refresh", tokens.refresh)
        .member("token_type", "Bearer")
        .member("expires_in", tokens.expiresIn.count())
        .member("session_id", tokens.sessionId.toString());
}

}  // namespace otpgate::api
