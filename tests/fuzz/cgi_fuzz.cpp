// From CGI variables to a request and from an answer back to text: nothing of a client adds a line to either. Lines of
// the input are NAME=value.
#include "fuzz/fuzz.h"
#include "http/cgi.h"
#include "http/header_names.h"
#include "otpgate/base/encoding.h"
#include "support_cpp/fake_random.h"

#include <algorithm>

namespace {

using namespace otpgate;

bool holdsControl(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void requireRequest(const http::Request& request) {
    REQUIRE(request.userAgent.size() <= 255 && isValidUtf8(request.userAgent) && !holdsControl(request.userAgent));
    REQUIRE(http::cleanUserAgent(request.userAgent) == request.userAgent);
    REQUIRE(!request.requestId.empty() && request.requestId.size() <= 64);
    REQUIRE(std::all_of(request.requestId.begin(), request.requestId.end(),
                        [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; }));
    const auto client = http::IpAddress::parse(request.clientAddress);
    REQUIRE(client && client->toString() == request.clientAddress && client->network() == request.clientNetwork);
    if (!request.rejected) {
        REQUIRE(request.path.starts_with('/') && isValidUtf8(request.path) && !holdsControl(request.path));
        REQUIRE(request.path == "/" || !request.path.ends_with('/'));
    }
    for (const auto& [name, value] : request.headers) {
        REQUIRE(request.header(name) == value);
        REQUIRE(name.find('_') == std::string::npos);
    }
    for (const char* name : {"", "a", "from"}) {
        for (const auto& parameter : {request.queryParameter(name), request.formParameter(name)}) {
            if (parameter) REQUIRE(isValidUtf8(*parameter) && parameter->find('\0') == std::string::npos);
        }
    }
}

// The head of the text is the status and one line for each field that may stand there; the body is as it was.
void requireWritten(const http::Response& response) {
    const std::string text = http::writeCgi(response, http::BodyMode::Whole);
    const bool hasBody = response.status != 204 && response.status != 304;
    const auto end = text.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    REQUIRE(text.substr(end + 4) == (hasBody ? response.body : std::string{}));
    const std::string head = text.substr(0, end + 2);
    const auto fields = std::count_if(response.headers.begin(), response.headers.end(),
                                      [](const auto& field) { return http::isToken(field.first); });
    const bool hasType = hasBody && !response.contentType.empty();
    REQUIRE(std::count(head.begin(), head.end(), '\n') == 1 + (hasType ? 2 : 0) + fields);
    REQUIRE(std::count(head.begin(), head.end(), '\r') == std::count(head.begin(), head.end(), '\n'));
    REQUIRE(head.find('\0') == std::string::npos);
    REQUIRE(http::writeCgi(response, http::BodyMode::HeadersOnly) == text.substr(0, end + 4));
}

}  // namespace

FUZZ_TARGET(cgi) {
    static const http::TrustedProxies proxies({"127.0.0.0/8", "::1", "unix:"});
    test::FakeRandom random;
    fuzz::Input lines(input);
    const auto role = lines.line() == "authorizer" ? http::Role::Authorizer : http::Role::Responder;
    http::CgiVariables variables;
    http::Response response;
    response.body = input;
    while (!lines.rest().empty()) {
        const std::string_view line = lines.line();
        const auto equals = std::min(line.find('='), line.size());
        const auto value = line.substr(std::min(equals + 1, line.size()));
        variables.emplace_back(line.substr(0, equals), value);
        response.with(std::string{line.substr(0, equals)}, std::string{value});
    }
    http::CgiRequest cgi = http::readCgi(variables, role, proxies, random);
    cgi.request.body = input;
    requireRequest(cgi.request);
    if (role == http::Role::Authorizer) REQUIRE(cgi.request.path == "/authz" && cgi.bodyBytes == 0);

    for (const int status : {200, 204, 303, 599}) {
        response.status = status;
        requireWritten(response);
        requireWritten(http::asAuthorizer(response, cgi.authorizer));
    }
}
