// Lines over TCP, with TLS when asked, each operation up to a point in time. Used by SmtpDialogue, by one thread.
//
// Not over Poco's sockets: their timeouts hold for each read, so a server that sends a byte now and then is waited for
// without end; they try one address of a host only; and a bad certificate is reported without its reason.
#pragma once

#include "delivery/mail/smtp_certificate.h"
#include "delivery/mail/smtp_error.h"
#include "delivery/mail/tcp_connect.h"

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace otpgate::delivery {

class SmtpStream {
public:
    // Each function throws SmtpError when the connection is of no more use.
    SmtpStream(const std::string& host, unsigned port, Deadline deadline);
    ~SmtpStream();
    SmtpStream(const SmtpStream&) = delete;
    SmtpStream& operator=(const SmtpStream&) = delete;

    // From here on TLS; the certificate must be good for the owner's host. What the server sent in clear after its
    // consent is an attempt to slip replies into the encrypted dialogue (CVE-2021-38371) and ends it.
    void startTls(SSL_CTX& context, const CertificateOwner& owner, Deadline deadline);

    std::string readLine(Deadline deadline);  // without its end; at most 4096 bytes
    void write(std::string_view bytes, Deadline deadline);

    std::string localAddress() const;  // "127.0.0.1", "::1"; empty when the connection is gone
    std::string peerAddress() const;
    bool isEncrypted() const { return tls_ != nullptr; }
    std::string tlsSuite() const;  // "TLSv1.3 with TLS_AES_256_GCM_SHA384"
    // The last one that was judged: the server's own, unless an authority's was not good.
    const ServerCertificate& certificate() const { return certificate_; }

private:
    void expectCertificateFor(const std::string& host);
    void shakeHands(const CertificateOwner& owner, Deadline deadline);
    void receiveMore(Deadline deadline);        // into received_, deciphered
    std::string receiveRaw(Deadline deadline);  // at least one byte
    void sendRaw(std::string_view bytes, Deadline deadline);
    void flushTls(Deadline deadline);  // what TLS wants to have sent
    void feedTls(Deadline deadline);   // flush, then give TLS what the server sends

    int socket_ = -1;
    std::string received_;
    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    std::unique_ptr<SSL, Free> tls_;
    ServerCertificate certificate_;
};

}  // namespace otpgate::delivery
