// Header field names compare without regard to case (RFC 9110, section 5.1).
#pragma once

#include "otpgate/base/text.h"
#include "otpgate/http/request.h"

#include <algorithm>
#include <string_view>

namespace otpgate::http {

inline bool isToken(std::string_view name) {  // RFC 9110, section 5.6.2
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return isLetterOrDigit(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

inline bool hasHeader(const Response& response, std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [name](const auto& header) { return equalsIgnoringCase(header.first, name); });
}

}  // namespace otpgate::http
