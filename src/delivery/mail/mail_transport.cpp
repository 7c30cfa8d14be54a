#include "otpgate/delivery/mail_transport.h"

#include "delivery/mail/fallback_mail_transport.h"
#include "delivery/mail/file_transport.h"
#include "delivery/mail/mailbox.h"
#include "delivery/mail/null_transport.h"
#include "delivery/mail/smtp_transport.h"
#include "otpgate/base/errors.h"

#include <utility>

namespace otpgate::delivery {

namespace {

std::unique_ptr<MailTransport> makeSmtpTransport(const MailSettings& settings, Logger* log) {
    auto first = std::make_unique<SmtpTransport>(settings.smtp, settings.smtpManners);
    if (settings.fallback.host.empty()) return first;
    auto second = std::make_unique<SmtpTransport>(settings.fallback, settings.smtpManners);
    return std::make_unique<FallbackMailTransport>(std::move(first), std::move(second), log);
}

}  // namespace

std::unique_ptr<MailTransport> makeMailTransport(const MailSettings& settings, Logger* log) {
    if (!Mailbox::parse(settings.from)) {
        throw ConfigurationError("mail.from is neither an address nor Name <address>: " + settings.from);
    }
    switch (settings.transport) {
    case MailTransportKind::Smtp: return makeSmtpTransport(settings, log);
    case MailTransportKind::File: return std::make_unique<FileTransport>(settings.directory);
    case MailTransportKind::Null: return std::make_unique<NullTransport>();
    }
    throw ConfigurationError("mail.transport is unknown");
}

}  // namespace otpgate::delivery
