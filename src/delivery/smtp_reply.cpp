#include "delivery/smtp_reply.h"

#include <algorithm>
#include <string_view>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestLogText = 160;

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

// Each run of characters around an @ becomes "(address)".
std::string maskAddresses(std::string text) {
    static constexpr std::string_view kEnds = " \t<>()[]\"',;:";
    static constexpr std::string_view kMask = "(address)";
    for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos;) {
        const auto before = at == 0 ? std::string::npos : text.find_last_of(kEnds, at - 1);
        const auto begin = before == std::string::npos ? 0 : before + 1;
        const auto end = std::min(text.find_first_of(kEnds, at), text.size());
        text.replace(begin, end - begin, kMask);
        at = begin + kMask.size();
    }
    return text;
}

// "5.7.8" at the beginning of a text (RFC 2034), or nothing.
std::string_view enhancedCode(std::string_view text) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool plausible = word.size() >= 5 && word.size() <= 9 && isDigit(word.front()) && isDigit(word.back()) &&
                           std::all_of(word.begin(), word.end(), [](char c) { return isDigit(c) || c == '.'; });
    return plausible ? word : std::string_view{};
}

}  // namespace

std::string SmtpReply::forLog() const {
    std::string text = std::to_string(code);
    for (const auto& line : lines) {
        if (!line.empty()) text += " " + line;
    }
    text = maskAddresses(std::move(text));  // before it is cut, which might leave half an address
    if (text.size() > kLongestLogText) text.resize(kLongestLogText);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return text;
}

std::string SmtpReply::codesForLog() const {
    const std::string_view enhanced = lines.empty() ? std::string_view{} : enhancedCode(lines.front());
    return std::to_string(code) + (enhanced.empty() ? "" : " ") + std::string(enhanced);
}

}  // namespace otpgate::delivery
