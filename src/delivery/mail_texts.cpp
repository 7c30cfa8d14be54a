#include "delivery/mail_texts.h"

#include <initializer_list>
#include <utility>

namespace otpgate::delivery {

namespace {

constexpr std::string_view kLoginSubject = "Your sign-in code";

// "code" stands near the digits and the digits alone on their line: that is what phones look for when they offer to
// fill in.
constexpr std::string_view kLoginText =
    R"(Your sign-in code for {service} is:

{code}

It is good for {minutes} and works once.

If you did not ask for it, ignore this message.
Do not give the code to anyone, and enter it only where you asked for it.
)";

// No links, images or fixed text colours: the reader's program chooses the colours, light or dark.
constexpr std::string_view kLoginHtml =
    R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>Your sign-in code</title>
</head>
<body style="margin:0;padding:24px;font-family:sans-serif;font-size:16px">
<p style="margin:0 0 16px">
Your sign-in code for {service} is:</p>
<p style="margin:0 0 16px;font-family:monospace;font-size:36px;
font-weight:bold;letter-spacing:6px">{code}</p>
<p style="margin:0 0 16px">It is good for {minutes} and works once.</p>
<p style="margin:0;font-size:14px">
If you did not ask for it, ignore this message.<br>
Do not give the code to anyone, and enter it only where you asked for it.</p>
</body>
</html>
)";

using Values = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// One pass, so that nothing in a value is taken for a placeholder.
std::string fill(std::string_view pattern, Values values) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size();) {
        const auto* found = values.end();
        for (const auto* value = values.begin(); value != values.end(); ++value) {
            if (pattern.substr(i).starts_with(value->first)) found = value;
        }
        if (found == values.end()) {
            out += pattern[i++];
        } else {
            out += found->second;
            i += found->first.size();
        }
    }
    return out;
}

}  // namespace

// Service and code are host name characters and digits, so the HTML needs no escaping: the composer has checked the
// host.
MailTexts mailTexts(const MailContext& context) {
    const auto count = context.validFor.count();
    const std::string minutes = std::to_string(count) + (count == 1 ? " minute" : " minutes");
    const Values values{{"{service}", context.service}, {"{code}", context.code}, {"{minutes}", minutes}};
    switch (context.purpose) {
    case domain::Purpose::Login:
    case domain::Purpose::Register:
    case domain::Purpose::Verify:
    case domain::Purpose::Reset:
        return {std::string(kLoginSubject), fill(kLoginText, values), fill(kLoginHtml, values)};
    }
    return {};
}

}  // namespace otpgate::delivery
