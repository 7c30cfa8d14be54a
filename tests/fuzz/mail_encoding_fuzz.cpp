// The encoders of mail as round trips: what a mail program decodes, by the RFCs alone, is the text that went in. The
// first line is a subject and a name, the rest the body.
#include "delivery/base64.h"
#include "delivery/mail/mailbox.h"
#include "delivery/mail/mime.h"
#include "delivery/templates/plain_text.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Net/QuotedPrintableDecoder.h>
#include <Poco/StreamCopier.h>

#include <algorithm>
#include <sstream>

namespace {

using namespace otpgate;

template <typename Decoder>
std::string decoded(const std::string& text) {
    std::istringstream in(text);
    Decoder decoder(in);
    std::string out;
    Poco::StreamCopier::copyToString(decoder, out);
    return out;
}

int hexValue(char c) {
    REQUIRE((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

// RFC 2047: what `=?UTF-8?B?...?=` or `Q` says, words that a fold parts put together again.
std::string decodedWords(std::string_view header) {
    std::string out;
    while (!header.empty()) {
        REQUIRE(header.starts_with("=?UTF-8?") && header.size() > 12);
        const char encoding = header[8];
        const auto end = header.find("?=", 10);
        REQUIRE(end != std::string_view::npos && end + 2 <= 75);
        const std::string_view word = header.substr(10, end - 10);
        std::string part;
        if (encoding == 'B') {
            part = decoded<Poco::Base64Decoder>(std::string{word});
        } else {
            REQUIRE(encoding == 'Q');
            for (std::size_t i = 0; i < word.size(); ++i) {
                REQUIRE(word[i] > ' ' && word[i] < 0x7f && word[i] != '?');
                if (word[i] == '=') {
                    REQUIRE(i + 2 < word.size());
                    part += static_cast<char>(hexValue(word[i + 1]) * 16 + hexValue(word[i + 2]));
                    i += 2;
                } else {
                    part += word[i] == '_' ? ' ' : word[i];
                }
            }
        }
        REQUIRE(isValidUtf8(part));  // section 5: no character is split over two words
        out += part;
        header.remove_prefix(end + 2);
        REQUIRE(header.empty() || header.starts_with("\r\n "));
        header.remove_prefix(std::min<std::size_t>(3, header.size()));
    }
    return out;
}

// Lines end with CR LF, none is longer than may be, and none begins a header of its own.
void requireHeader(std::string_view header, std::size_t columnsTaken) {
    std::size_t column = columnsTaken;
    for (std::size_t i = 0; i < header.size(); ++i) {
        const char c = header[i];
        REQUIRE(c > 0 && c != 0x7f);
        if (c == '\r') {
            REQUIRE(header.substr(i, 3) == "\r\n ");
            column = 0;
            i += 1;
        } else {
            REQUIRE(c >= ' ');
            REQUIRE(++column <= 78);
        }
    }
}

void requireSubject(const std::string& text) {
    constexpr std::size_t kTaken = 9;  // of "Subject: "
    const std::string header = delivery::encodedHeader(text, kTaken);
    requireHeader(header, kTaken);
    std::string plain = text;
    std::replace_if(
        plain.begin(), plain.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    // What stands right behind the name may be nothing but a fold.
    std::string_view words = header;
    if (words.starts_with("\r\n ")) words.remove_prefix(3);
    REQUIRE(header.find("=?") == std::string::npos ? header == plain : decodedWords(words) == plain);
}

void requireBody(const std::string& text) {
    const std::string part = delivery::toMessage({.from = "a@example.com",
                                                  .to = "b@example.com",
                                                  .subject = "x",
                                                  .date = {},
                                                  .id = "0193f000-0000-7000-8000-000000000000",
                                                  .host = "example.com"},
                                                 text);
    const auto end = part.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    std::string body = part.substr(end + 4);
    std::size_t column = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\r') {
            REQUIRE(i + 1 < body.size() && body[i + 1] == '\n');
            column = 0;
            ++i;
        } else {
            REQUIRE(body[i] != '\n' && body[i] > 0 && ++column <= 76);
        }
    }
    if (part.find("quoted-printable") < end) body = decoded<Poco::Net::QuotedPrintableDecoder>(body);
    std::string lines;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\r' && i + 1 < body.size() && body[i + 1] == '\n') continue;
        lines += body[i];
    }
    // A CR before a LF is of the text then, and not told from the line end's own.
    if (text.find('\r') == std::string::npos) REQUIRE(lines == text);
}

// A name in quotes, in words, or none; the address behind it.
void requireMailbox(const std::string& text) {
    const auto mailbox = delivery::Mailbox::parse(text + " <a@example.com>");
    if (!mailbox) return;
    const std::string header = mailbox->toHeader();
    requireHeader(header, 6);
    const auto open = header.rfind('<');
    REQUIRE(mailbox->name.empty() ? header == "a@example.com" : header.substr(open) == "<a@example.com>");
    if (mailbox->name.empty()) return;
    std::string_view name = std::string_view{header}.substr(0, open - 1);
    if (name.ends_with("\r\n")) name.remove_suffix(2);
    if (!name.starts_with('"')) {
        REQUIRE(decodedWords(name) == mailbox->name);
        return;
    }
    std::string unquoted;
    for (std::size_t i = 1; i + 1 < name.size(); ++i) {
        if (name[i] == '\\') ++i;
        unquoted += name[i];
    }
    REQUIRE(name.ends_with('"') && unquoted == mailbox->name);
}

// What clients say of themselves, within a message: one line, no link.
void requirePlain(std::string_view text) {
    constexpr std::size_t kMost = 20;
    const std::string plain = delivery::plainText(text, kMost);
    REQUIRE(isValidUtf8(plain) && plain.size() <= 4 * kMost);
    REQUIRE(plain.find("://") == std::string::npos && plain.find('@') == std::string::npos);
    REQUIRE(std::none_of(plain.begin(), plain.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    if (plain.find("\u2026") == std::string::npos) REQUIRE(delivery::plainText(plain, kMost) == plain);
}

}  // namespace

FUZZ_TARGET(mail_encoding) {
    requirePlain(input);
    REQUIRE(decoded<Poco::Base64Decoder>(otpgate::toBase64(input)) == input);
    if (!isValidUtf8(input)) return;
    fuzz::Input lines(input);
    const std::string line{lines.line()};
    requireSubject(line);
    requireMailbox(line);
    requireBody(std::string{lines.rest()});
}
