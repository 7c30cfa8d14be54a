// Names that cannot stand in a path.
#pragma once

#include <string_view>

namespace otpgate {

// RFC 3986, section 5.2.4: browsers and libraries take these two out of a path with what stands before them, encoded or
// not, so that a request about the thing of such a name would be one about its owner.
inline bool isDotSegment(std::string_view name) {
    return name == "." || name == "..";
}

}  // namespace otpgate
