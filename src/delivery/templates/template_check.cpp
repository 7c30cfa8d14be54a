#include "otpgate/delivery/template_check.h"

#include "delivery/templates/mustache_template.h"
#include "delivery/templates/plural.h"
#include "delivery/templates/template_tags.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace otpgate::delivery {

namespace {

using Names = std::vector<std::string_view>;
using Type = TemplateTag::Type;

constexpr std::string_view kPurposes[] = {"login", "register", "verify", "reset", "change"};

bool has(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// What a template may say: by its kind, its part and its language.
struct Vocabulary {
    Names variables;
    Names sections;
    std::vector<Names> choices;  // sections of which exactly one is shown
    bool mayIncludeLayout = false;
    std::string_view mustShow = {};  // the variable without which the message is of no use

    explicit Vocabulary(std::string_view path) {
        if (path.starts_with("layout/")) {
            variables = {"lang", "dir", "subject", "service"};
            return;
        }
        const std::string_view locale = path.substr(0, path.find('/'));
        const bool isSubject = path.ends_with(".subject");
        const bool isSms = path.ends_with(".sms");
        mayIncludeLayout = path.ends_with(".html");
        variables = {"service"};
        if (mayIncludeLayout) variables.insert(variables.end(), {"lang", "dir", "subject"});
        if (path.find("/link.") != std::string_view::npos) {
            variables.push_back("minutes");
            if (!isSubject) variables.push_back("link");
            mustShow = isSubject ? "" : "link";
            choices = {pluralCategories(locale)};
            sections = choices.front();
            if (isSms) sections.insert(sections.end(), {"show_service", "show_minutes"});
            return;
        }
        if (path.find("/code.") != std::string_view::npos) {
            variables.push_back("minutes");
            if (!isSubject) variables.push_back("code");
            mustShow = isSubject ? "" : "code";
            choices = {Names(std::begin(kPurposes), std::end(kPurposes)), pluralCategories(locale)};
            for (const Names& choice : choices) sections.insert(sections.end(), choice.begin(), choice.end());
            if (isSms) sections.insert(sections.end(), {"show_service", "show_minutes"});
            // Where a mail has one beside the code.
            if (!isSubject && !isSms) {
                variables.push_back("link");
                sections.push_back("link");
            }
            return;
        }
        variables.insert(variables.end(), {"time", "ip_address", "device", "link", "support"});
        sections = {"ip_address", "device", "support"};
        if (path.find("/address_changed.") != std::string_view::npos) {
            variables.push_back("changed_address");
            sections.push_back("changed_address");
        }
        if (path.find("/recovery_code_used.") != std::string_view::npos) {
            variables.push_back("codes_left");
            sections.push_back("codes_left");
        }
        if (isSms) sections.push_back("show_details");
    }
};

class FileCheck {
public:
    FileCheck(const TemplateFiles& files, std::string_view path, const TemplateFile& file,
              std::vector<TemplateFinding>& findings)
        : files_(files),
          path_(path),
          file_(file),
          vocabulary_(path),
          findings_(findings) {}

    void run() {
        const std::size_t before = findings_.size();
        checkText();
        for (const TemplateTag& tag : readTags(file_.text)) check(tag);
        for (const TemplateTag& tag : open_) report(tag.line, "{{#" + std::string(tag.name) + "}} is not closed");
        checkChoices();
        if (!vocabulary_.mustShow.empty() && !showsSecret_) {
            report(1, "{{" + std::string(vocabulary_.mustShow) + "}} is missing, or stands in a section");
        }
        if (findings_.size() == before) parse();
    }

private:
    void report(unsigned line, std::string what) { findings_.push_back({file_.name, line, std::move(what)}); }

    void checkText() {
        unsigned line = 1;
        for (std::string_view rest = file_.text; !rest.empty();) {
            const std::size_t length = utf8CharacterLength(rest);
            if (length == 0) return report(line, "is not UTF-8");
            if (rest.front() == '\n') ++line;
            if (isControl(rest.front()) && rest.front() != '\n' && rest.front() != '\t') {
                return report(line, "holds a control character");
            }
            rest.remove_prefix(length);
        }
        if (file_.text.find_first_not_of(" \t\n") == std::string_view::npos) report(1, "is empty");
    }

    void check(const TemplateTag& tag) {
        const std::string name(tag.name);
        switch (tag.type) {
        case Type::Comment: return;
        case Type::Unclosed: return report(tag.line, "}} is missing");
        case Type::Delimiters: return report(tag.line, "other delimiters than {{ and }} are not supported");
        case Type::Unescaped: return report(tag.line, "{{{...}}} and {{&...}} are not supported: values are text");
        case Type::Partial: return checkPartial(tag);
        case Type::Variable: return checkVariable(tag);
        case Type::Section:
        case Type::InvertedSection:
            if (!has(vocabulary_.sections, tag.name)) report(tag.line, "unknown section {{#" + name + "}}");
            used_.insert(tag.name);
            if (tag.type == Type::InvertedSection) inverted_.insert(tag.name);
            open_.push_back(tag);
            return;
        case Type::End:
            if (open_.empty() || open_.back().name != tag.name) {
                report(tag.line, "{{/" + name + "}} closes nothing that is open");
            }
            if (!open_.empty()) open_.pop_back();
            return;
        }
    }

    void checkPartial(const TemplateTag& tag) {
        const std::string name(tag.name);
        if (!vocabulary_.mayIncludeLayout) {
            report(tag.line, "{{> " + name + "}} is for the .html of a message alone");
        } else if (!files_.find("layout/" + name + ".html")) {
            report(tag.line, "{{> " + name + "}}: there is no layout/" + name + ".html");
        }
    }

    void checkVariable(const TemplateTag& tag) {
        if (tag.name == "code" && path_.ends_with("/code.subject")) {
            report(tag.line, "the code must not stand in the subject: it is shown on locked screens");
        } else if (!has(vocabulary_.variables, tag.name)) {
            report(tag.line, "unknown placeholder {{" + std::string(tag.name) + "}}");
        }
        if (tag.name == vocabulary_.mustShow && open_.empty()) showsSecret_ = true;
    }

    // Whoever says one of several must say all, or say "else".
    void checkChoices() {
        for (const Names& choice : vocabulary_.choices) {
            const auto isUsed = [this](std::string_view name) { return used_.contains(name); };
            const auto isElse = [this](std::string_view name) { return inverted_.contains(name); };
            if (std::none_of(choice.begin(), choice.end(), isUsed)) continue;
            if (std::any_of(choice.begin(), choice.end(), isElse)) continue;
            for (const std::string_view name : choice) {
                if (!isUsed(name)) report(1, "the section {{#" + std::string(name) + "}} is missing");
            }
        }
    }

    void parse() {
        try {
            const MustacheTemplate parsed(files_.expanded(file_.text), HtmlEscaping::None);
        } catch (const std::invalid_argument& error) {
            report(1, error.what());
        }
    }

    const TemplateFiles& files_;
    std::string_view path_;
    const TemplateFile& file_;
    const Vocabulary vocabulary_;
    std::vector<TemplateFinding>& findings_;
    std::vector<TemplateTag> open_;
    std::set<std::string_view> used_;
    std::set<std::string_view> inverted_;
    bool showsSecret_ = false;
};

}  // namespace

std::vector<TemplateFinding> checkTemplates(const TemplateFiles& files) {
    std::vector<TemplateFinding> findings = files.findings();
    for (const auto& [path, file] : files.all()) FileCheck(files, path, file, findings).run();
    std::stable_sort(findings.begin(), findings.end(),
                     [](const auto& a, const auto& b) { return std::tie(a.file, a.line) < std::tie(b.file, b.line); });
    return findings;
}

}  // namespace otpgate::delivery
