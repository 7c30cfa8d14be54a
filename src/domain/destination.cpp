#include "otpgate/domain/destination.h"

#include "domain/typed_text.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/base/unicode.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

bool isLower(char c) {
    return c >= 'a' && c <= 'z';
}

// More than an address and all that may stand around it; nothing of that length is looked at twice.
constexpr std::size_t kMaxTypedBytes = 1024;

// atext of RFC 5321, section 4.1.2, in lower case. Without % and !, by which relays pass a message on to another host
// (victim%there@here, there!victim@here; RFC 5321, appendix F.2): one mailbox would have as many names as there are
// relays.
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

// What International takes beside what the others do: a dot-atom with letters beyond ASCII (RFC 6531, section 3.3), of
// one script, so that nobody can be taken for who looks alike.
bool isInternationalDotAtom(std::string_view text) {
    const auto isAscii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    std::string plain(text);
    std::replace_if(
        plain.begin(), plain.end(), [&](char c) { return !isAscii(c); }, 'x');
    return plain != text && isDotAtom(plain) && isOfOneScript(text);
}

bool areAtoms(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || isAtomText(c); });
}

// The one form of a local part that is quoted or has its dots in the wrong places. What need not be quoted is not:
// "ann" and ann are the same mailbox (RFC 5321, section 4.1.2). Quotes within quotes, backslashes, < and > are left
// out: nobody's mailbox needs them, and not everything that reads a header reads them alike. So are, as without quotes,
// % and ! and encoded words.
std::optional<std::string> parseUnusualLocalPart(std::string_view text) {
    if (text.empty() || text.size() > 64 || hasEncodedWord(text)) return std::nullopt;
    const bool isQuoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
    const std::string_view content = isQuoted ? text.substr(1, text.size() - 2) : text;
    if (content.find_first_not_of('.') == std::string_view::npos) return std::nullopt;
    if (areAtoms(content)) return std::string{content};
    const auto isQuotable = [](char c) {
        return c >= ' ' && c <= '~' && std::string_view{"\"\\<>%!"}.find(c) == std::string_view::npos;
    };
    if (!isQuoted || !std::all_of(content.begin(), content.end(), isQuotable)) return std::nullopt;
    return std::string{text};
}

std::optional<std::string> parseLocalPart(std::string_view text, EmailValidation validation) {
    if (isDotAtom(text)) return std::string{text};
    switch (validation) {
    case EmailValidation::Strict: break;
    case EmailValidation::International:
        if (const std::string lowered = toLowerCase(text); isInternationalDotAtom(lowered)) return lowered;
        [[fallthrough]];
    case EmailValidation::Lenient: return parseUnusualLocalPart(text);
    }
    return std::nullopt;
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

// The address of `Ann <ann@example.com>`, as mail programs copy it, or of a mailto: link; else the text.
std::string_view addressIn(std::string_view text) {
    text = unwrapped(text);
    const auto open = text.rfind('<');
    if (text.ends_with('>') && open != std::string_view::npos && text.find('@') > open) {
        text = unwrapped(text.substr(open));
    }
    constexpr std::string_view kMailto = "mailto:";
    if (!startsWithIgnoringCase(text, kMailto)) return text;
    text = text.substr(kMailto.size());
    return text.substr(0, text.find('?', text.find('@')));
}

// ASCII is left as it is: what has no letters beyond it is the DNS's own form already.
std::optional<std::string> parseDomain(std::string_view text) {
    const auto isAscii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(text.begin(), text.end(), isAscii)) return std::string{text};
    return toAsciiDomain(text);
}

}  // namespace

std::string_view toString(Channel channel) {
    switch (channel) {
    case Channel::Email: return "email";
    case Channel::Sms: return "sms";
    }
    return {};
}

std::optional<Destination> Destination::parse(std::string_view text, EmailValidation validation) {
    if (auto phone = parsePhoneNumber(text)) return phone;
    return parseEmail(text, validation);
}

std::optional<Destination> Destination::parseEmail(std::string_view text, EmailValidation validation) {
    if (text.size() > kMaxTypedBytes) return std::nullopt;
    // The whole address in lower case: no mail system in use tells A@x from a@x, and one person must not be two users.
    const std::string plain = toLower(toPlainText(text));
    const std::string_view address = addressIn(plain);
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return std::nullopt;
    const auto local = parseLocalPart(address.substr(0, at), validation);
    const auto domain = parseDomain(address.substr(at + 1));
    if (!local || !domain || !isHostName(*domain)) return std::nullopt;
    if (local->size() + 1 + domain->size() > 254) return std::nullopt;
    return Destination{Channel::Email, *local + "@" + *domain};
}

std::optional<Destination> Destination::parsePhoneNumber(std::string_view text) {
    if (text.size() > kMaxTypedBytes) return std::nullopt;
    const std::string plain = toPlainText(text);
    std::string_view number = unwrapped(plain);
    constexpr std::string_view kTel = "tel:";
    if (startsWithIgnoringCase(number, kTel)) number.remove_prefix(kTel.size());
    std::string value = withoutBlanksAndDashes(number);
    // +49 (0)30: the 0 is for callers within the country.
    constexpr std::string_view kTrunkPrefix = "(0)";
    if (const auto trunk = value.find(kTrunkPrefix); trunk != std::string::npos)
        value.erase(trunk, kTrunkPrefix.size());
    std::erase_if(value, [](char c) { return std::string_view{"()[]./"}.find(c) != std::string_view::npos; });
    if (value.size() < 3 || value.size() > 16 || value[0] != '+' || value[1] == '0') return std::nullopt;
    if (!std::all_of(value.begin() + 1, value.end(), isDigit)) return std::nullopt;
    return Destination{Channel::Sms, std::move(value)};
}

std::string Destination::mailbox() const {
    const auto at = value_.rfind('@');
    const std::string local = value_.substr(0, at);
    if (local.starts_with('"') || isDotAtom(local) || isInternationalDotAtom(local)) return value_;
    return '"' + local + '"' + value_.substr(at);
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
    const std::size_t characters = countCharacters(local);
    std::size_t last = local.empty() ? 0 : local.size() - 1;
    while (last > 0 && isWithinCharacter(local[last])) --last;
    const std::string begin = local.substr(0, utf8CharacterLength(local));
    const std::string end = characters <= 2 ? "" : local.substr(last);
    std::string hidden(characters <= 2 ? 1 : characters - 2, '*');
    // A mailbox may be called a*: what is hidden must not be what hides it.
    if (begin + hidden + end == local) hidden += '*';
    return begin + hidden + end + domain;
}

}  // namespace otpgate::domain
