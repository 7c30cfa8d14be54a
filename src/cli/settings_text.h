// Changes to otpgate.conf that leave everything else in it as people wrote it. Used by setup.
#pragma once

#include <string>
#include <string_view>

namespace otpgate::cli {

// The text with this setting ("section.name", or "name" before the first section): in place of the line that sets it;
// else at the end of its section, which is added where there is none.
std::string withSetting(std::string_view text, std::string_view key, std::string_view value);

}  // namespace otpgate::cli
