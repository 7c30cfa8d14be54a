#include "cli/settings_text.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace otpgate::cli {

namespace {

bool isComment(std::string_view line) {
    return line.starts_with('#') || line.starts_with(';');
}

std::optional<std::string_view> sectionOf(std::string_view line) {
    if (!line.starts_with('[') || !line.ends_with(']')) return std::nullopt;
    return trim(line.substr(1, line.size() - 2));
}

}  // namespace

std::string withSetting(std::string_view text, std::string_view key, std::string_view value) {
    const auto dot = key.rfind('.');
    const std::string_view section = dot == std::string_view::npos ? "" : key.substr(0, dot);
    const std::string_view name = dot == std::string_view::npos ? key : key.substr(dot + 1);
    const std::string line = std::string{name} + " = " + std::string{value};

    const auto parts = split(text, '\n');
    std::vector<std::string> lines(parts.begin(), parts.end());
    if (!lines.empty() && lines.back().empty()) lines.pop_back();

    std::string_view current;
    // Behind the last line of the section that says something: the next one's comments stand before its name.
    std::optional<std::size_t> end;
    if (section.empty()) end = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view content = trim(lines[i], " \t\r");
        if (content.empty() || isComment(content)) continue;
        if (const auto found = sectionOf(content)) current = *found;
        if (current != section) continue;
        if (!content.starts_with('[') && trim(content.substr(0, content.find('='))) == name) {
            lines[i] = line;
            return joined(lines, "\n") + "\n";
        }
        end = i + 1;
    }
    if (end) {
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(*end), line);
    } else {
        if (!lines.empty()) lines.emplace_back();
        lines.push_back("[" + std::string{section} + "]");
        lines.push_back(line);
    }
    return joined(lines, "\n") + "\n";
}

}  // namespace otpgate::cli
