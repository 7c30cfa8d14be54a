#include "delivery/mail/mime.h"

#include "delivery/base64.h"
#include "otpgate/base/text.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/MultipartWriter.h>
#include <Poco/String.h>

#include <algorithm>
#include <chrono>
#include <sstream>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLineLength = 76;  // RFC 2045, section 6.7

bool isSevenBitSafe(std::string_view text) {
    std::size_t column = 0;
    for (const char c : text) {
        if (c == '\n') {
            column = 0;
            continue;
        }
        if ((!isPrintable(c) && c != '\t') || ++column > kLineLength) return false;
    }
    return true;
}

// "=C3", for quoted-printable and Q words.
std::string toHexByte(char c) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {'=', kHex[byte >> 4U], kHex[byte & 0xFU]};
}

// Whether it stands for itself in quoted-printable: a blank does, but for the last of a line (RFC 2045, section 6.7).
bool isLiteral(std::string_view text, std::size_t at) {
    if (text[at] == ' ') return at + 1 < text.size() && text[at + 1] != '\n';
    return text[at] > ' ' && text[at] < '\x7F' && text[at] != '=';
}

// Poco's encoder lets a lone CR pass, and loses a blank at the end.
std::string toQuotedPrintable(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    std::size_t left = kLineLength - 1;  // columns of this line, without the "=" that may have to end it
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '\n') {
            out += "\r\n";
            left = kLineLength - 1;
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < text.size() && end - i < left && isLiteral(text, end)) ++end;
        out += text.substr(i, end - i);
        left -= end - i;
        i = end;
        if (i == text.size() || text[i] == '\n') continue;
        const std::size_t width = isLiteral(text, i) ? 1 : 3;
        if (width > left) {
            out += "=\r\n";
            left = kLineLength - 1;
        }
        if (width == 3) {
            out += toHexByte(text[i++]);
            left -= width;
        }
    }
    return out;
}

// RFC 2047, section 4: base64, or characters with their bytes in hexadecimal, which is readable where it is short.
enum class WordEncoding { B, Q };

constexpr std::string_view kWordEnd = "?=";
constexpr std::size_t kWordFrame = 12;    // =?UTF-8?B? and ?=
constexpr std::size_t kLongestWord = 75;  // RFC 2047, section 2

// What stands for itself in a Q word anywhere in a header (RFC 2047, section 5, case 3), or as one character.
bool isOneColumn(char c) {
    return isLetterOrDigit(c) || std::string_view{" -!*+/"}.find(c) != std::string_view::npos;
}

std::size_t encodedSize(std::string_view text, WordEncoding encoding) {
    if (encoding == WordEncoding::B) return (text.size() + 2) / 3 * 4;
    const auto literal = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), isOneColumn));
    return literal + 3 * (text.size() - literal);
}

WordEncoding shorterEncoding(std::string_view text) {
    return encodedSize(text, WordEncoding::Q) <= encodedSize(text, WordEncoding::B) ? WordEncoding::Q : WordEncoding::B;
}

// The bytes of the whole characters that fit into one word of `columns`.
std::size_t fittingPrefix(std::string_view text, WordEncoding encoding, std::size_t columns) {
    std::size_t fitting = 0;
    while (fitting < text.size()) {
        std::size_t next = fitting + 1;
        while (next < text.size() && next < fitting + 4 && isWithinCharacter(text[next])) ++next;
        if (kWordFrame + encodedSize(text.substr(0, next), encoding) > columns) break;
        fitting = next;
    }
    return fitting;
}

std::string toEncodedWord(std::string_view text, WordEncoding encoding) {
    if (encoding == WordEncoding::B) return "=?UTF-8?B?" + toBase64(text) + std::string(kWordEnd);
    std::string out = "=?UTF-8?Q?";
    for (const char c : text) {
        if (c == ' ')
            out += '_';
        else if (isOneColumn(c))
            out += c;
        else
            out += toHexByte(c);
    }
    return out + std::string(kWordEnd);
}

// A text as it is sent, with the fields that say how.
std::string addText(Poco::Net::MessageHeader& header, const std::string& contentType, std::string_view utf8) {
    const bool isSafe = isSevenBitSafe(utf8);
    header.add("Content-Type", contentType + "; charset=utf-8");
    header.add("Content-Transfer-Encoding", isSafe ? "7bit" : "quoted-printable");
    return isSafe ? Poco::replace(std::string(utf8), "\n", "\r\n") : toQuotedPrintable(utf8);
}

void addPart(Poco::Net::MultipartWriter& writer, const std::string& contentType, std::string_view utf8) {
    Poco::Net::MessageHeader header;
    const std::string text = addText(header, contentType, utf8);
    writer.nextPart(header);
    writer.stream() << text;
}

Poco::Net::MessageHeader headerOf(const MailHead& head) {
    Poco::Net::MessageHeader header;
    header.add("From", head.from);
    header.add("To", head.to);
    header.add("Subject", encodedHeader(head.subject, std::string_view("Subject: ").size()));
    header.add("Date", toMailDate(head.date));
    header.add("Message-ID", "<" + head.id + "@" + head.host + ">");
    header.add("MIME-Version", "1.0");
    header.add("Auto-Submitted", "auto-generated");
    header.add("X-Auto-Response-Suppress", "All");
    return header;
}

}  // namespace

std::string toEncodedWords(std::string_view utf8, std::size_t columnsTaken) {
    const WordEncoding encoding = shorterEncoding(utf8);
    std::string out;
    for (std::size_t column = columnsTaken; !utf8.empty(); column = 1) {  // what follows a fold begins with a space
        const std::size_t left = column < kLineLength ? kLineLength - column : 0;
        const std::size_t length = fittingPrefix(utf8, encoding, std::min(left, kLongestWord));
        if (length > 0) out += toEncodedWord(utf8.substr(0, length), encoding);
        utf8.remove_prefix(length);
        if (!utf8.empty()) out += "\r\n ";
    }
    return out;
}

std::string encodedHeader(std::string_view utf8, std::size_t columnsTaken) {
    std::string text(utf8);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return isControl(c); }, ' ');
    const bool isPlain = std::all_of(text.begin(), text.end(), [](char c) { return c > 0; }) &&
                         text.find("=?") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ');
    return isPlain && columnsTaken + text.size() <= kLineLength ? text : toEncodedWords(text, columnsTaken);
}

std::string toMailDate(Timestamp time) {
    // Poco takes the last microseconds of a day for the next day of the week.
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return Poco::DateTimeFormatter::format(Poco::Timestamp(toMicroseconds(seconds)), "%w, %d %b %Y %H:%M:%S %Z", 0);
}

std::string toMessage(const MailHead& head, std::string_view text) {
    Poco::Net::MessageHeader header = headerOf(head);
    const std::string encoded = addText(header, "text/plain", text);
    std::ostringstream out;
    header.write(out);
    out << "\r\n" << encoded;
    return out.str();
}

std::string toMessage(const MailHead& head, std::string_view text, std::string_view html) {
    const std::string boundary = "=_" + head.id;  // "=_" occurs in no quoted-printable text, the id in none of ours
    Poco::Net::MessageHeader header = headerOf(head);
    header.add("Content-Type", "multipart/alternative;\r\n boundary=\"" + boundary + "\"");
    std::ostringstream out;
    header.write(out);
    out << "\r\n";
    Poco::Net::MultipartWriter writer(out, boundary);
    addPart(writer, "text/plain", text);
    addPart(writer, "text/html", html);
    writer.close();
    return out.str();
}

}  // namespace otpgate::delivery
