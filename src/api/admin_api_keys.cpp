// /api/v1/admin/api-keys: the keys of everybody, by which messages are sent on this service's bill.
#include "api/admin_fields.h"
#include "api/views.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

namespace {

void writeOwner(http::JsonWriter& json, const domain::User& owner) {
    json.beginObject()
        .member("id", owner.id.toString())
        .member("username", owner.username)
        .member("email", owner.email)
        .member("phone_number", owner.phoneNumber)
        .endObject();
}

}  // namespace

http::Response listEverybodysApiKeys(const http::Request& request, const Administrator&,
                                     domain::ApiKeyService& apiKeys) {
    const unsigned limit = limitOf(request);
    const Uuid last = idCursorOf(request);
    const auto keys = apiKeys.listAll(last == Uuid{} ? std::nullopt : std::optional{last}, limit);
    http::JsonWriter json;
    json.beginObject().key("api_keys").beginArray();
    for (const domain::OwnedApiKey& owned : keys) {
        json.beginObject();
        writeApiKey(json, owned.key);
        json.member("last_used_at", optionalTime(owned.key.lastUsedAt)).key("owner");
        writeOwner(json, owned.owner);
        json.endObject();
    }
    json.endArray();
    writeNextCursor(json, keys.size() == limit ? std::optional{keys.back().key.id.toString()} : std::nullopt);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response revokeAnyApiKey(const http::Request& request, const Administrator& caller,
                               domain::ApiKeyService& apiKeys) {
    if (!apiKeys.revoke(idOf(request), std::nullopt, actingClient(request, caller)))
        throw http::ApiError(http::ErrorCode::NotFound);
    return http::Response::noContent();
}

}  // namespace otpgate::api
