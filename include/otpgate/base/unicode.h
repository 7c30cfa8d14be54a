// What people type and paste, in any script: ICU, which else is called in time_zones.h alone. All functions take UTF-8;
// what is not UTF-8 they leave as it is. Any thread may call.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate {

// Normalisation form C (Unicode Standard Annex 15): one text for what looks the same, however a keyboard composed it.
std::string toNfc(std::string_view text);

// Form KC (full-width letters become plain), the digits of every script as ASCII's, each white space as a blank, and
// without what nobody sees: zero-width spaces, byte order marks, marks of direction, soft hyphens. Joiners stay between
// letters beyond ASCII, where they belong to words.
std::string toPlainText(std::string_view text);

// Without white space of any kind around, and marks that nobody sees there.
std::string trimmed(std::string_view text);

// The plain text without blanks and dashes of any kind, as numbers and codes are read.
std::string withoutBlanksAndDashes(std::string_view text);

// The dash of any kind that the text begins (or ends) with, in bytes; 0 where it does not.
std::size_t leadingDashLength(std::string_view text);
std::size_t trailingDashLength(std::string_view text);

// Letters of every script in lower case, in form C.
std::string toLowerCase(std::string_view text);

// Whether what is beyond ASCII in a name is letters, marks and digits alone, and the whole is of one script, or of
// those that are written together (UTS 39, "highly restrictive"): no Cyrillic letter among Latin ones that it looks
// like.
bool isOfOneScript(std::string_view name);

// A domain of any script as the DNS has it, "müller.example" as "xn--mller-kva.example" (UTS 46, nontransitional, with
// the checks of IDNA2008 for joiners and directions). nullopt for what cannot be a host's name.
std::optional<std::string> toAsciiDomain(std::string_view domain);

}  // namespace otpgate
