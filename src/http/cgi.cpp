#include "http/cgi.h"

#include "http/header_names.h"
#include "http/percent.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <array>

namespace otpgate::http {

namespace {

constexpr std::size_t kUserAgentBytes = 255;
constexpr std::size_t kRequestIdBytes = 64;

bool isRequestId(std::string_view text) {
    return !text.empty() && text.size() <= kRequestIdBytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return isLetterOrDigit(c) || c == '_' || c == '-'; });
}

std::string makeRequestId(Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    return toHex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// HTTP_X_FORWARDED_FOR -> x-forwarded-for
void addHeader(Request& request, std::string_view variable, std::string_view value) {
    std::string name;
    name.reserve(variable.size());
    for (const char c : variable) name += c == '_' ? '-' : toLower(c);
    const auto [header, isNew] = request.headers.try_emplace(std::move(name), value);
    if (isNew) return;
    header->second += header->first == "cookie" ? "; " : ", ";
    header->second += value;
}

std::string_view reasonPhraseOf(int status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Status";  // a phrase has to stand there, and nobody reads it
    }
}

void appendField(std::string& out, std::string_view name, std::string_view value) {
    if (!isToken(name)) return;
    out += name;
    out += ": ";
    if (std::none_of(value.begin(), value.end(), isControl)) {
        out += value;
    } else {
        std::copy_if(value.begin(), value.end(), std::back_inserter(out), [](char c) { return !isControl(c); });
    }
    out += "\r\n";
}

bool mayHaveBody(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

void readGuarded(std::optional<GuardedRequest>& guarded, std::string_view name, std::string_view value) {
    GuardedRequest said = guarded.value_or(GuardedRequest{});
    if (name == "OTPGATE_SITE") {
        said.site = toLower(value);
        while (said.site.ends_with('/')) said.site.pop_back();
    } else if (name == "OTPGATE_REQUIRE") {
        said.rule = value;
    } else if (name == "OTPGATE_TARGET") {
        said.target = value;
    } else if (name == "OTPGATE_METHOD") {
        said.method = value;
    } else {
        return;
    }
    guarded = std::move(said);
}

// What /authz tells of a visitor, in whichever family of names.
bool isToldToSites(std::string_view name) {
    return name.starts_with("X-Auth-") || name.starts_with("Remote-") || name.starts_with("Otpgate-");
}

}  // namespace

CgiRequest readCgi(const CgiVariables& variables, Role role, const TrustedProxies& trustedProxies, Random& random) {
    CgiRequest cgi;
    Request& request = cgi.request;
    request.role = role;
    std::string_view target;
    std::string_view otherTarget;  // in place of the one that the client asked for
    std::string_view scriptName;
    std::string_view pathInfo;
    std::string_view remoteAddress;
    std::string_view requestId;
    std::string_view contentLength;
    for (const auto& [name, value] : variables) {
        if (name.starts_with("HTTP_")) {
            addHeader(request, name.substr(5), value);
        } else if (name == "REQUEST_METHOD") {
            request.method = value;
        } else if (name == "REQUEST_URI") {
            target = value;
        } else if (name == "QUERY_STRING") {
            request.query = value;
        } else if (name == "CONTENT_TYPE") {
            request.contentType = value;
        } else if (name == "CONTENT_LENGTH") {
            // Of two the last one counts, as for the others: nginx's auth_request asks about a request whose body stays
            // behind.
            contentLength = value;
        } else if (name == "REMOTE_ADDR") {
            remoteAddress = value;
        } else if (name == "REQUEST_ID") {
            requestId = value;
        } else if (name == "SCRIPT_NAME") {
            scriptName = value;
        } else if (name == "PATH_INFO") {
            pathInfo = value;
        } else if (name == "FCGI_APACHE_ROLE") {
            if (value == "ACCESS_CHECKER") cgi.authorizer = Authorizer::AccessChecker;
        } else if (name == "OTPGATE_PATH") {
            otherTarget = value;
        } else if (name.starts_with("OTPGATE_")) {
            readGuarded(request.guarded, name, value);
        }
    }
    if (request.guarded) {
        if (request.guarded->target.empty()) request.guarded->target = target;
        if (request.guarded->method.empty()) request.guarded->method = request.method;
    }
    if (!otherTarget.empty()) target = otherTarget;

    if (!contentLength.empty()) {
        cgi.bodyBytes = parseNumber<std::uint64_t>(contentLength);
    } else {
        // mod_fcgid, which has read a chunked body whole, tells neither its length nor that it was chunked.
        cgi.isBodyOpen = request.header("transfer-encoding").has_value() || mayHaveBody(request.method);
    }

    // These two are decoded by the web server already; a percent sign in them stands for itself.
    std::string fallback;
    if (target.empty()) {
        fallback = std::string{scriptName}.append(pathInfo);
        for (std::size_t i = 0; (i = fallback.find_first_of("%?", i)) != std::string::npos; i += 3) {
            fallback.replace(i, 1, fallback[i] == '%' ? "%25" : "%3F");
        }
        target = fallback;
    }
    if (auto path = decodePath(target)) {
        request.path = std::move(*path);
    } else {
        request.path = target.substr(0, target.find('?'));
        request.rejected = Rejection{ErrorCode::NotFound, "a path that cannot be decoded"};
    }
    if (request.role == Role::Authorizer) {
        // What is asked is whether the client may go on, whatever it wants to do elsewhere: there is no body (FastCGI
        // 1.0, section 6.3).
        request.method = "GET";
        request.path = "/authz";
        request.rejected.reset();
        cgi.bodyBytes = 0;
        cgi.isBodyOpen = false;
    }
    request.requestId = isRequestId(requestId) ? std::string{requestId} : makeRequestId(random);
    request.userAgent = cleanUserAgent(request.header("user-agent").value_or(""));
    const IpAddress client = trustedProxies.clientOf(remoteAddress, request.header("x-forwarded-for").value_or(""));
    request.clientAddress = client.toString();
    request.clientNetwork = client.network();
    return cgi;
}

std::optional<std::string> decodePath(std::string_view target) {
    auto [path, isWellFormed] = percentDecode(target.substr(0, target.find('?')), PlusSign::Literal);
    if (!isWellFormed || !path.starts_with('/') || std::any_of(path.begin(), path.end(), isControl))
        return std::nullopt;
    if (!isValidUtf8(path)) return std::nullopt;
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return std::move(path);
}

std::string cleanUserAgent(std::string_view text) {
    std::string clean;
    while (!text.empty()) {
        const std::size_t length = utf8CharacterLength(text);
        // U+0080 to U+009F are control characters too, and C2 is the first byte of each of them.
        const bool isUpperControl = length == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
        if (length > 0 && !isControl(text[0]) && !isUpperControl) {
            if (clean.size() + length > kUserAgentBytes) break;
            clean += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return clean;
}

Response asAuthorizer(Response response, Authorizer authorizer) {
    // Apache would add the fields of this answer to those of the next.
    if (response.status != 204 && authorizer == Authorizer::AccessChecker) return {401, "", "", {}};
    if (response.status != 204) return response;
    response.status = 200;
    // `Variable-NAME: value` becomes a variable of the request that the web server goes on with. Apache puts all other
    // fields into the answer of the site that it protects, where they would be taken for its own: our policy for
    // contents and for foreign origins, how long it may be kept, what type it is of.
    std::erase_if(response.headers, [](const auto& field) { return !isToldToSites(field.first); });
    response.contentType.clear();
    response.body.clear();
    if (authorizer == Authorizer::AccessChecker) {
        // Apache has no user then, whose name it would tell programs.
        const auto user = std::find_if(response.headers.begin(), response.headers.end(),
                                       [](const auto& field) { return field.first == "Otpgate-User"; });
        if (user != response.headers.end()) {
            const std::string name = user->second;
            std::erase_if(response.headers, [](const auto& field) { return field.first == "Remote-User"; });
            response.with("Remote-User", name);
        }
    }
    for (auto& [name, value] : response.headers) {
        std::replace(name.begin(), name.end(), '-', '_');
        name = "Variable-" + toUpper(name);
    }
    return response;
}

std::string writeCgi(const Response& response, BodyMode mode) {
    const bool mayHaveBody = response.status != 204 && response.status != 304;
    std::string out;
    out.reserve(512 + response.body.size());
    out += "Status: ";
    out += std::to_string(response.status);
    out += ' ';
    out += reasonPhraseOf(response.status);
    out += "\r\n";
    if (mayHaveBody && !response.contentType.empty()) {
        appendField(out, "Content-Type", response.contentType);
        appendField(out, "Content-Length", std::to_string(response.body.size()));
    }
    for (const auto& [name, value] : response.headers) appendField(out, name, value);
    out += "\r\n";
    if (mayHaveBody && mode == BodyMode::Whole) out += response.body;
    return out;
}

}  // namespace otpgate::http
