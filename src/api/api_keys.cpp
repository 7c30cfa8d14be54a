// /api/v1/api-keys.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <algorithm>

namespace otpgate::api {

namespace {

constexpr std::size_t kMaxKeyName = 100;

std::string readName(http::JsonBody& body) {
    if (!body.has("name")) body.noteMissing("name");
    const auto text = body.string("name");
    if (!text) return {};
    const auto name = domain::parsePersonName(*text);
    if (!name || name->empty() || countCharacters(*name) > kMaxKeyName) {
        body.noteInvalid("name", "must be 1 to 100 characters of plain text");
        return {};
    }
    return *name;
}

std::vector<domain::ApiScope> readScopes(http::JsonBody& body) {
    std::vector<domain::ApiScope> scopes;
    if (!body.has("scopes")) body.noteMissing("scopes");
    const auto words = body.strings("scopes");
    if (!words) return scopes;
    std::string known;
    for (const domain::ApiScope scope : domain::kApiScopes) {
        known += (known.empty() ? "" : ", ") + std::string{domain::toString(scope)};
    }
    for (const std::string& word : *words) {
        const auto scope = domain::parseApiScope(word);
        if (!scope) {
            body.noteInvalid("scopes", "must be of these: " + known);
            break;
        }
        if (std::find(scopes.begin(), scopes.end(), *scope) == scopes.end()) scopes.push_back(*scope);
    }
    return scopes;
}

std::optional<Timestamp> readExpiry(http::JsonBody& body, Timestamp now) {
    const auto text = body.string("expires_at");
    if (!text) return std::nullopt;
    const auto time = parseRfc3339(*text);
    if (!time || time->begin <= now) {
        body.noteInvalid("expires_at", "must be a time in the future, such as 2030-01-31T12:00:00Z");
        return std::nullopt;
    }
    return time->begin;
}

std::string readSendLimit(http::JsonBody& body) {
    const auto text = body.string("send_limit");
    if (!text) return {};
    const auto rule = domain::LimitRule::parse(*text);
    if (rule && !rule->isUnlimited()) return *text;
    body.noteInvalid("send_limit", "must be one or two limits such as 200/1h,1000/1d");
    return {};
}

void rejectUnlessCreated(const domain::ApiKeyCreation& creation) {
    using Outcome = domain::ApiKeyCreation::Outcome;
    switch (creation.outcome) {
    case Outcome::Created: return;
    case Outcome::NotAllowed:
        throw http::ApiError(http::ErrorCode::Forbidden, "api_keys.allowed")
            .detail("On this server only administrators make API keys.");
    case Outcome::TooMany:
        throw http::ApiError(http::ErrorCode::Conflict)
            .detail("You have " + std::to_string(domain::kMaxApiKeys) + " API keys. Revoke one first.");
    case Outcome::SessionEnded: throw http::ApiError(http::ErrorCode::InvalidToken);
    case Outcome::Limited: throw limitError(http::ErrorCode::RateLimit, creation.limit);
    }
}

}  // namespace

http::Response createApiKey(const http::Request& request, const Caller& caller, domain::ApiKeyService& apiKeys,
                            const Clock& clock) {
    http::JsonBody body(request);
    const domain::ApiKeyRequest wanted{readName(body), readScopes(body), readExpiry(body, clock.now()),
                                       readSendLimit(body)};
    body.rejectInvalid();

    const auto made = apiKeys.create(caller, wanted, clientOf(request));
    rejectUnlessCreated(made);
    const domain::IssuedApiKey& issued = made.issued.value();
    http::JsonWriter json;
    json.beginObject();
    writeApiKey(json, issued.key);
    json.member("key", issued.text).endObject();
    return jsonResponse(201, json);
}

http::Response listApiKeys(const http::Request&, const Caller& caller, domain::ApiKeyService& apiKeys) {
    http::JsonWriter json;
    json.beginObject().key("api_keys").beginArray();
    for (const domain::ApiKey& key : apiKeys.list(caller.user.id)) {
        json.beginObject();
        writeApiKey(json, key);
        json.member("last_used_at", optionalTime(key.lastUsedAt)).endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response revokeApiKey(const http::Request& request, const Caller& caller, domain::ApiKeyService& apiKeys) {
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id || !apiKeys.revoke(*id, caller.user.id, clientOf(request))) {
        throw http::ApiError(http::ErrorCode::NotFound).detail("You have no API key with this id.");
    }
    return http::Response::noContent();
}

}  // namespace otpgate::api
