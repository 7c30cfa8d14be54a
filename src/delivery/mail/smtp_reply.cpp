#include "delivery/mail/smtp_reply.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <string_view>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestLogText = 160;
// A server may say 100 lines of 4096 bytes.
constexpr std::size_t kLongestLookedAt = 16384;

// Each word that holds an @ becomes "(address)". Ends with the first word that is beyond `longest`.
std::string maskAddresses(std::string_view text, std::size_t longest) {
    static constexpr std::string_view kEnds = " \t<>()[]\"',;:";
    std::string out;
    while (!text.empty() && out.size() < longest) {
        const auto end = std::min(text.find_first_of(kEnds), text.size());
        const std::string_view word = text.substr(0, end);
        out += word.find('@') == std::string_view::npos ? word : "(address)";
        if (end < text.size()) out += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// "5.7.8" at the beginning of a text (RFC 2034), or nothing.
std::string_view enhancedCode(std::string_view text) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool plausible = word.size() >= 5 && word.size() <= 9 && isDigit(word.front()) && isDigit(word.back()) &&
                           std::all_of(word.begin(), word.end(), [](char c) { return isDigit(c) || c == '.'; });
    return plausible ? word : std::string_view{};
}

}  // namespace

std::string serverSaid(std::string_view words, const Secrets& secrets, std::size_t longest) {
    // Before it is cut, which might leave half a secret and half an address.
    std::string text = maskAddresses(secrets.strikeOut(words), longest);
    if (text.size() > longest) text.resize(longest);
    return printable(text);
}

std::string SmtpReply::forLog(const Secrets& secrets) const {
    std::string text;
    for (const auto& line : lines) {
        // Each line of a reply may begin with the same enhanced code, which would come between two halves of a secret.
        std::string_view words = line;
        if (&line != &lines.front()) words.remove_prefix(enhancedCode(words).size());
        words.remove_prefix(std::min(words.find_first_not_of(' '), words.size()));
        if (!words.empty()) text += " " + std::string(words);
        if (text.size() > kLongestLookedAt) break;
    }
    const std::string number = std::to_string(code);
    return number + serverSaid(text, secrets, kLongestLogText - number.size());
}

std::string SmtpReply::codesForLog(const Secrets& secrets) const {
    const std::string_view enhanced = lines.empty() ? std::string_view{} : enhancedCode(lines.front());
    return std::to_string(code) + (enhanced.empty() ? "" : " ") + secrets.strikeOut(enhanced);
}

}  // namespace otpgate::delivery
