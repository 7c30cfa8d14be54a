#include "otpgate/http/accept_language.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace otpgate::http {

namespace {

// Enough for any browser; the rest of a header is not looked at.
constexpr std::size_t kMaxHeaderBytes = 1000;
constexpr std::size_t kMaxTagBytes = 35;

bool isTag(std::string_view text) {
    return !text.empty() && text.size() <= kMaxTagBytes && isLetter(text.front()) && text.back() != '-' &&
           std::all_of(text.begin(), text.end(), [](char c) { return isLetterOrDigit(c) || c == '-'; });
}

// "q=0.8" as 800; nullopt for what is no weight (RFC 9110, section 12.4.2).
std::optional<int> parseWeight(std::string_view parameter) {
    if (parameter.size() < 3 || parameter.size() > 7 || (parameter[0] != 'q' && parameter[0] != 'Q')) {
        return std::nullopt;
    }
    if (parameter[1] != '=' || (parameter[2] != '0' && parameter[2] != '1')) return std::nullopt;
    if (parameter.size() > 3 && parameter[3] != '.') return std::nullopt;
    int weight = (parameter[2] - '0') * 1000;
    int place = 100;
    for (const char c : parameter.substr(std::min<std::size_t>(parameter.size(), 4))) {
        if (!isDigit(c)) return std::nullopt;
        weight += (c - '0') * place;
        place /= 10;
    }
    return weight <= 1000 ? std::optional{weight} : std::nullopt;
}

struct Wanted {
    std::string tag;
    int weight;
};

std::optional<Wanted> parseElement(std::string_view element) {
    const auto semicolon = element.find(';');
    auto tag = parseLanguageTag(element.substr(0, semicolon));
    if (!tag) return std::nullopt;
    if (semicolon == std::string_view::npos) return Wanted{std::move(*tag), 1000};
    const auto weight = parseWeight(trim(element.substr(semicolon + 1)));
    if (!weight || *weight == 0) return std::nullopt;
    return Wanted{std::move(*tag), *weight};
}

}  // namespace

std::optional<std::string> parseLanguageTag(std::string_view text) {
    // Behind a dot or an @ stand POSIX's character set and modifier.
    std::string tag{trim(text.substr(0, text.find_first_of(".@")))};
    std::replace(tag.begin(), tag.end(), '_', '-');
    if (!isTag(tag)) return std::nullopt;
    return tag;
}

std::string acceptedLanguages(std::string_view header) {
    if (header.size() > kMaxHeaderBytes) {
        header = header.substr(0, kMaxHeaderBytes);
        header = header.substr(0, header.rfind(',') + 1);  // not half a tag
    }
    std::vector<Wanted> wanted;
    while (!header.empty()) {
        const auto comma = header.find(',');
        if (const auto element = parseElement(header.substr(0, comma))) wanted.push_back(*element);
        header = comma == std::string_view::npos ? std::string_view{} : header.substr(comma + 1);
    }
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const Wanted& a, const Wanted& b) { return a.weight > b.weight; });
    if (wanted.size() > kMaxAcceptedLanguages) wanted.resize(kMaxAcceptedLanguages);
    std::string tags;
    for (const Wanted& each : wanted) {
        if (tags.size() + 1 + each.tag.size() > kMaxAcceptedLanguagesBytes) break;
        tags.append(tags.empty() ? "" : ",").append(each.tag);
    }
    return tags;
}

}  // namespace otpgate::http
