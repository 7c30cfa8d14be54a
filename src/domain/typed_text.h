// What surrounds an address when it is pasted: taken off before the address is read. Texts are those of toPlainText().
#pragma once

#include <string_view>

namespace otpgate::domain {

// Without blanks, pairs of brackets and quotation marks, a bullet before, and punctuation behind, however deep.
std::string_view unwrapped(std::string_view text);

// Whether the text begins with it, letters in either case.
bool startsWithIgnoringCase(std::string_view text, std::string_view prefix);

}  // namespace otpgate::domain
