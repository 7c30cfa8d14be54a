// TLS as a mail server has to speak it: version 1.2 or later, with a certificate that is good for its host. One object
// a transport, used by its thread.
#pragma once

#include "delivery/mail/smtp_certificate.h"
#include "otpgate/delivery/mail_settings.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/SecureStreamSocket.h>

#include <optional>
#include <string>

namespace otpgate::delivery {

class SmtpTls {
public:
    // Loads the authorities. Throws ConfigurationError("mail.smtp_ca_file ...").
    explicit SmtpTls(const SmtpServer& server);
    SmtpTls(const SmtpTls&) = delete;
    SmtpTls& operator=(const SmtpTls&) = delete;

    // TLS over a connected socket that does not block, before the handshake, which is completed only with a certificate
    // that is good for the host.
    Poco::Net::SecureStreamSocket attach(const Poco::Net::StreamSocket& socket);
    void noteSession(Poco::Net::SecureStreamSocket& socket);
    // Why the last handshake failed: of the certificate, with what to change, or in the words of `error`.
    std::string failure(const Poco::Exception& error) const;

    const std::string& suite() const { return suite_; }  // "TLSv1.3 with TLS_AES_256_GCM_SHA384"; empty before
    // The last one that was judged: the server's own, unless an authority's was not good.
    const ServerCertificate& certificate() const { return certificate_; }

private:
    void expectCertificateForHost();

    CertificateOwner owner_;
    Poco::Net::Context::Ptr context_;
    std::string suite_;
    ServerCertificate certificate_;
    long verdict_ = 0;
};

// Whether the server hung up, in the midst of TLS.
bool isClosed(const Poco::Exception& error);
// The reason alone of what OpenSSL reports through Poco; nothing where the error is not of TLS.
std::optional<std::string> tlsErrorText(const Poco::Exception& error);

}  // namespace otpgate::delivery
