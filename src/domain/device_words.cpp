// What a client says of itself, as one short line for its owner.
#include "otpgate/base/text.h"
#include "otpgate/domain/notice.h"

#include <utility>

namespace otpgate::domain {

namespace {

constexpr std::size_t kMaxWordsBytes = 80;

using Words = std::pair<std::string_view, std::string_view>;  // in the user agent, for people

// The first that is there counts: each browser names those before it, which it wants to be taken for.
constexpr Words kBrowsers[] = {{"Edg", "Edge"},       {"OPR/", "Opera"},       {"SamsungBrowser/", "Samsung Internet"},
                               {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"},
                               {"Chrome/", "Chrome"}, {"Safari/", "Safari"}};
constexpr Words kSystems[] = {{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"},  {"Windows", "Windows"},
                              {"Macintosh", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}};

template <std::size_t N>
std::string_view firstIn(std::string_view text, const Words (&words)[N]) {
    for (const auto& [sign, word] : words) {
        if (text.find(sign) != std::string_view::npos) return word;
    }
    return {};
}

bool isPlain(char c) {
    constexpr std::string_view kSigns = " '()+,-_.;";
    return static_cast<unsigned char>(c) >= 0x80 || isLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
}

// The bytes of a control character or an invisible mark at the beginning, which may end a line or turn its direction:
// U+0080 to U+009F, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F. 0: there is none.
std::size_t markLength(std::string_view rest) {
    const auto at = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U; };
    if (at(0) == 0xc2) return at(1) <= 0x9f ? 2 : 0;
    if (at(0) != 0xe2) return 0;
    const bool is80 = at(1) == 0x80 && ((at(2) >= 0x8b && at(2) <= 0x8f) || (at(2) >= 0xa8 && at(2) <= 0xae));
    const bool is81 = at(1) == 0x81 && at(2) >= 0xa0 && at(2) <= 0xaf;
    return is80 || is81 ? 3 : 0;
}

// At most kMaxWordsBytes in one line, without what could begin, end or be part of a link or of markup.
std::string plainWords(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (const std::size_t mark = markLength(text.substr(i)); mark > 0) {
            i += mark - 1;
            continue;
        }
        const bool isDotInName = text[i] == '.' && i + 1 < text.size() && isLetter(text[i + 1]);
        const char c = isPlain(text[i]) && !isDotInName ? text[i] : ' ';
        if (c != ' ' || (!plain.empty() && plain.back() != ' ')) plain += c;
    }
    plain.resize(wholeCharacters(plain, kMaxWordsBytes).size());
    while (plain.ends_with(' ')) plain.pop_back();
    return plain;
}

std::string describeAgent(std::string_view userAgent) {
    const std::string_view browser = firstIn(userAgent, kBrowsers);
    const std::string_view system = firstIn(userAgent, kSystems);
    if (browser.empty() || system.empty()) return plainWords(userAgent);
    return std::string{browser} + " on " + std::string{system};
}

}  // namespace

std::string describeDevice(const Device& device, std::string_view userAgent) {
    const std::string name = plainWords(device.name);
    std::string platform = plainWords(device.platform);
    if (platform == "web") platform.clear();  // "Firefox on Linux (web)" would say nothing more
    if (name.empty()) return platform.empty() ? describeAgent(userAgent) : platform;
    return platform.empty() ? name : name + " (" + platform + ")";
}

}  // namespace otpgate::domain
