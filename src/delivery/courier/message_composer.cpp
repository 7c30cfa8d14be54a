#include "otpgate/delivery/message_composer.h"

#include "delivery/mail/mailbox.h"
#include "delivery/mail/mime.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <string_view>

namespace otpgate::delivery {

namespace {

// A fragment is sent to no server, so no log has it.
constexpr std::string_view kLinkMark = "#link=";

// The host alone. Only characters of a host name or an IP literal: it goes into headers and HTML.
std::string checkedHost(const std::string& url) {
    const std::string_view host = hostOf(url);
    const auto isOfHost = [](char c) {
        return isLetterOrDigit(c) || std::string_view{".-:[]"}.find(c) != std::string_view::npos;
    };
    if (host.empty() || host.size() > 253 || !std::ranges::all_of(host, isOfHost)) {
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
      host_(checkedHost(service.publicUrl)),
      name_(service.name.empty() ? host_ : service.name),
      link_(service.publicUrl + "/"),
      sessionsLink_(service.publicUrl + "/account/#sessions"),
      support_(shownAddress(service.supportUrl)),
      linkUse_(service.linkUse) {
    const auto sender = Mailbox::parse(from);
    if (!sender) throw ConfigurationError("mail.from is neither an address nor Name <address>: " + from);
    fromHeader_ = sender->toHeader();
    fromAddress_ = sender->address;
}

MessageContext MessageComposer::contextOf(const domain::OutboxMessage& message, const Secret& secret,
                                          Timestamp now) const {
    return {.kind = message.kind,
            .service = name_,
            .host = host_,
            .purpose = message.purpose,
            .code = secret.code,
            .signInLink = secret.link.empty() ? std::string{} : link_ + std::string{kLinkMark} + secret.link,
            .validFor = minutesLeft(message.expiresAt, now),
            .notice = &message.notice,
            .happenedAt = message.createdAt,
            .link = sessionsLink_,
            .support = support_};
}

MailMessage MessageComposer::compose(const domain::OutboxMessage& message, Timestamp now) const {
    const Secret secret = secretOf(message);
    const MailTexts texts =
        mailTexts(templates_, templates_.localeFor(message.locale), contextOf(message, secret, now));
    const std::string recipient = message.destination.mailbox();
    const MailHead head{fromHeader_, recipient, texts.subject, now, message.id.toString(), host_};
    return {fromAddress_, recipient, toMessage(head, texts.text, texts.html), secret.code, secret.link};
}

SmsMessage MessageComposer::composeSms(const domain::OutboxMessage& message, Timestamp now) const {
    const Secret secret = secretOf(message);
    return {message.destination.value(),
            smsText(templates_, templates_.localeFor(message.locale), contextOf(message, secret, now)), secret.code,
            secret.link};
}

MessageComposer::Secret MessageComposer::secretOf(const domain::OutboxMessage& message) const {
    Secret secret;
    if (!domain::carriesSecret(message.kind)) return secret;
    if (message.kind == domain::MessageKind::Link) {
        secret.link = codes_.linkFor(message.otpId);
        return secret;
    }
    secret.code = codes_.codeFor(message);
    // A code of the verification service has no row that a link could find.
    const bool isOurs = message.codeLength == 0;
    const auto means = domain::meansOf(linkUse_, message.purpose, message.destination.channel(), 0);
    if (isOurs && means != domain::Means::Code) secret.link = codes_.linkFor(message.otpId);
    return secret;
}

}  // namespace otpgate::delivery
