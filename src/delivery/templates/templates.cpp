#include "otpgate/delivery/templates.h"

#include "delivery/templates/mustache_template.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/delivery/template_check.h"
#include "otpgate/delivery/template_files.h"

#include <algorithm>
#include <mutex>
#include <optional>

namespace otpgate::delivery {

namespace {

// A header is one line, and a subject that was broken for its length is one again.
std::string asOneLine(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c != ' ' && !isControl(c)) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

std::size_t indexOf(domain::MessageKind kind) {
    return static_cast<std::size_t>(std::find(kMessageKinds.begin(), kMessageKinds.end(), kind) -
                                    kMessageKinds.begin());
}

}  // namespace

std::string_view toString(TemplatePart part) {
    switch (part) {
    case TemplatePart::Subject: return "subject";
    case TemplatePart::Text: return "txt";
    case TemplatePart::Html: return "html";
    case TemplatePart::Sms: return "sms";
    }
    return {};
}

// The templates of one language. Each is parsed at its first use, and kept: few services send in ten
// languages.
class Templates::Locale {
public:
    Locale(const TemplateFiles& files, std::string name) : files_(files), name_(std::move(name)) {}

    const std::string& name() const { return name_; }

    const MustacheTemplate& get(domain::MessageKind kind, TemplatePart part) {
        Slot& slot = slots_.at(indexOf(kind)).at(static_cast<std::size_t>(part));
        std::call_once(slot.once, [&] {
            const auto escaping = part == TemplatePart::Html ? HtmlEscaping::Html : HtmlEscaping::None;
            slot.parsed.emplace(files_.expanded(files_.find(templatePath(name_, kind, part))->text), escaping);
        });
        return *slot.parsed;
    }

private:
    struct Slot {
        std::once_flag once;
        std::optional<MustacheTemplate> parsed;
    };
    const TemplateFiles& files_;
    const std::string name_;
    std::array<std::array<Slot, kTemplateParts.size()>, kMessageKinds.size()> slots_;
};

Templates::Templates(const TemplateSettings& settings) : files_(std::make_unique<TemplateFiles>(settings.directory)) {
    const auto findings = checkTemplates(*files_);
    if (!findings.empty()) {
        throw ConfigurationError("templates.directory: " + findings.front().toString() +
                                 " (otpgate templates check finds all)");
    }
    for (const std::string& name : files_->locales()) locales_.push_back(std::make_unique<Locale>(*files_, name));
    defaultLocale_ = localeFor(settings.defaultLocale);
    if (defaultLocale_.empty()) {
        throw ConfigurationError("templates.default_locale: there are no templates for " + settings.defaultLocale +
                                 ", but for " + joined(files_->locales(), ", "));
    }
}

Templates::~Templates() = default;

const std::string& Templates::localeFor(std::string_view languages) const {
    while (!languages.empty()) {
        const auto comma = languages.find(',');
        std::string_view range = trim(languages.substr(0, comma));
        for (; !range.empty(); range = shortened(range)) {
            for (const auto& locale : locales_) {
                if (equalsIgnoringCase(locale->name(), range)) return locale->name();
            }
        }
        languages = comma == std::string_view::npos ? std::string_view{} : languages.substr(comma + 1);
    }
    return defaultLocale_;
}

std::vector<std::string> Templates::locales() const {
    return files_->locales();
}

const std::string& Templates::spokenFor(const std::string& locale, domain::MessageKind kind) const {
    const auto& standIns = files_->standIns();
    const auto found =
        std::ranges::find_if(standIns, [&](const StandIn& each) { return each.locale == locale && each.kind == kind; });
    return found == standIns.end() ? locale : found->spoken;
}

std::vector<std::string> Templates::standInNotes() const {
    return files_->standInNotes();
}

std::string Templates::render(const std::string& locale, domain::MessageKind kind, TemplatePart part,
                              const TemplateValues& values) const {
    const auto found =
        std::find_if(locales_.begin(), locales_.end(), [&](const auto& each) { return each->name() == locale; });
    std::string text = (*found)->get(kind, part).render(values);
    switch (part) {
    case TemplatePart::Subject: return asOneLine(text);
    case TemplatePart::Sms: return std::string(trim(text, " \t\n"));
    case TemplatePart::Text:
    case TemplatePart::Html: return text;
    }
    return text;
}

}  // namespace otpgate::delivery
