// Templates as somebody writes them. Lines of the input: a value, then the template. What the check of templates lets
// pass renders, and no value gets into HTML as anything but text.
#include "delivery/templates/mustache_template.h"
#include "delivery/templates/template_tags.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"

#include <algorithm>
#include <stdexcept>

namespace {

using namespace otpgate::delivery;

// Of the check: text alone, and no tags that are not for us.
bool mayBeRendered(std::string_view text) {
    if (!otpgate::isValidUtf8(text)) return false;
    if (std::any_of(text.begin(), text.end(),
                    [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }))
        return false;
    std::vector<std::string_view> open;
    for (const TemplateTag& tag : readTags(text)) {
        using Type = TemplateTag::Type;
        switch (tag.type) {
        case Type::Variable:
            if (tag.name != "code" && tag.name != "service") return false;
            break;
        case Type::Section:
        case Type::InvertedSection: open.push_back(tag.name); break;
        case Type::End:
            if (open.empty() || open.back() != tag.name) return false;
            open.pop_back();
            break;
        case Type::Comment: break;
        case Type::Partial:
        case Type::Unescaped:
        case Type::Delimiters:
        case Type::Unclosed: return false;
        }
    }
    return open.empty();
}

}  // namespace

FUZZ_TARGET(templates) {
    otpgate::fuzz::Input lines(input);
    std::string value{lines.line()};
    std::replace_if(
        value.begin(), value.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    const std::string text{lines.rest()};
    unsigned line = 1;
    for (const TemplateTag& tag : readTags(text)) {
        REQUIRE(tag.line >= line);
        line = tag.line;
    }
    if (!mayBeRendered(text)) return;

    std::string withoutMarkup = text;
    std::erase_if(withoutMarkup, [](char c) { return c == '<' || c == '>'; });
    if (!mayBeRendered(withoutMarkup)) return;
    try {
        const MustacheTemplate html(withoutMarkup, HtmlEscaping::Html);
        const std::string rendered = html.render({{"code", value + "<b>"}, {"service", value}});
        REQUIRE(rendered.find_first_of("<>") == std::string::npos);
        REQUIRE(rendered.find_first_of("\x01\x02\x03") == std::string::npos);
        const MustacheTemplate plain(text, HtmlEscaping::None);
        const std::string same = plain.render({{"code", value}, {"service", value}});
        if (text.find("{{") == std::string::npos) REQUIRE(same == text);
        REQUIRE(plain.render({{"code", value}, {"service", value}}) == same);
    } catch (const std::invalid_argument&) {
        // The check says so at the start.
    }
}
