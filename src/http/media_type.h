// Reading Content-Type (RFC 9110, section 8.3).
#pragma once

#include "http/header_names.h"

#include <string_view>

namespace otpgate::http {

// Whether it is `expected`, also with parameters. A comma means that two fields were joined, and nobody can say which
// one counts.
inline bool hasMediaType(std::string_view contentType, std::string_view expected) {
    if (contentType.find(',') != std::string_view::npos) return false;
    return equalsIgnoringCase(trim(contentType.substr(0, contentType.find(';'))), expected);
}

}  // namespace otpgate::http
