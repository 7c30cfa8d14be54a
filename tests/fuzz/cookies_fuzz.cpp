// Cookies: the first of a name, whatever stands around it. The first line is the value that we set, the rest the
// header.
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/http/cookies.h"

namespace {

using namespace otpgate;
constexpr std::string_view kName = "__Host-otpgate";

std::optional<std::string> cookieIn(std::string header) {
    http::Request request;
    request.headers["cookie"] = std::move(header);
    const auto found = http::findCookie(request, kName);
    if (found) REQUIRE(found->find(';') == std::string_view::npos);
    return found ? std::optional<std::string>{*found} : std::nullopt;
}

}  // namespace

FUZZ_TARGET(cookies) {
    fuzz::Input bytes(input);
    const std::string value = toBase64Url(bytes.line());
    const std::string others{bytes.rest()};
    const auto found = cookieIn(others);
    if (found) REQUIRE(others.find(std::string{kName} + "=" + *found) != std::string::npos);
    if (others.find(kName) == std::string::npos) REQUIRE(!found);

    http::Response response;
    http::setCookie(response, kName, value, std::chrono::seconds{60});
    const std::string& set = response.headers.at(0).second;
    const std::string pair = set.substr(0, set.find(';'));
    // What a browser sends back, before and behind the cookies of others.
    REQUIRE(cookieIn(pair + "; " + others) == value);
    REQUIRE(cookieIn(others + "; " + pair) == (found ? found : std::optional{value}));
}
