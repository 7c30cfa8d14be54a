// otpgate templates: looks after the words of the messages.
#include "cli/commands.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/message_texts.h"
#include "otpgate/delivery/template_check.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <iostream>
#include <optional>

namespace otpgate::cli {

namespace {

using delivery::TemplatePart;
using domain::MessageKind;

int check(const std::string& directory) {
    const delivery::TemplateFiles files(directory);
    const auto findings = delivery::checkTemplates(files);
    for (const auto& finding : findings) std::cout << finding.toString() << "\n";
    if (!findings.empty()) return 1;
    for (const std::string& note : files.standInNotes()) std::cout << note << "\n";
    std::cout << "the templates are good\n";
    return 0;
}

// de  built-in
// nl  /etc/otpgate/templates
int listTemplates(const std::string& directory, bool asJson) {
    const delivery::TemplateFiles files(directory);
    http::JsonWriter json;
    json.beginArray();
    for (const std::string& locale : files.locales()) {
        const auto isOfLocale = [&](const auto& file) { return file.first.starts_with(locale + "/"); };
        const auto own = std::count_if(files.all().begin(), files.all().end(),
                                       [&](const auto& file) { return isOfLocale(file) && !file.second.isBuiltIn; });
        const auto all = std::count_if(files.all().begin(), files.all().end(), isOfLocale);
        json.beginObject().member("locale", locale).member("files", std::int64_t{all});
        json.member("own_files", std::int64_t{own}).endObject();
        if (asJson) continue;
        std::cout << locale << "\t";
        if (own == 0) {
            std::cout << "built-in\n";
        } else {
            std::cout << own << " of " << all << " files from " << directory << "\n";
        }
    }
    json.endArray();
    if (asJson) std::cout << json.take() << "\n";
    return 0;
}

delivery::MessageContext exampleOf(MessageKind kind, std::string_view service) {
    static const domain::NoticeFacts facts{"192.0.2.7", "Firefox 121.0 (Linux)", "a*n@example.com"};
    return {.kind = kind,
            .service = service,
            .host = service,
            .purpose = domain::Purpose::Login,
            .code = "012345",
            .signInLink = kind == MessageKind::Link
                              ? "https://login.example.org/#link=AaImZr5XcGOEo5oz3rJE3zmljyZu3RD_ZMJmI0qUnCo"
                              : "",
            .validFor = std::chrono::minutes{10},
            .notice = &facts,
            .happenedAt = fromMicroseconds(1'795'162'500'000'000),  // 2026-11-20 08:15 UTC
            .link = "https://login.example.org/",
            .support = "help@example.org"};
}

template <class Value, class Values>
Value parseWord(std::string_view word, const Values& values, const std::string& what) {
    std::string words;
    for (const Value value : values) {
        if (word == toString(value)) return value;
        words.append(words.empty() ? "" : ", ").append(toString(value));
    }
    throw UsageError("unknown " + what + ": " + std::string(word) + "; there are " + words);
}

int showTemplate(const delivery::TemplateSettings& settings, const std::vector<std::string>& words) {
    const auto kind = parseWord<MessageKind>(words[1], delivery::kMessageKinds, "kind");
    std::optional<TemplatePart> part;
    if (words.size() > 2) part = parseWord<TemplatePart>(words[2], delivery::kTemplateParts, "part");
    const delivery::Templates templates(settings);
    const auto locales = templates.locales();
    if (std::find(locales.begin(), locales.end(), words[0]) == locales.end()) {
        throw UsageError("there are no templates for " + words[0] + ": see otpgate templates list");
    }
    const auto context = exampleOf(kind, "login.example.org");
    const auto mail = mailTexts(templates, words[0], context);
    const auto print = [&](TemplatePart each, const std::string& text) {
        if (part && *part != each) return;
        if (!part) std::cout << "== " << toString(each) << "\n";
        std::cout << text << (text.ends_with('\n') ? "" : "\n");
    };
    print(TemplatePart::Subject, mail.subject);
    print(TemplatePart::Text, mail.text);
    print(TemplatePart::Html, mail.html);
    print(TemplatePart::Sms, smsText(templates, words[0], context));
    return 0;
}

}  // namespace

int templates(const Invocation& invocation) {
    const std::string& action = invocation.action;
    if (action == "check" && !invocation.words.empty()) return check(invocation.words.front());
    const delivery::TemplateSettings settings = invocation.settings().templates;
    if (action == "check") return check(settings.directory);
    if (action == "list") return listTemplates(settings.directory, invocation.has("--json"));
    return showTemplate(settings, invocation.words);
}

}  // namespace otpgate::cli
