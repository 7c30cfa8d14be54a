// Whether a text has a part.
#pragma once

#include <string_view>

namespace otpgate::test {

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace otpgate::test
