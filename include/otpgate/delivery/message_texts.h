// From what a message is about to the words of it: the values of the templates, and which form of an SMS fits. Used by
// the composer.
#pragma once

#include "otpgate/delivery/templates.h"
#include "otpgate/domain/models.h"

#include <chrono>
#include <string>
#include <string_view>

namespace otpgate::delivery {

struct MessageContext {
    domain::MessageKind kind = domain::MessageKind::Code;
    std::string_view service{};  // its name, as people read it
    std::string_view host{};     // of it
    // Of a code.
    domain::Purpose purpose = domain::Purpose::Login;
    std::string_view code{};
    std::string signInLink{};  // in place of the code, or beside it; empty: none
    std::chrono::minutes validFor{0};
    // Of a notice.
    const domain::NoticeFacts* notice = nullptr;
    Timestamp happenedAt{};
    std::string_view link{};     // where the owner can do something about it
    std::string_view support{};  // who helps: an address, or empty
};

struct MailTexts {
    std::string subject;  // one line of UTF-8, without the code: it is shown on locked screens
    std::string text;     // LF line ends
    std::string html;
};

// `wished` is one of the templates' locales; where that has no words for the message, it is in spokenFor().
MailTexts mailTexts(const Templates& templates, const std::string& wished, const MessageContext& context);

// The longest form that one short message holds, else the shortest. That of a code ends with the line by which phones
// fill it in on this host only ("@host #code", https://wicg.github.io/sms-one-time-codes/).
std::string smsText(const Templates& templates, const std::string& wished, const MessageContext& context);

}  // namespace otpgate::delivery
