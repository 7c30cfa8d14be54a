// Between CGI (RFC 3875), as FastCGI carries it, and our plain values. Pure functions, used by the FastCGI edge.
#pragma once

#include "otpgate/base/random.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/request.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::http {

// Who asks as an Authorizer. mod_fcgid's access checker says in FCGI_APACHE_ROLE that it is one.
enum class Authorizer { Ordinary, AccessChecker };

struct CgiRequest {
    Request request;                             // without its body
    std::optional<std::uint64_t> bodyBytes = 0;  // CONTENT_LENGTH: 0 where there is none, nothing where it is no number
    // There is none, because the client sends in chunks: the body is what comes until its end.
    bool isBodyOpen = false;
    Authorizer authorizer = Authorizer::Ordinary;
};

// Names and values.
using CgiVariables = std::vector<std::pair<std::string_view, std::string_view>>;

// A path that cannot be decoded is rejected with NotFound.
CgiRequest readCgi(const CgiVariables& variables, Role role, const TrustedProxies& trustedProxies, Random& random);

// The path of a request target: without the query, decoded once, without slashes at the end. Nothing when it is not one
// of ours: no slash at the start, a bad escape, a control character or NUL, or not UTF-8.
std::optional<std::string> decodePath(std::string_view target);

// At most 255 bytes, without control characters and invalid UTF-8.
std::string cleanUserAgent(std::string_view text);

// The answer to an Authorizer: 204 becomes the 200 that means "go on", what it tells of the visitor becomes variables.
// To an access checker all other answers are one, a bare 401: Apache then asks as a Responder (ErrorDocument) what to
// say.
Response asAuthorizer(Response response, Authorizer authorizer);

enum class BodyMode { Whole, HeadersOnly };
// `Status: 200 OK`, the header fields with an exact Content-Length, a blank line, the body. No value can add a line of
// its own: control characters are left out, and so is a field whose name is not a token.
std::string writeCgi(const Response& response, BodyMode mode);

}  // namespace otpgate::http
