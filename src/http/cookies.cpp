#include "otpgate/http/cookies.h"

namespace otpgate::http {

std::optional<std::string_view> findCookie(const Request& request, std::string_view name) {
    auto header = request.header("cookie");
    if (!header) return std::nullopt;
    std::string_view rest = *header;
    while (!rest.empty()) {
        const auto end = rest.find(';');
        std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
        if (pair.size() > name.size() && pair[name.size()] == '=' && pair.substr(0, name.size()) == name) {
            return pair.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

namespace {

std::string cookieLine(std::string_view name, std::string_view value, std::chrono::seconds lifetime) {
    return std::string{name} + "=" + std::string{value} + "; Max-Age=" + std::to_string(lifetime.count()) +
           "; Path=/; Secure; HttpOnly; SameSite=Lax";
}

}  // namespace

void setCookie(Response& response, std::string_view name, std::string_view value, std::chrono::seconds lifetime) {
    response.with("Set-Cookie", cookieLine(name, value, lifetime));
}

void setDomainCookie(Response& response, std::string_view name, std::string_view value, std::string_view domain,
                     std::chrono::seconds lifetime) {
    response.with("Set-Cookie", cookieLine(name, value, lifetime) + "; Domain=" + std::string{domain});
}

void clearCookie(Response& response, std::string_view name) {
    setCookie(response, name, "", std::chrono::seconds{0});
}

}  // namespace otpgate::http
