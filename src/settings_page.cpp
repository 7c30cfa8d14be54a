// The settings of the owner's page: his name, his links, where his visitors may come from.
#include "settings_page.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace otpgate {

namespace {

constexpr std::size_t kNameCharacters = 253;  // of a host name, which it is where nothing else is said

std::string readLink(SettingsReader& reader, const std::string& key) {
    std::string url = reader.text(key, "");
    const bool isLink = url.empty() || url.starts_with("https://") || url.starts_with("http://") ||
                        url.starts_with("mailto:") || url.starts_with("tel:");
    if (!isLink) reader.reject(key, "must begin with https://, http://, mailto: or tel:");
    return url;
}

// A name alone, so that it stays in its folder.
std::string readPageFile(SettingsReader& reader, const std::string& key, std::initializer_list<const char*> endings) {
    std::string name = reader.text(key, "");
    const bool isPlain = !name.starts_with('.') && std::ranges::all_of(name, [](char c) {
        return isLetterOrDigit(c) || c == '.' || c == '-' || c == '_';
    });
    const bool hasEnding = std::ranges::any_of(endings, [&](const char* ending) { return name.ends_with(ending); });
    if (!name.empty() && !(isPlain && hasEnding)) {
        reader.reject(key, "must be the name of a file that ends with " +
                               joined(std::vector<std::string>(endings.begin(), endings.end()), " or "));
    }
    return name;
}

// "Wiki https://wiki.example.com", or the origin alone, which its host names then.
std::optional<domain::Application> readApplication(const std::string& text) {
    const auto blank = text.rfind(' ');
    const std::string origin = toLower(blank == std::string::npos ? text : text.substr(blank + 1));
    const bool hasScheme = origin.starts_with("https://") || origin.starts_with("http://");
    const std::string authority = hasScheme ? origin.substr(origin.find("://") + 3) : "";
    const bool isHost = !authority.empty() && std::ranges::all_of(authority, [](char c) {
        return isLetterOrDigit(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
    });
    if (!isHost) return std::nullopt;
    const std::string name{blank == std::string::npos ? "" : trim(std::string_view{text}.substr(0, blank))};
    return domain::Application{name.empty() ? std::string{hostOf(origin)} : name, origin};
}

}  // namespace

api::PageSettings readPage(SettingsReader& reader, const std::string& publicUrl) {
    api::PageSettings page;
    page.name = reader.text("page.name", "");
    if (page.name.empty()) page.name = hostOf(publicUrl);
    // It stands in the subject of mails and in SMS.
    const bool isOneLine = std::ranges::none_of(page.name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (!isOneLine || countCharacters(page.name) > kNameCharacters) {
        reader.reject("page.name", "must be one line of at most " + std::to_string(kNameCharacters) + " characters");
    }
    page.accent = reader.text("page.accent", "");
    const bool isColour = page.accent.size() == 7 && page.accent.front() == '#' &&
                          parseNumber<std::uint32_t>(std::string_view{page.accent}.substr(1), 16);
    if (!page.accent.empty() && !isColour) reader.reject("page.accent", "must be a colour such as #2459c9");
    page.logo = readPageFile(reader, "page.logo", {".svg", ".png", ".webp", ".jpg"});
    page.stylesheet = readPageFile(reader, "page.stylesheet", {".css"});
    page.privacyUrl = readLink(reader, "page.privacy_url");
    page.imprintUrl = readLink(reader, "page.imprint_url");
    page.supportUrl = readLink(reader, "page.support_url");
    for (const std::string& text : reader.list("page.return_to", "")) {
        const auto application = readApplication(text);
        if (!application) reader.reject("page.return_to", text + " is not like Wiki https://wiki.example.com");
        if (application) page.applications.push_back(*application);
    }
    return page;
}

}  // namespace otpgate
