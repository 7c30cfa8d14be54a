#include "domain/typed_text.h"

#include "otpgate/base/unicode.h"

namespace otpgate::domain {

namespace {

struct Pair {
    std::string_view open;
    std::string_view close;
};
constexpr Pair kPairs[] = {{"<", ">"}, {"(", ")"}, {"[", "]"}, {"{", "}"}, {"\"", "\""}, {"'", "'"},
                           {"“", "”"}, {"„", "“"}, {"‘", "’"}, {"«", "»"}, {"「", "」"}};

// Each of these returns whether it took something off.
bool cutBlanks(std::string_view& text) {
    const auto before = text.size();
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text.size() != before;
}

bool cutPair(std::string_view& text) {
    for (const Pair& pair : kPairs) {
        if (text.size() < pair.open.size() + pair.close.size()) continue;
        if (!text.starts_with(pair.open) || !text.ends_with(pair.close)) continue;
        text.remove_prefix(pair.open.size());
        text.remove_suffix(pair.close.size());
        return true;
    }
    return false;
}

bool cutPunctuationBehind(std::string_view& text) {
    if (const std::size_t dash = trailingDashLength(text); dash > 0) {
        text.remove_suffix(dash);
        return true;
    }
    if (text.empty() || std::string_view{".,;:"}.find(text.back()) == std::string_view::npos) return false;
    text.remove_suffix(1);
    return true;
}

// ASCII's own may begin an address; it is a bullet before a blank alone.
bool cutBulletBefore(std::string_view& text) {
    constexpr std::string_view kBullet = "•";
    std::size_t length = leadingDashLength(text);
    if (text.starts_with('*')) length = 1;
    if (text.starts_with(kBullet)) length = kBullet.size();
    if (length == 0 || (length == 1 && !text.substr(1).starts_with(' '))) return false;
    text.remove_prefix(length);
    return true;
}

}  // namespace

std::string_view unwrapped(std::string_view text) {
    while (cutBlanks(text) || cutPair(text) || cutPunctuationBehind(text) || cutBulletBefore(text)) {
    }
    return text;
}

}  // namespace otpgate::domain
