// From method and path to the function that answers. The table is built once a worker thread; matching is read-only.
#pragma once

#include "otpgate/http/request.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::http {

using Endpoint = std::function<Response(const Request&)>;

class Router {
public:
    // `pattern` is a path whose segments are literal or {name}; a literal wins over a name, and a slash at the end
    // makes no difference. The same route twice, an empty segment, or a pattern that does not start with a slash is
    // std::logic_error.
    void add(std::string method, std::string_view pattern, Endpoint endpoint);

    // Answers the request: HEAD is served by GET (the edge leaves the body out), OPTIONS on a known path is 204 with
    // Allow. Throws ApiError: NotFound, MethodNotAllowed with Allow, or what the edge rejected the request for. What
    // the endpoint throws passes through.
    Response route(Request& request) const;

    // Every route as {method, pattern}, in the order of registration: what the documentation tests walk.
    std::vector<std::pair<std::string, std::string>> routes() const;

private:
    struct Route {
        std::string method;
        std::string pattern;
        std::vector<std::string> segments;
        Endpoint endpoint;
    };
    static std::string allowedMethods(const std::vector<const Route*>& candidates);

    std::vector<Route> routes_;
};

}  // namespace otpgate::http
