#include "otpgate/domain/destination.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}
bool isLower(char c) {
    return c >= 'a' && c <= 'z';
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// atext of RFC 5321, section 4.1.2, in lower case. Quoted local parts are left out: nobody's mailbox needs them, and
// they may hold anything. So are % and !, by which relays pass a message on to another host (victim%there@here,
// there!victim@here; RFC 5321, appendix F.2): one mailbox would have as many names as there are relays.
bool isAtomText(char c) {
    return isLower(c) || isDigit(c) || std::string_view{"#$&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

// An encoded word of RFC 2047, which whoever shows or rewrites a header makes another address of.
bool hasEncodedWord(std::string_view text) {
    return text.find("=?") != std::string_view::npos;
}

bool isDotAtom(std::string_view text) {
    if (text.empty() || text.size() > 64 || text.front() == '.' || text.back() == '.') return false;
    if (text.find("..") != std::string_view::npos || hasEncodedWord(text)) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || isAtomText(c); });
}

bool isHostName(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    while (true) {
        const auto dot = text.find('.');
        const std::string_view label = text.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return isLower(c) || isDigit(c) || c == '-'; }))
            return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

}  // namespace

std::string_view toString(Channel channel) {
    switch (channel) {
    case Channel::Email: return "email";
    case Channel::Sms: return "sms";
    }
    return {};
}

std::optional<Destination> Destination::parse(std::string_view text) {
    if (auto phone = parsePhoneNumber(text)) return phone;
    return parseEmail(text);
}

std::optional<Destination> Destination::parseEmail(std::string_view text) {
    text = trimmed(text);
    if (text.size() > 254) return std::nullopt;
    // The whole address in lower case: no mail system in use tells A@x from a@x, and one person must not be two users.
    std::string value(text.size(), '\0');
    std::transform(text.begin(), text.end(), value.begin(), lower);
    const auto at = value.rfind('@');
    if (at == std::string::npos) return std::nullopt;
    const std::string_view view = value;
    if (!isDotAtom(view.substr(0, at)) || !isHostName(view.substr(at + 1))) return std::nullopt;
    return Destination{Channel::Email, std::move(value)};
}

std::optional<Destination> Destination::parsePhoneNumber(std::string_view text) {
    text = trimmed(text);
    if (text.size() < 3 || text.size() > 16 || text[0] != '+' || text[1] == '0') return std::nullopt;
    if (!std::all_of(text.begin() + 1, text.end(), isDigit)) return std::nullopt;
    return Destination{Channel::Sms, std::string{text}};
}

std::string Destination::masked() const {
    if (channel_ == Channel::Sms) {
        // Short numbers keep at least their middle hidden.
        const std::size_t shown = std::min<std::size_t>(3, value_.size() / 3);
        return value_.substr(0, shown) + std::string(value_.size() - 2 * shown, '*') +
               value_.substr(value_.size() - shown);
    }
    const auto at = value_.rfind('@');
    const std::string local = value_.substr(0, at);
    const std::string domain = value_.substr(at);
    const std::string begin = local.substr(0, 1);
    const std::string end = local.size() <= 2 ? "" : local.substr(local.size() - 1);
    std::string hidden(local.size() <= 2 ? 1 : local.size() - 2, '*');
    // A mailbox may be called a*: what is hidden must not be what hides it.
    if (begin + hidden + end == local) hidden += '*';
    return begin + hidden + end + domain;
}

}  // namespace otpgate::domain
