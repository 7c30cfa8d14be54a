#include "api/admin_fields.h"

#include "api/authentication.h"
#include "api/views.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

constexpr unsigned kPageSize = 50;
constexpr unsigned kMostOfAPage = 200;

}  // namespace

Uuid idOf(const http::Request& request) {
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id) throw ApiError(ErrorCode::NotFound);
    return *id;
}

domain::Client actingClient(const http::Request& request, const Administrator& caller) {
    domain::Client client = clientOf(request);
    client.actor = caller.user.id;
    return client;
}

http::Response answerOf(domain::AdminOutcome outcome) {
    using domain::AdminOutcome;
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

unsigned limitOf(const http::Request& request) {
    const auto text = request.queryParameter("limit");
    if (!text) return kPageSize;
    const auto limit = parseNumber<unsigned>(*text);
    if (limit && *limit >= 1 && *limit <= kMostOfAPage) return *limit;
    throw ApiError(ErrorCode::ValidationError).field("limit", "must be a number from 1 to 200");
}

void rejectCursor() {
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

Uuid idCursorOf(const http::Request& request) {
    const std::string cursor = cursorOf(request);
    if (cursor.empty()) return {};
    const auto id = Uuid::parse(cursor);
    if (!id) rejectCursor();
    return *id;
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

}  // namespace otpgate::api
