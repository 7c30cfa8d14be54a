#include "otpgate/http/router.h"

#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"

#include <algorithm>
#include <stdexcept>

namespace otpgate::http {

namespace {

bool isName(std::string_view segment) {
    return segment.starts_with('{');
}

// "/a/b" -> {"a", "b"}, "/" -> {}; an empty segment stays one, so that "/a//b" is no other path's twin.
std::vector<std::string_view> segmentsOf(std::string_view path) {
    path.remove_prefix(1);
    return path.empty() ? std::vector<std::string_view>{} : split(path, '/');
}

std::string_view withoutTrailingSlash(std::string_view pattern) {
    if (pattern.size() > 2 && pattern.ends_with('/')) pattern.remove_suffix(1);
    return pattern;
}

// From the end, because that is where paths differ: most begin with /api/v1/.
bool matches(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
    return std::equal(pattern.rbegin(), pattern.rend(), path.rbegin(), path.rend(),
                      [](const std::string& expected, std::string_view segment) {
                          return isName(expected) ? !segment.empty() : expected == segment;
                      });
}

// Where two patterns match one path, the one whose first differing segment is a literal says more.
bool isMoreSpecific(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const auto [left, right] =
        std::mismatch(a.begin(), a.end(), b.begin(), b.end(),
                      [](const std::string& one, const std::string& other) { return isName(one) == isName(other); });
    return left != a.end() && right != b.end() && isName(*right);
}

bool haveOneShape(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const std::string& one, const std::string& other) {
        return one == other || (isName(one) && isName(other));
    });
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, Endpoint endpoint, Visibility isVisible,
                 ErrorView showError) {
    const std::string described = method + " " + std::string{pattern};
    if (!pattern.starts_with('/')) throw std::logic_error("a route must start with a slash: " + described);
    Route route{std::move(method),    std::string{pattern}, {}, std::move(endpoint),
                std::move(isVisible), std::move(showError), 0};
    for (const std::string_view segment : segmentsOf(withoutTrailingSlash(pattern))) {
        const bool isGood = isName(segment) ? segment.size() > 2 && segment.ends_with('}') : !segment.empty();
        if (!isGood) throw std::logic_error("a bad segment in a route: " + described);
        route.segments.emplace_back(segment);
    }
    for (const Route& other : routes_) {
        if (other.method == route.method && haveOneShape(other.segments, route.segments)) {
            throw std::logic_error("the same route twice: " + described);
        }
    }
    route.place = placeOf(pattern);
    routes_.push_back(std::move(route));
}

std::size_t Router::placeOf(std::string_view pattern) {
    const auto found = std::find(patterns_.begin(), patterns_.end(), pattern);
    const auto place = static_cast<std::size_t>(found - patterns_.begin());
    if (found == patterns_.end()) patterns_.emplace_back(pattern);
    return place;
}

std::optional<std::string_view> Router::pathBelowBase(const Request& request) const {
    std::string_view path = request.path;
    // Who asks as an Authorizer asks by no path, and who asks for a protected site by the paths of that.
    if (!base_.empty() && request.role == Role::Responder && !request.guarded) {
        if (!path.starts_with(base_)) return std::nullopt;
        path.remove_prefix(base_.size());
        if (path.empty()) path = "/";
    }
    return path.starts_with('/') ? std::optional{path} : std::nullopt;
}

Router::Candidates Router::findCandidates(const Request& request, const std::vector<std::string_view>& path) const {
    Candidates candidates;
    for (const Route& route : routes_) {
        if (!matches(route.segments, path)) continue;
        if (!route.isVisible || route.isVisible(request)) candidates.push_back(&route);
    }
    return candidates;
}

void Router::recognize(Request& request) const {
    const auto path = pathBelowBase(request);
    if (!path) return;
    const auto candidates = findCandidates(request, segmentsOf(*path));
    if (!candidates.empty()) request.route = candidates.front()->place;
}

bool Router::needsBody(const Request& request) const {
    const auto path = pathBelowBase(request);
    if (request.rejected || !path) return false;
    const auto candidates = findCandidates(request, segmentsOf(*path));
    return std::any_of(candidates.begin(), candidates.end(),
                       [&request](const Route* route) { return route->method == request.method; });
}

Response Router::route(Request& request) const {
    const auto throwRejection = [&] { throw ApiError(request.rejected->code, request.rejected->logDetail); };
    // A path that could not be read is no path of ours; any other fault of a request counts once its path is known.
    if (request.rejected && request.rejected->code == ErrorCode::NotFound) throwRejection();
    const auto below = pathBelowBase(request);
    if (!below) throw ApiError(ErrorCode::NotFound);

    const std::vector<std::string_view> path = segmentsOf(*below);
    const Candidates candidates = findCandidates(request, path);
    if (candidates.empty()) throw ApiError(ErrorCode::NotFound);
    request.route = candidates.front()->place;

    const auto mostSpecific = [&](std::string_view method) {
        const Route* best = nullptr;
        for (const Route* route : candidates) {
            if (route->method != method) continue;
            if (best == nullptr || isMoreSpecific(route->segments, best->segments)) best = route;
        }
        return best;
    };
    const Route* best = mostSpecific(request.method);
    if (best == nullptr && request.method == "HEAD") best = mostSpecific("GET");
    if (best != nullptr) request.route = best->place;
    if (best == nullptr && request.method != "OPTIONS") {
        throw ApiError(ErrorCode::MethodNotAllowed).header("Allow", allowedMethods(candidates));
    }
    if (request.rejected) throwRejection();
    if (best == nullptr) return Response::noContent().with("Allow", allowedMethods(candidates));

    for (std::size_t i = 0; i < path.size(); ++i) {
        const std::string& segment = best->segments[i];
        if (isName(segment)) request.pathParameters.emplace(segment.substr(1, segment.size() - 2), path[i]);
    }
    return best->endpoint(request);
}

Response Router::show(const ApiError& error, const Request& request) const {
    const auto found = std::find_if(routes_.begin(), routes_.end(), [&request](const Route& route) {
        return route.place == request.route && route.showError;
    });
    return found == routes_.end() ? error.toResponse(request.requestId, base_) : found->showError(error, request);
}

std::string Router::allowedMethods(const Candidates& candidates) {
    std::vector<std::string> methods;
    const auto add = [&methods](const std::string& method) {
        if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
    };
    for (const Route* route : candidates) {
        add(route->method);
        if (route->method == "GET") add("HEAD");
    }
    add("OPTIONS");
    return joined(methods, ", ");
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
    std::vector<std::pair<std::string, std::string>> list;
    list.reserve(routes_.size());
    for (const Route& route : routes_) list.emplace_back(route.method, route.pattern);
    return list;
}

}  // namespace otpgate::http
