// The encodings of RFC 2045, 2047 and 5322 that our messages need. Used by the composer and the SMTP dialogue.
#pragma once

#include "otpgate/base/clock.h"

#include <string>
#include <string_view>

namespace otpgate::delivery {

std::string toBase64(std::string_view bytes);  // RFC 4648, section 4, padded, on one line

// Encoded words of RFC 2047 in UTF-8, at most 75 bytes each, folded by CRLF and a space. `utf8` is valid UTF-8.
std::string toEncodedWords(std::string_view utf8);

std::string toMailDate(Timestamp time);  // RFC 5322, section 3.3: "Fri, 20 Nov 2026 05:12:00 +0000"

// A text body, given with LF, as a body part: Content-Type and Content-Transfer-Encoding, an empty line, the lines with
// CRLF. 7bit where the text allows it, because people read the files of the file transport; else quoted-printable.
std::string toTextPart(std::string_view contentType, std::string_view utf8);

}  // namespace otpgate::delivery
