#include "otpgate/domain/user_group_store.h"

#include "otpgate/base/dot_segment.h"
#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

std::optional<std::string> parseGroupName(std::string_view text) {
    constexpr std::size_t kMaxCharacters = 64;
    std::string name = toLower(text);
    const bool isPlain =
        std::ranges::all_of(name, [](char c) { return isLetterOrDigit(c) || c == '.' || c == '-' || c == '_'; });
    if (name.empty() || name.size() > kMaxCharacters || !isPlain || isDotSegment(name)) return std::nullopt;
    return name;
}

}  // namespace otpgate::domain
