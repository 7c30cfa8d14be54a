// Header field names compare without regard to case (RFC 9110, section 5.1).
#pragma once

#include "otpgate/http/request.h"

#include <algorithm>
#include <string_view>

namespace otpgate::http {

inline char toLowerAscii(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline bool equalsIgnoringCase(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char left, char right) { return toLowerAscii(left) == toLowerAscii(right); });
}

inline bool isToken(std::string_view name) {  // RFC 9110, section 5.6.2
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

inline bool hasHeader(const Response& response, std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [name](const auto& header) { return equalsIgnoringCase(header.first, name); });
}

}  // namespace otpgate::http
