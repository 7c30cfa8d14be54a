#include "delivery/sms/http_template.h"

#include "delivery/escaping.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"

#include <algorithm>
#include <array>
#include <utility>

namespace otpgate::delivery {

namespace {

constexpr std::array<std::pair<std::string_view, Placeholder>, 5> kPlaceholders{{
    {"to", Placeholder::To},
    {"to_digits", Placeholder::ToDigits},
    {"from", Placeholder::From},
    {"text", Placeholder::Text},
    {"secret", Placeholder::Secret},
}};

// The word after the brace that `text` begins with, or nothing.
std::string_view wordInBraces(std::string_view text) {
    const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 1);
    if (end == std::string_view::npos || end == 1 || text[end] != '}') return {};
    return text.substr(1, end - 1);
}

std::string_view valueOf(Placeholder placeholder, const HttpValues& values) {
    switch (placeholder) {
    case Placeholder::To: return values.to;
    case Placeholder::ToDigits: return values.to.substr(std::min<std::size_t>(1, values.to.size()));
    case Placeholder::From: return values.from;
    case Placeholder::Text: return values.text;
    case Placeholder::Secret: return values.secret;
    }
    return {};
}

std::string escaped(std::string_view value, Escaping escaping) {
    switch (escaping) {
    case Escaping::None: return std::string(value);
    case Escaping::Percent: return percentEncoded(value);
    case Escaping::Json: return jsonEscaped(value);
    case Escaping::Xml: return xmlEscaped(value);
    }
    return {};
}

}  // namespace

HttpTemplate::HttpTemplate(std::string_view setting, std::string_view text, Escaping escaping) : escaping_(escaping) {
    Part part;
    while (!text.empty()) {
        const auto word = text.front() == '{' ? wordInBraces(text) : std::string_view{};
        if (word.empty()) {
            part.text += text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto* const found = std::find_if(kPlaceholders.begin(), kPlaceholders.end(),
                                               [&](const auto& known) { return known.first == word; });
        if (found == kPlaceholders.end()) {
            throw ConfigurationError(std::string(setting) + " holds {" + std::string(word) +
                                     "}; there are {to}, {to_digits}, {from}, {text} and {secret}");
        }
        part.placeholder = found->second;
        parts_.push_back(std::exchange(part, {}));
        text.remove_prefix(word.size() + 2);
    }
    parts_.push_back(std::move(part));
}

bool HttpTemplate::holds(Placeholder placeholder) const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [placeholder](const Part& part) { return part.placeholder == placeholder; });
}

std::string HttpTemplate::fill(const HttpValues& values) const {
    std::string out;
    for (const Part& part : parts_) {
        out += part.text;
        if (part.placeholder) out += escaped(valueOf(*part.placeholder, values), escaping_);
    }
    return out;
}

}  // namespace otpgate::delivery
