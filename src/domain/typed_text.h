// What surrounds an address when it is pasted: taken off before the address is read. Texts are those of toPlainText().
#pragma once

#include <string_view>

namespace otpgate::domain {

// Without blanks, pairs of brackets and quotation marks, a bullet before, and punctuation behind, however deep.
std::string_view unwrapped(std::string_view text);

}  // namespace otpgate::domain
