#include "delivery/templates/mustache_template.h"

#include <algorithm>
#include <array>
#include <kainjow/mustache.hpp>
#include <stdexcept>
#include <utility>

namespace otpgate::delivery {

namespace mustache = kainjow::mustache;

namespace {

// The values by name. A dozen are sooner compared than hashed.
class Values final : public mustache::basic_context<std::string> {
public:
    explicit Values(const TemplateValues& values) {
        values_.reserve(values.size());
        for (const auto& [name, text] : values) {
            values_.emplace_back(name, text.empty() ? mustache::data(false) : mustache::data(text));
        }
    }

    // Entering a section does not change what names mean: there are no lists and no objects.
    void push(const mustache::data*) override {}
    void pop() override {}

    const mustache::data* get(const std::string& name) const override {
        const auto found =
            std::find_if(values_.begin(), values_.end(), [&](const auto& value) { return value.first == name; });
        return found == values_.end() ? nullptr : &found->second;
    }
    const mustache::data* get_partial(const std::string&) const override { return nullptr; }

private:
    std::vector<std::pair<std::string_view, mustache::data>> values_;
};

struct Output {
    std::string text;
    Output& operator<<(const std::string& more) {
        text += more;
        return *this;
    }
};

// kainjow makes a part of its own of each blank and each line end, which costs most of the time and memory, and leaves
// an empty line where the specification takes away a line that holds the tag of a section alone. So blanks go through
// it as control characters, of which there are none in templates and values, and such lines are taken away before.
constexpr std::string_view kBlanks = " \t\n";
constexpr std::string_view kHidden = "\x01\x02\x03";

// Which character becomes which, all others themselves: a mail is gone through twice, so each is looked up, not looked
// for.
using Translation = std::array<char, 256>;

constexpr Translation translation(std::string_view from, std::string_view to) {
    Translation table{};
    for (std::size_t byte = 0; byte < table.size(); ++byte) table[byte] = static_cast<char>(byte);
    for (std::size_t i = 0; i < from.size(); ++i) table[static_cast<unsigned char>(from[i])] = to[i];
    return table;
}

constexpr Translation kHide = translation(kBlanks, kHidden);
constexpr Translation kShow = translation(kHidden, kBlanks);

std::string translated(std::string text, const Translation& table) {
    for (char& c : text) c = table[static_cast<unsigned char>(c)];
    return text;
}

bool isSectionTagAlone(std::string_view line) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return false;
    line = line.substr(begin, line.find_last_not_of(" \t\n") + 1 - begin);
    return line.size() > 4 && line.starts_with("{{") && std::string_view{"#^/!"}.find(line[2]) != line.npos &&
           line.find("}}") == line.size() - 2;
}

std::string withHiddenBlanks(std::string_view text) {
    std::string out;
    bool isInTag = false;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
        text.remove_prefix(line.size());
        std::string_view rest = line;
        if (!isInTag && isSectionTagAlone(line)) {
            rest = line.substr(line.find("{{"), line.find("}}") + 2 - line.find("{{"));
        }
        while (!rest.empty()) {
            const auto end = std::min(rest.find(isInTag ? "}}" : "{{"), rest.size());
            out += isInTag ? std::string(rest.substr(0, end)) : translated(std::string(rest.substr(0, end)), kHide);
            rest.remove_prefix(end);
            if (rest.empty()) break;
            isInTag = !isInTag;
            out += rest.substr(0, 2);
            rest.remove_prefix(2);
        }
    }
    return out;
}

}  // namespace

struct MustacheTemplate::Parsed {
    // Its render() is not const, but writes nothing where there are neither partials nor lambdas.
    mutable mustache::mustache text;
};

MustacheTemplate::MustacheTemplate(const std::string& text, HtmlEscaping escaping)
    : parsed_(std::make_unique<Parsed>(Parsed{mustache::mustache(withHiddenBlanks(text))})) {
    if (!parsed_->text.is_valid()) throw std::invalid_argument(parsed_->text.error_message());
    if (escaping == HtmlEscaping::None) {
        parsed_->text.set_custom_escape([](const std::string& value) { return value; });
    }
}

MustacheTemplate::~MustacheTemplate() = default;

std::string MustacheTemplate::render(const TemplateValues& values) const {
    Values context(values);
    Output output;
    parsed_->text.render(context, output);
    return translated(std::move(output.text), kShow);
}

}  // namespace otpgate::delivery
