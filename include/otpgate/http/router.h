// From method and path to the function that answers. The table is built once a worker thread; matching is read-only.
#pragma once

#include "otpgate/http/request.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::http {

using Endpoint = std::function<Response(const Request&)>;
// For whom a route is there; for all others its path is unknown.
using Visibility = std::function<bool(const Request&)>;

class ApiError;
// What is shown of an error in the place of problem+json.
using ErrorView = std::function<Response(const ApiError&, const Request&)>;

class Router {
public:
    // Routes are below `base`, as "/login"; empty: at the root.
    explicit Router(std::string base = {}) : base_(std::move(base)) {}

    // `pattern` is a path whose segments are literal or {name}; a literal wins over a name, and a slash at the end
    // makes no difference. The same route twice, an empty segment, or a pattern that does not start with a slash is
    // std::logic_error. Without a Visibility the route is there for everybody.
    void add(std::string method, std::string_view pattern, Endpoint endpoint, Visibility isVisible = {},
             ErrorView showError = {});

    // Answers the request: HEAD is served by GET (the edge leaves the body out), OPTIONS on a known path is 204 with
    // Allow. Throws ApiError: NotFound, MethodNotAllowed with Allow, or what the edge rejected the request for. What
    // the endpoint throws passes through.
    Response route(Request& request) const;
    // What whoever asked sees of an error, as the route wants it that was found.
    Response show(const ApiError& error, const Request& request) const;
    // Whether the answer depends on the request's body: not where there is no such route, method or path.
    bool needsBody(const Request& request) const;
    // Sets request.route alone: for what is answered without its route.
    void recognize(Request& request) const;

    // Every route as {method, pattern}, in the order of registration: what the documentation tests walk.
    std::vector<std::pair<std::string, std::string>> routes() const;
    // Their patterns, each once, in that order; Request::route is a place in it.
    const std::vector<std::string>& patterns() const { return patterns_; }

private:
    struct Route {
        std::string method;
        std::string pattern;
        std::vector<std::string> segments;
        Endpoint endpoint;
        Visibility isVisible;
        ErrorView showError;
        std::size_t place;  // of the pattern in patterns_
    };
    using Candidates = std::vector<const Route*>;
    // What the patterns are compared with; nothing where it cannot be one of ours.
    std::optional<std::string_view> pathBelowBase(const Request& request) const;
    Candidates findCandidates(const Request& request, const std::vector<std::string_view>& path) const;
    std::size_t placeOf(std::string_view pattern);
    static std::string allowedMethods(const Candidates& candidates);

    std::string base_;
    std::vector<Route> routes_;
    std::vector<std::string> patterns_;
};

}  // namespace otpgate::http
