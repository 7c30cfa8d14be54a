// Cookies in and out (RFC 6265). Ours carry the __Host- prefix: Secure, Path=/, no Domain, so that neither a
// neighbouring host nor plain HTTP can plant one. (The one that hosts share, where the settings say so: __Secure-.)
#pragma once

#include "otpgate/http/request.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::http {

// The value of the first cookie of this name.
std::optional<std::string_view> findCookie(const Request& request, std::string_view name);

// Adds a Set-Cookie: HttpOnly, Secure, SameSite=Lax. `value` is of the characters of base64url.
void setCookie(Response& response, std::string_view name, std::string_view value, std::chrono::seconds lifetime);
// The same for every host of this domain.
void setDomainCookie(Response& response, std::string_view name, std::string_view value, std::string_view domain,
                     std::chrono::seconds lifetime);
void clearCookie(Response& response, std::string_view name);

}  // namespace otpgate::http
