// The JSON of what several endpoints answer with.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/http/json.h"

#include <span>
#include <string_view>

namespace otpgate::api {

std::optional<std::string> optionalTime(const std::optional<Timestamp>& time);  // RFC 3339
// Of a token that was good for one use.
inline constexpr std::string_view kBadToken = "is not valid, was used already or is too old";

std::optional<std::string> unlessEmpty(const std::string& text);

http::Response jsonResponse(int status, http::JsonWriter& json);
// 200 with a sentence for the user: `message`, and `detail` for clients that look there.
http::Response messageResponse(std::string_view message);
// A browser's way on, by GET whatever its method was: 303 (RFC 9700, section 4.12). Where it goes learns no address of
// ours.
http::Response redirectTo(const std::string& url);

struct Place {
    std::string_view name;
    std::string_view path;
};
// For each a member with its whole address.
void writePlaces(http::JsonWriter& json, const ApiSettings& settings, std::span<const Place> places);
// The members channels and code: how codes come, and what they look like.
void writeCodes(http::JsonWriter& json, const ApiSettings& settings);
// The member `groups` of an object that has been begun.
void writeGroups(http::JsonWriter& json, const std::vector<std::string>& groups);
void writeUser(http::JsonWriter& json, const domain::User& user);
void writeSession(http::JsonWriter& json, const domain::Session& session, const Uuid& currentId);
// The members of an object that has been begun; never the key itself.
void writeApiKey(http::JsonWriter& json, const domain::ApiKey& key);
// The members access, refresh, token_type, expires_in and session_id of an object that has been begun.
void writeTokens(http::JsonWriter& json, const domain::Tokens& tokens);

}  // namespace otpgate::api
