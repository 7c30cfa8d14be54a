// The encodings of RFC 2045, 2047 and 5322 that our messages need. Used by the composer and the SMTP dialogue.
#pragma once

#include "otpgate/base/clock.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace otpgate::delivery {

// The value of a header such as Subject, after the `columnsTaken` of its name: the text itself where it is printable
// ASCII and fits into 76 columns, else encoded words of RFC 2047 with folds between them. Characters are never split;
// control characters become spaces, so nothing in `utf8` (valid UTF-8) can begin another header.
std::string encodedHeader(std::string_view utf8, std::size_t columnsTaken);

// The same as encoded words in any case, without control characters: also for the name before an address.
std::string toEncodedWords(std::string_view utf8, std::size_t columnsTaken);

std::string toMailDate(Timestamp time);  // RFC 5322, section 3.3: "Fri, 20 Nov 2026 05:12:00 +0000"

// A text body, given with LF, as a body part: Content-Type and Content-Transfer-Encoding, an empty line, the lines with
// CRLF. 7bit where the text allows it, because people read the files of the file transport; else quoted-printable.
std::string toTextPart(std::string_view contentType, std::string_view utf8);

}  // namespace otpgate::delivery
