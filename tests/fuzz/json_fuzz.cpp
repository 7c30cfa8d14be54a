// JsonBody: what strangers send as the body of a request.
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Parser.h>

namespace {

using namespace otpgate;

http::Request requestWith(std::string_view body) {
    http::Request request;
    request.contentType = "application/json";
    request.body = body;
    return request;
}

// The answer to a refused body: a client can read it, and it tells nothing of the body.
void requireProblem(const http::ApiError& error) {
    const http::Response response = error.toResponse("r");
    REQUIRE(response.status >= 400 && response.status < 500);
    REQUIRE(isValidUtf8(response.body));
    REQUIRE(response.body.find(http::describe(error.code()).code) != std::string::npos);
    http::JsonBody readable(requestWith(response.body));
    REQUIRE(readable.string("code").has_value());
}

}  // namespace

FUZZ_TARGET(json) {
    const http::Request request = requestWith(input);
    try {
        http::JsonBody body(request);
        for (const char* name : {"a", "destination", ""}) {
            const auto text = body.string(name);
            if (text) REQUIRE(isValidUtf8(*text) && text->find('\0') == std::string::npos && text->size() <= 1024);
            const auto hint = body.hint(name);
            REQUIRE(!text || hint == text);
            REQUIRE(!hint || body.has(name));
            body.integer(name);
            body.boolean(name);
            if (const auto list = body.strings(name)) {
                for (const std::string& each : *list) REQUIRE(isValidUtf8(each));
            }
            // What is kept of an object is JSON again, and is kept as the same text.
            if (const auto object = body.object(name, http::kMaxBodyBytes)) {
                REQUIRE(isValidUtf8(*object));
                const std::string wrapped = R"({"a":)" + *object + "}";
                if (wrapped.size() <= http::kMaxBodyBytes) {
                    http::JsonBody again(requestWith(wrapped));
                    REQUIRE(again.object("a", http::kMaxBodyBytes) == object);
                }
            }
        }
        body.rejectInvalid();
    } catch (const http::ApiError& error) {
        requireProblem(error);
    }

    // What we write of any text can be read, as the same text where that was valid.
    const std::string written = http::JsonWriter().beginObject().member("a", input).endObject().take();
    REQUIRE(isValidUtf8(written));
    if (written.size() > http::kMaxBodyBytes || input.find('\0') != std::string_view::npos) return;
    http::JsonBody body(requestWith(written));
    if (isValidUtf8(input)) REQUIRE(body.string("a", http::kMaxBodyBytes) == input);
    std::string logged = "{\"a\":";
    appendJsonString(logged, input);
    logged += '}';
    if (logged.size() > http::kMaxBodyBytes) return;
    http::JsonBody fromLog(requestWith(logged));
    if (isValidUtf8(input)) REQUIRE(fromLog.string("a", http::kMaxBodyBytes) == input);
}
