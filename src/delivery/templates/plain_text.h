// Text of clients as it may stand in our messages. Used by the composer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace otpgate::delivery {

// One line of at most `maxCharacters`, an ellipsis among them where more was cut. Without control characters, invisible
// ones and those that change the direction of what follows. Without what mail programs make a link of: "://" and "@"
// become a space, and so does a dot with a letter behind it (evil.example), but not that of a version (121.0).
std::string plainText(std::string_view text, std::size_t maxCharacters);

}  // namespace otpgate::delivery
