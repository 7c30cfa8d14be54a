#include "delivery/mime.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLineLength = 76;  // RFC 2045, section 6.7

bool isContinuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

bool isSevenBitSafe(std::string_view text) {
    std::size_t column = 0;
    for (const char c : text) {
        if (c == '\n') {
            column = 0;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t') || byte > 0x7E || ++column > kLineLength) return false;
    }
    return true;
}

std::string withCrlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

std::string toQuotedPrintable(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool atLineEnd = i + 1 == text.size() || text[i + 1] == '\n';
        const bool literal = (byte > 0x20 && byte < 0x7F && byte != '=') || (byte == ' ' && !atLineEnd);
        const std::size_t width = literal ? 1 : 3;
        if (column + width > kLineLength - 1) {
            out += "=\r\n";
            column = 0;
        }
        if (literal) {
            out += text[i];
        } else {
            out += '=';
            out += kHex[byte >> 4U];
            out += kHex[byte & 0xFU];
        }
        column += width;
    }
    return out;
}

}  // namespace

std::string toBase64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

std::string toEncodedWords(std::string_view utf8) {
    constexpr std::size_t kBytesPerWord = 45;  // 60 in base64, and "=?UTF-8?B?" and "?=" around them
    std::string out;
    while (!utf8.empty()) {
        std::size_t length = std::min(utf8.size(), kBytesPerWord);
        while (length < utf8.size() && length > 1 && isContinuation(utf8[length]))
            --length;  // RFC 2047: whole characters
        if (!out.empty()) out += "\r\n ";
        out += "=?UTF-8?B?" + toBase64(utf8.substr(0, length)) + "?=";
        utf8.remove_prefix(length);
    }
    return out;
}

std::string toMailDate(Timestamp time) {
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(seconds - day);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
                  kDays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
                  kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

std::string toTextPart(std::string_view contentType, std::string_view utf8) {
    const bool sevenBit = isSevenBitSafe(utf8);
    std::string out = "Content-Type: " + std::string(contentType) + "; charset=utf-8\r\n";
    out += sevenBit ? "Content-Transfer-Encoding: 7bit\r\n\r\n" : "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    out += sevenBit ? withCrlf(utf8) : toQuotedPrintable(utf8);
    return out;
}

}  // namespace otpgate::delivery
