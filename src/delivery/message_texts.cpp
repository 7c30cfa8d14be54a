#include "delivery/message_texts.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace otpgate::delivery {

namespace {

// What the code is for, by purpose.
constexpr std::string_view kLogin = "sign-in code";
constexpr std::string_view kRegister = "registration code";
constexpr std::string_view kVerify = "verification code";
constexpr std::string_view kReset = "password reset code";
constexpr std::string_view kChange = "address change code";

std::string_view nameOfCode(domain::Purpose purpose) {
    switch (purpose) {
    case domain::Purpose::Login: return kLogin;
    case domain::Purpose::Register: return kRegister;
    case domain::Purpose::Verify: return kVerify;
    case domain::Purpose::Reset: return kReset;
    case domain::Purpose::Change: return kChange;
    }
    return "code";
}

// "code" stands near the digits and the digits alone on their line: that is what phones look for when they offer to
// fill in.
constexpr std::string_view kMailText =
    R"(Your {name} for {service} is:

{code}

It is good for {minutes} and works once.

If you did not ask for it, ignore this message.
Do not give the code to anyone, and enter it only where you asked for it.
)";

// No links, images or fixed text colours: the reader's program chooses the colours, light or dark.
constexpr std::string_view kMailHtml =
    R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>Your {name}</title>
</head>
<body style="margin:0;padding:24px;font-family:sans-serif;font-size:16px">
<p style="margin:0 0 16px">
Your {name} for {service} is:</p>
<p style="margin:0 0 16px;font-family:monospace;font-size:36px;
font-weight:bold;letter-spacing:6px">{code}</p>
<p style="margin:0 0 16px">It is good for {minutes} and works once.</p>
<p style="margin:0;font-size:14px">
If you did not ask for it, ignore this message.<br>
Do not give the code to anyone, and enter it only where you asked for it.</p>
</body>
</html>
)";

constexpr std::string_view kSmsText = "{code} is your {name} for {service}. It is good for {minutes}.";
constexpr std::string_view kShortSmsText = "{code} is your {name}. It is good for {minutes}.";
// The service is named here at any rate.
constexpr std::string_view kSmsLastLine = "\n\n@{service} #{code}";

// What one SMS holds in the alphabet of GSM 03.38, to which everything in our texts belongs. Brackets count twice
// there.
constexpr std::size_t kSegment = 160;
std::size_t gsmLength(std::string_view text) {
    return text.size() + static_cast<std::size_t>(
                             std::count_if(text.begin(), text.end(), [](char c) { return c == '[' || c == ']'; }));
}

using Values = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// One pass, so that nothing in a value is taken for a placeholder.
std::string fill(std::string_view pattern, Values values) {
    std::string out;
    out.reserve(pattern.size() + 64);
    while (true) {
        // From one brace to the next: nearly all of a pattern is words.
        const std::size_t brace = pattern.find('{');
        out += pattern.substr(0, brace);
        if (brace == std::string_view::npos) return out;
        pattern.remove_prefix(brace);
        const auto* const found = std::find_if(values.begin(), values.end(),
                                               [&](const auto& value) { return pattern.starts_with(value.first); });
        const bool isPlaceholder = found != values.end();
        out += isPlaceholder ? std::string_view{found->second} : pattern.substr(0, 1);
        pattern.remove_prefix(isPlaceholder ? found->first.size() : 1);
    }
}

std::string minutesText(std::chrono::minutes minutes) {
    return std::to_string(minutes.count()) + (minutes.count() == 1 ? " minute" : " minutes");
}

}  // namespace

// Service and code are host name characters, letters and digits, so the HTML needs no escaping: the composer has
// checked the host.
MailTexts mailTexts(const MessageContext& context) {
    const std::string minutes = minutesText(context.validFor);
    const std::string_view name = nameOfCode(context.purpose);
    const Values values{
        {"{name}", name}, {"{service}", context.service}, {"{code}", context.code}, {"{minutes}", minutes}};
    return {"Your " + std::string(name), fill(kMailText, values), fill(kMailHtml, values)};
}

std::string smsText(const MessageContext& context) {
    const std::string minutes = minutesText(context.validFor);
    const Values values{{"{name}", nameOfCode(context.purpose)},
                        {"{service}", context.service},
                        {"{code}", context.code},
                        {"{minutes}", minutes}};
    const std::string lastLine = fill(kSmsLastLine, values);
    const std::string text = fill(kSmsText, values) + lastLine;
    return gsmLength(text) <= kSegment ? text : fill(kShortSmsText, values) + lastLine;
}

}  // namespace otpgate::delivery
