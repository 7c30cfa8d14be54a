// Every word of our messages, in one place: what templates for other languages will replace. Used by the composer.
#pragma once

#include "otpgate/domain/models.h"

#include <chrono>
#include <string>
#include <string_view>

namespace otpgate::delivery {

struct MessageContext {
    domain::Purpose purpose = domain::Purpose::Login;
    std::string_view locale;   // English alone so far
    std::string_view service;  // host name
    std::string_view code;
    std::chrono::minutes validFor{0};
};

struct MailTexts {
    std::string subject;  // ASCII, without the code: it is shown on locked screens
    std::string text;     // LF line ends; the code alone on a line
    std::string html;
};

MailTexts mailTexts(const MessageContext& context);

// One SMS segment of 160 characters, unless the host name alone is longer than that allows. Begins with the code and
// ends with the line by which phones fill it in on this host only ("@host #code",
// https://wicg.github.io/sms-one-time-codes/).
std::string smsText(const MessageContext& context);

}  // namespace otpgate::delivery
