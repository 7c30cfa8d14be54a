#include "delivery/mail/mailbox.h"

#include "delivery/mail/mime.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/destination.h"

#include <algorithm>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestName = 100;
constexpr std::size_t kLongestQuoted = 62;  // the From line stays within 78 bytes; longer names are folded words

// RFC 5322, section 3.2.4.
std::string quotedString(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    text += '"';
    return text;
}

}  // namespace

std::optional<Mailbox> Mailbox::parse(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), isControl) || !isValidUtf8(text)) return std::nullopt;
    std::string_view address = trim(text);
    std::string_view name;
    if (address.ends_with('>')) {
        const auto open = address.rfind('<');
        if (open == std::string::npos) return std::nullopt;
        name = trim(address.substr(0, open));
        address = address.substr(open + 1, address.size() - open - 2);
    }
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = trim(name.substr(1, name.size() - 2));
    if (name.size() > kLongestName) return std::nullopt;
    const auto parsed = domain::Destination::parseEmail(address);
    if (!parsed) return std::nullopt;
    return Mailbox{std::string{name}, parsed->value()};
}

std::string Mailbox::toHeader() const {
    if (name.empty()) return address;
    const bool ascii =
        std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    std::string header = quotedString(name);
    if (!ascii || header.size() > kLongestQuoted || name.find("=?") != std::string::npos)
        header = toEncodedWords(name, std::string_view("From: ").size());
    const bool fold = header.size() + address.size() > 65;
    return header + (fold ? "\r\n <" : " <") + address + ">";
}

}  // namespace otpgate::delivery
