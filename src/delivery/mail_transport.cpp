#include "otpgate/delivery/mail_transport.h"

#include "delivery/file_transport.h"
#include "delivery/mailbox.h"
#include "delivery/null_transport.h"
#include "delivery/smtp_transport.h"
#include "otpgate/base/errors.h"

namespace otpgate::delivery {

std::unique_ptr<MailTransport> makeMailTransport(const MailSettings& settings) {
    if (!Mailbox::parse(settings.from)) {
        throw ConfigurationError("mail.from is neither an address nor Name <address>: " + settings.from);
    }
    switch (settings.transport) {
    case MailTransportKind::Smtp: return std::make_unique<SmtpTransport>(settings);
    case MailTransportKind::File: return std::make_unique<FileTransport>(settings.directory);
    case MailTransportKind::Null: return std::make_unique<NullTransport>();
    }
    throw ConfigurationError("mail.transport is unknown");
}

}  // namespace otpgate::delivery
