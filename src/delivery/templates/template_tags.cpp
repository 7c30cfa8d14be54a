#include "delivery/templates/template_tags.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::delivery {

namespace {

using Type = TemplateTag::Type;

constexpr std::string_view kAroundAName = " \t\r\n";

Type typeOf(char sigil) {
    switch (sigil) {
    case '#': return Type::Section;
    case '^': return Type::InvertedSection;
    case '/': return Type::End;
    case '>': return Type::Partial;
    case '!': return Type::Comment;
    case '&':
    case '{': return Type::Unescaped;
    case '=': return Type::Delimiters;
    default: return Type::Variable;
    }
}

}  // namespace

std::vector<TemplateTag> readTags(std::string_view text) {
    std::vector<TemplateTag> tags;
    unsigned line = 1;
    std::size_t position = 0;
    while (true) {
        const auto begin = text.find("{{", position);
        if (begin == std::string_view::npos) return tags;
        line += static_cast<unsigned>(std::count(text.begin() + static_cast<std::ptrdiff_t>(position),
                                                 text.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
        const auto end = text.find("}}", begin + 2);
        if (end == std::string_view::npos) {
            tags.push_back({Type::Unclosed, {}, line});
            return tags;
        }
        const std::string_view content = trim(text.substr(begin + 2, end - begin - 2), kAroundAName);
        const Type type = content.empty() ? Type::Variable : typeOf(content.front());
        tags.push_back({type, type == Type::Variable ? content : trim(content.substr(1), kAroundAName), line});
        position = begin + 2;
    }
}

}  // namespace otpgate::delivery
