// Our messages as they go over the wire (RFC 5322, 2045 and 2047), written with Poco's headers and parts. Used by the
// composer and the test of mail.
#pragma once

#include "otpgate/base/clock.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace otpgate::delivery {

// What stands above a message. All but the subject is ASCII without control characters, or folded.
struct MailHead {
    std::string from;  // of Mailbox::toHeader()
    std::string to;
    std::string subject;  // UTF-8
    Timestamp date;
    std::string id;    // a UUID: of the Message-ID, and between the parts
    std::string host;  // of the Message-ID
};

// A message of one text, or of one and the same as HTML, both UTF-8 with LF. Every line ends with CRLF. 7bit where a
// text allows it, because people read the files of the file transport; else quoted-printable.
std::string toMessage(const MailHead& head, std::string_view text);
std::string toMessage(const MailHead& head, std::string_view text, std::string_view html);

// The value of a header such as Subject, after the `columnsTaken` of its name: the text itself where it is printable
// ASCII and fits into 76 columns, else encoded words of RFC 2047 with folds between them. Characters are never split;
// control characters become spaces, so nothing in `utf8` (valid UTF-8) can begin another header. Poco's encodeWord()
// splits characters and lets control characters of plain text pass.
std::string encodedHeader(std::string_view utf8, std::size_t columnsTaken);

// The same as encoded words in any case, without control characters: also for the name before an address.
std::string toEncodedWords(std::string_view utf8, std::size_t columnsTaken);

std::string toMailDate(Timestamp time);  // RFC 5322, section 3.3: "Fri, 20 Nov 2026 05:12:00 +0000"

}  // namespace otpgate::delivery
