// A request and its answer as plain values: what the router hands to an endpoint, with nothing of FastCGI left in them.
#pragma once

#include "otpgate/http/error_code.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::http {

// Why the edge could not read a request in full; `logDetail` is for the log line only.
struct Rejection {
    ErrorCode code;
    std::string logDetail;
};

// What the web server wants of us (FastCGI specification, section 6): an answer for the client, or leave to go on.
enum class Role { Responder, Authorizer };

// What a web server asks about a request to a site that it protects (etc/doc/protect.md). All of it is said by the web
// server's own settings, in CGI variables (OTPGATE_*): a client's header fields arrive as HTTP_* and cannot be taken
// for them.
struct GuardedRequest {
    std::string site;                 // OTPGATE_SITE, the site's origin: https://wiki.example.com
    std::optional<std::string> rule;  // OTPGATE_REQUIRE, who may enter: domain/entry_rule.h
    std::string method;               // of the visitor
    std::string target;               // path and query as the visitor sent them: OTPGATE_TARGET, or REQUEST_URI
};

// The pairs of a query or of a form's body, decoded, in their order; as queryParameter() reads them.
std::vector<std::pair<std::string, std::string>> parseForm(std::string_view encoded);

struct Request {
    Role role = Role::Responder;
    std::string method;  // upper case, as it came
    std::string path;    // decoded, without the query and without a trailing slash ("/" stays)
    std::string query;   // raw
    std::string body;
    // From CONTENT_TYPE; empty where there was none.
    std::string contentType;
    // The CGI variables HTTP_*, as lower-case names with dashes: "x-forwarded-for". A repeated one is joined by ", "
    // (RFC 9110, section 5.3), cookies by "; ".
    std::map<std::string, std::string, std::less<>> headers;
    // Set by the router: {id}, and which of its patterns the path is.
    std::map<std::string, std::string, std::less<>> pathParameters;
    static constexpr std::size_t kNoRoute = static_cast<std::size_t>(-1);
    std::size_t route = kNoRoute;

    std::string clientAddress;  // canonical text of the client's IP after trusted proxies: what is logged and audited
    std::string clientNetwork;  // the same for limits: IPv4 whole, IPv6 as its /64
    std::string requestId;      // REQUEST_ID from the web server (1 to 64 of [A-Za-z0-9_-]), or made here
    std::optional<GuardedRequest> guarded = {};
    std::string userAgent;  // at most 255 bytes of valid UTF-8 without control characters

    // Thrown by the router instead of calling the endpoint, so that an unknown path stays a 404 whatever its body was.
    std::optional<Rejection> rejected;

    std::optional<std::string_view> header(std::string_view lowerCaseName) const;
    // The decoded value of a query parameter; the first of several. Always valid UTF-8 without NUL: what is not becomes
    // U+FFFD.
    std::optional<std::string> queryParameter(std::string_view name) const;
    // The same of a form's body.
    bool hasForm() const;  // application/x-www-form-urlencoded
    std::optional<std::string> formParameter(std::string_view name) const;
};

// What an answer says to people, for the boundary to say it in their language: the English sentence, and the bytes of
// the body between which it stands, as a JSON string or as text of a page; or the name of the language itself.
struct Said {
    enum class Form { Json, Html, Language };
    std::size_t begin;
    std::size_t end;
    std::string english;
    Form form = Form::Json;
};

struct Response {
    int status = 200;
    std::string body;
    std::string contentType = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<Said> said{};
    std::string accountLanguage{};  // of who asked, a tag of BCP 47; empty where that is not known

    static Response noContent() { return {204, {}, {}, {}}; }
    Response& with(std::string name, std::string value) {
        headers.emplace_back(std::move(name), std::move(value));
        return *this;
    }
};

}  // namespace otpgate::http
