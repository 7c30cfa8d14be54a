#include "otpgate/delivery/message_composer.h"

#include "delivery/mail/mailbox.h"
#include "delivery/mail/mime.h"
#include "otpgate/base/errors.h"

#include <algorithm>
#include <string_view>

namespace otpgate::delivery {

namespace {

// Without port, path and user. Only characters of a host name or an IP literal: it goes into headers and HTML.
std::string hostOf(const std::string& url) {
    const auto scheme = url.find("://");
    std::string_view rest(url);
    if (scheme != std::string::npos) rest.remove_prefix(scheme + 3);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    const auto end = rest.starts_with('[') ? rest.find(']') + 1 : rest.find(':');
    const std::string_view host = rest.substr(0, end);
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == ':' || c == '[' || c == ']';
    };
    if (host.empty() || host.size() > 253 || !std::all_of(host.begin(), host.end(), allowed)) {
        throw ConfigurationError("server.public_url names no host: " + url);
    }
    return std::string(host);
}

// Whole minutes that are left. A message that was sent at once is a little younger than its lifetime and still gets all
// of it.
std::chrono::minutes minutesLeft(Timestamp expiresAt, Timestamp now) {
    const auto left = std::chrono::floor<std::chrono::minutes>(expiresAt - now + std::chrono::seconds(15));
    return std::max(left, std::chrono::minutes(1));
}

// As people write it: the address alone.
std::string shownAddress(const std::string& url) {
    for (const std::string_view scheme : {"mailto:", "tel:"}) {
        if (url.starts_with(scheme)) return url.substr(scheme.size());
    }
    return url;
}

}  // namespace

MessageComposer::MessageComposer(const domain::OtpCodes& codes, const Templates& templates, const std::string& from,
                                 const ServiceWords& service)
    : codes_(codes),
      templates_(templates),
      host_(hostOf(service.publicUrl)),
      name_(service.name.empty() ? host_ : service.name),
      link_(service.publicUrl + "/"),
      support_(shownAddress(service.supportUrl)) {
    const auto sender = Mailbox::parse(from);
    if (!sender) throw ConfigurationError("mail.from is neither an address nor Name <address>: " + from);
    fromHeader_ = sender->toHeader();
    fromAddress_ = sender->address;
}

MessageContext MessageComposer::contextOf(const domain::OutboxMessage& message, std::string_view code,
                                          Timestamp now) const {
    return {.kind = message.kind,
            .service = name_,
            .host = host_,
            .purpose = message.purpose,
            .code = code,
            .validFor = minutesLeft(message.expiresAt, now),
            .notice = &message.notice,
            .happenedAt = message.createdAt,
            .link = link_,
            .support = support_};
}

MailMessage MessageComposer::compose(const domain::OutboxMessage& message, Timestamp now) const {
    const std::string code = codeOf(message);
    const MailTexts texts = mailTexts(templates_, templates_.localeFor(message.locale), contextOf(message, code, now));
    const std::string recipient = message.destination.mailbox();
    const MailHead head{fromHeader_, recipient, texts.subject, now, message.id.toString(), host_};
    return {fromAddress_, recipient, toMessage(head, texts.text, texts.html), code};
}

SmsMessage MessageComposer::composeSms(const domain::OutboxMessage& message, Timestamp now) const {
    const std::string code = codeOf(message);
    return {message.destination.value(),
            smsText(templates_, templates_.localeFor(message.locale), contextOf(message, code, now)), code};
}

std::string MessageComposer::codeOf(const domain::OutboxMessage& message) const {
    return message.kind == domain::MessageKind::Code ? codes_.codeFor(message) : std::string{};
}

}  // namespace otpgate::delivery
