// Paths of requests: the first line is the method, the rest the target.
#include "fuzz/fuzz.h"
#include "http/cgi.h"
#include "http/percent.h"
#include "otpgate/base/encoding.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/router.h"

#include <algorithm>

namespace {

using namespace otpgate;

// The shapes of our routes: literals beside names, one within the other, a slash at the end.
http::Router makeRouter() {
    http::Router router;
    const auto answer = [](const char* name) {
        return [name](const http::Request&) { return http::Response{200, name, "text/plain", {}}; };
    };
    router.add("GET", "/", answer("/"));
    router.add("GET", "/api/v1/auth/sessions", answer("/api/v1/auth/sessions"));
    router.add("DELETE", "/api/v1/auth/sessions/{id}", answer("/api/v1/auth/sessions/{id}"));
    router.add("POST", "/api/v1/auth/sessions/current", answer("/api/v1/auth/sessions/current"));
    router.add("POST", "/api/auth/send-otp/", answer("/api/auth/send-otp/"));
    router.add("GET", "/a/{b}/c", answer("/a/{b}/c"));
    router.add("GET", "/a/b/{c}", answer("/a/b/{c}"));
    return router;
}

// By the definition alone: as many segments, each the same or one with a name.
bool fits(std::string_view pattern, std::string_view path) {
    if (pattern.size() > 1 && pattern.ends_with('/')) pattern.remove_suffix(1);
    while (true) {
        const auto patternEnd = pattern.find('/', 1);
        const auto pathEnd = path.find('/', 1);
        const std::string_view expected = pattern.substr(0, patternEnd);
        const std::string_view segment = path.substr(0, pathEnd);
        if (expected.starts_with("/{") ? segment.size() < 2 : expected != segment) return false;
        if (patternEnd == std::string_view::npos || pathEnd == std::string_view::npos) return patternEnd == pathEnd;
        pattern.remove_prefix(patternEnd);
        path.remove_prefix(pathEnd);
    }
}

}  // namespace

FUZZ_TARGET(router) {
    static const http::Router router = makeRouter();
    fuzz::Input lines(input);
    http::Request request;
    request.method = lines.line();
    const std::string_view target = lines.rest();

    const auto decoded = http::percentDecode(target, http::PlusSign::Literal);
    REQUIRE(decoded.text.size() <= target.size());
    if (target.find('%') == std::string_view::npos) REQUIRE(decoded.isWellFormed && decoded.text == target);

    const auto path = http::decodePath(target);
    if (!path) return;
    REQUIRE(path->starts_with('/') && isValidUtf8(*path));
    REQUIRE(std::none_of(path->begin(), path->end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    REQUIRE(http::decodePath(std::string{target} + "?query") == path || target.find('?') != std::string_view::npos);
    request.path = *path;
    std::size_t fitting = 0;
    for (const std::string& pattern : router.patterns()) fitting += fits(pattern, *path) ? 1 : 0;
    try {
        const http::Response response = router.route(request);
        REQUIRE(fitting > 0);
        REQUIRE(response.status == 204 || fits(response.body, *path));
        REQUIRE(request.route != http::Request::kNoRoute);
        for (const auto& [name, value] : request.pathParameters) {
            REQUIRE(!value.empty() && value.find('/') == std::string::npos);
        }
    } catch (const http::ApiError& error) {
        REQUIRE(error.code() == (fitting > 0 ? http::ErrorCode::MethodNotAllowed : http::ErrorCode::NotFound));
        REQUIRE(!router.needsBody(request));
    }
}
