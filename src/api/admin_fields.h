// What the endpoints of administrators share: who acts upon whom, pages, and a message of the outbox.
#pragma once

#include "api/admin.h"
#include "otpgate/http/json.h"

#include <optional>
#include <string>

namespace otpgate::api {

// The id of the path. Throws ApiError NotFound for anything else.
Uuid idOf(const http::Request& request);
domain::Client actingClient(const http::Request& request, const Administrator& caller);

// Of an act. What was so already is no failure: who asks twice gets what he asked for.
http::Response answerOf(domain::AdminOutcome outcome);

// How many are wished for on a page: 1 to 200, or else 50. Throws ApiError ValidationError.
unsigned limitOf(const http::Request& request);
// What we said as next_cursor; empty: none. Throws ApiError ValidationError.
std::string cursorOf(const http::Request& request);
// The same, of pages whose cursors are ids; zeros: none.
Uuid idCursorOf(const http::Request& request);
[[noreturn]] void rejectCursor();
void writeNextCursor(http::JsonWriter& json, const std::optional<std::string>& next);

void writeMessage(http::JsonWriter& json, const domain::OutboxEntry& entry);

}  // namespace otpgate::api
