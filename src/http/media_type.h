// Reading Content-Type (RFC 9110, section 8.3).
#pragma once

#include "http/header_names.h"

#include <string_view>

namespace otpgate::http {

// Whether it is `expected`, also with parameters. A comma means that two fields were joined, and nobody can say which
// one counts.
inline bool hasMediaType(std::string_view contentType, std::string_view expected) {
    if (contentType.find(',') != std::string_view::npos) return false;
    contentType = contentType.substr(0, contentType.find(';'));
    const std::size_t end = contentType.find_last_not_of(" \t");
    return end != std::string_view::npos && equalsIgnoringCase(contentType.substr(0, end + 1), expected);
}

}  // namespace otpgate::http
