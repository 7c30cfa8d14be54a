#include "delivery/mail/smtp_tls.h"

#include "delivery/mail/tcp_connect.h"
#include "otpgate/base/errors.h"

#include <Poco/Crypto/OpenSSLInitializer.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/Session.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace otpgate::delivery {

namespace {

using Poco::Net::Context;

Context::Ptr makeContext(const SmtpServer& server) {
    Context::Params params;
    params.verificationMode = Context::VERIFY_STRICT;
    params.caLocation = server.caFile;
    params.loadDefaultCAs = server.caFile.empty();
    params.cipherList = "DEFAULT";  // Poco's own list has suites without a certificate
    try {
        Context::Ptr context = new Context(Context::TLS_CLIENT_USE, params);
        context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
        SSL_CTX_set_options(context->sslContext(), SSL_OP_NO_RENEGOTIATION);
        return context;
    } catch (const Poco::Exception&) {
        ERR_clear_error();
        throw ConfigurationError(server.section +
                                 ".smtp_ca_file holds no certificates or cannot be read: " + server.caFile);
    }
}

}  // namespace

SmtpTls::SmtpTls(const SmtpServer& server) : owner_{bareHost(server.host), server.section} {
    // Without one that stays, the last context to go would take OpenSSL's configuration away from everybody else.
    static const Poco::Crypto::OpenSSLInitializer kInitializer;
    context_ = makeContext(server);
    expectCertificateForHost();
}

// OpenSSL itself compares the name while it verifies the chain; a common name does not count where alternative names
// stand. Poco would look at the name after the handshake only, and not where that ran into a timeout.
void SmtpTls::expectCertificateForHost() {
    SSL_CTX* context = context_->sslContext();
    // The certificate that is judged is wanted for the message about it, and nobody keeps one that fails. Poco tells of
    // a bad one too, but to the handlers of all contexts, whatever thread they belong to.
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int isGood, X509_STORE_CTX* store) {
        const auto* tls = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        auto* self = static_cast<SmtpTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
        if (const X509* certificate = X509_STORE_CTX_get_current_cert(store); certificate != nullptr)
            self->certificate_ = ServerCertificate::of(certificate);
        self->verdict_ = X509_STORE_CTX_get_error(store);
        return isGood;
    });
    X509_VERIFY_PARAM* verification = SSL_CTX_get0_param(context);
    if (X509_VERIFY_PARAM_set1_ip_asc(verification, owner_.host.c_str()) == 1) return;
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(verification, owner_.host.c_str(), 0) != 1)
        throw ConfigurationError(owner_.section + ".smtp_host is no host name: " + owner_.host);
}

Poco::Net::SecureStreamSocket SmtpTls::attach(const Poco::Net::StreamSocket& socket) {
    suite_.clear();
    certificate_ = {};
    verdict_ = X509_V_OK;
    // The name goes to the server as well (SNI), where it is one (RFC 6066, section 3).
    Poco::Net::IPAddress address;
    const bool isName = !Poco::Net::IPAddress::tryParse(owner_.host, address);
    return Poco::Net::SecureStreamSocket::attach(socket, isName ? owner_.host : std::string(), context_);
}

void SmtpTls::noteSession(Poco::Net::SecureStreamSocket& socket) {
    const Poco::Net::Session::Ptr session = socket.currentSession();
    const bool isNewest = SSL_SESSION_get_protocol_version(session->sslSession()) == TLS1_3_VERSION;
    suite_ = isNewest ? "TLSv1.3 with " : "TLSv1.2 with ";
    suite_ += SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(session->sslSession()));
}

std::string SmtpTls::failure(const Poco::Exception& error) const {
    if (verdict_ != X509_V_OK) return certificateFailure(verdict_, certificate_, owner_);
    if (isClosed(error)) return "the server closed the connection";
    std::string text = tlsErrorText(error).value_or(errorText(error));
    if (text != "wrong version number") return text;
    return owner_.host + " answers without TLS: set " + owner_.section + ".smtp_security = starttls, or another port";
}

bool isClosed(const Poco::Exception& error) {
    return dynamic_cast<const Poco::Net::SSLConnectionUnexpectedlyClosedException*>(&error) != nullptr ||
           tlsErrorText(error) == "unexpected eof while reading";
}

std::optional<std::string> tlsErrorText(const Poco::Exception& error) {
    if (dynamic_cast<const Poco::Net::SSLException*>(&error) == nullptr) return std::nullopt;
    // "error:0A00010B:SSL routines::wrong version number"
    const std::string& text = error.message();
    return text.substr(text.rfind(':') + 1);  // from the beginning where there is none
}

}  // namespace otpgate::delivery
