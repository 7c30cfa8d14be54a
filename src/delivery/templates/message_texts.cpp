#include "otpgate/delivery/message_texts.h"

#include "delivery/templates/plain_text.h"
#include "delivery/templates/plural.h"
#include "otpgate/base/time_zones.h"
#include "otpgate/delivery/sms_length.h"

namespace otpgate::delivery {

namespace {

constexpr const char* kShown = "1";
// Longer than most names, and too short for a message of a stranger's.
constexpr std::size_t kDeviceCharacters = 60;
constexpr std::size_t kAddressCharacters = 120;

// A value from a client comes as plain text: what it must not do to a mail, plainText() says.
TemplateValues valuesOf(const std::string& locale, const MessageContext& context) {
    TemplateValues values{{"service", std::string(context.service)}};
    if (domain::carriesSecret(context.kind)) {
        const auto minutes = context.validFor.count();
        values.emplace_back("code", context.code);
        values.emplace_back("link", context.signInLink);
        values.emplace_back("minutes", std::to_string(minutes));
        values.emplace_back(domain::toString(context.purpose), kShown);
        values.emplace_back(pluralCategory(locale, static_cast<unsigned long>(minutes)), kShown);
    } else {
        values.emplace_back("time", toLocalMinutes(context.happenedAt, context.notice->timeZone));
        values.emplace_back("ip_address", plainText(context.notice->ipAddress, kDeviceCharacters));
        values.emplace_back("device", plainText(context.notice->device, kDeviceCharacters));
        values.emplace_back("changed_address", context.notice->changedAddress);
        const auto& left = context.notice->codesLeft;
        values.emplace_back("codes_left", left ? std::to_string(*left) : std::string{});
        values.emplace_back("link", std::string(context.link));
        values.emplace_back("support", std::string(context.support));
    }
    return values;
}

}  // namespace

MailTexts mailTexts(const Templates& templates, const std::string& wished, const MessageContext& context) {
    const std::string& locale = templates.spokenFor(wished, context.kind);
    TemplateValues values = valuesOf(locale, context);
    MailTexts texts;
    texts.subject = templates.render(locale, context.kind, TemplatePart::Subject, values);
    texts.text = templates.render(locale, context.kind, TemplatePart::Text, values);
    values.emplace_back("subject", texts.subject);
    values.emplace_back("lang", locale);
    values.emplace_back("dir", isRightToLeft(locale) ? "rtl" : "ltr");
    texts.html = templates.render(locale, context.kind, TemplatePart::Html, values);
    return texts;
}

std::string smsText(const Templates& templates, const std::string& wished, const MessageContext& context) {
    const std::string& locale = templates.spokenFor(wished, context.kind);
    const bool hasSecret = domain::carriesSecret(context.kind);
    std::string lastLine;
    if (context.kind == domain::MessageKind::Code)
        lastLine.append("\n\n@").append(context.host).append(" #").append(context.code);
    // From the longest form to the shortest. The last line of a code names the service at any rate.
    const std::vector<std::vector<std::string_view>> forms =
        hasSecret ? std::vector<std::vector<std::string_view>>{{"show_service", "show_minutes"}, {"show_minutes"}, {}}
                  : std::vector<std::vector<std::string_view>>{{"show_details"}, {}};
    const TemplateValues values = valuesOf(locale, context);
    std::string text;
    for (const auto& form : forms) {
        TemplateValues shown = values;
        for (const std::string_view section : form) shown.emplace_back(section, kShown);
        text = templates.render(locale, context.kind, TemplatePart::Sms, shown) + lastLine;
        if (fitsOneSms(text)) return text;
    }
    return text;
}

}  // namespace otpgate::delivery
