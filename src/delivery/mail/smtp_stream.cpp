#include "delivery/mail/smtp_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestLine = 4096;  // RFC 5321 asks for 512; some servers are more talkative

void waitOrThrow(int socket, short events, Deadline deadline) {
    if (!waitFor(socket, events, deadline)) throw SmtpError("timeout");
}

std::string tlsErrorText() {
    const unsigned long error = ERR_get_error();
    const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
    return text == nullptr ? "protocol error" : text;
}

// The end of a handshake that failed.
std::string handshakeFailure(const SSL* tls, const ServerCertificate& certificate, const CertificateOwner& owner) {
    const long verdict = SSL_get_verify_result(tls);
    if (verdict != X509_V_OK) return certificateFailure(verdict, certificate, owner);
    std::string text = tlsErrorText();
    if (text != "wrong version number") return text;
    return owner.host + " answers without TLS: set " + owner.section + ".smtp_security = starttls, or another port";
}

// "127.0.0.1", "::1"; empty where there is no connection any more.
std::string addressOf(int (*ask)(int, sockaddr*, socklen_t*), int socket) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    std::array<char, NI_MAXHOST> text{};
    if (ask(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        ::getnameinfo(reinterpret_cast<sockaddr*>(&address), length, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
        return {};
    }
    const std::string name(text.data());
    return name.substr(0, name.find('%'));  // without the scope of a link-local address
}

}  // namespace

SmtpStream::SmtpStream(const std::string& host, unsigned port, Deadline deadline)
    : socket_(connectTcp(host, port, deadline)) {}

SmtpStream::~SmtpStream() {
    if (socket_ >= 0) ::close(socket_);
}

void SmtpStream::startTls(SSL_CTX& context, const CertificateOwner& owner, Deadline deadline) {
    if (!received_.empty()) throw SmtpError("the server sent more than its consent");
    ERR_clear_error();
    tls_.reset(SSL_new(&context));
    BIO* input = BIO_new(BIO_s_mem());
    BIO* output = BIO_new(BIO_s_mem());
    if (!tls_ || input == nullptr || output == nullptr) {
        BIO_free(input);
        BIO_free(output);
        throw SmtpError("out of memory");
    }
    SSL_set_bio(tls_.get(), input, output);
    expectCertificateFor(owner.host);
    shakeHands(owner, deadline);
}

void SmtpStream::expectCertificateFor(const std::string& host) {
    // The certificate that is judged is wanted for the message about it, and nobody keeps one that fails.
    SSL_set_app_data(tls_.get(), this);
    SSL_set_verify(tls_.get(), SSL_VERIFY_PEER, [](int isGood, X509_STORE_CTX* context) {
        const auto* tls = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
        auto* stream = static_cast<SmtpStream*>(SSL_get_app_data(tls));
        const X509* certificate = X509_STORE_CTX_get_current_cert(context);
        if (stream != nullptr && certificate != nullptr) stream->certificate_ = ServerCertificate::of(certificate);
        return isGood;
    });
    // OpenSSL compares the name while it verifies the chain; a common name does not count where alternative names
    // stand.
    X509_VERIFY_PARAM* verification = SSL_get0_param(tls_.get());
    bool ready = X509_VERIFY_PARAM_set1_ip_asc(verification, host.c_str()) == 1;
    if (!ready) {
        ERR_clear_error();
        X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        ready = SSL_set1_host(tls_.get(), host.c_str()) == 1 && SSL_set_tlsext_host_name(tls_.get(), host.c_str()) == 1;
    }
    if (!ready) throw SmtpError("the host name is not usable");
}

void SmtpStream::shakeHands(const CertificateOwner& owner, Deadline deadline) {
    for (int done = 0; (done = SSL_connect(tls_.get())) != 1;) {
        if (SSL_get_error(tls_.get(), done) != SSL_ERROR_WANT_READ) {
            const std::string reason = handshakeFailure(tls_.get(), certificate_, owner);
            try {
                flushTls(deadline);
            } catch (const SmtpError&) {
                // The alert that tells the server's log why: not worth losing the reason over.
            }
            throw SmtpError(reason);
        }
        feedTls(deadline);
    }
    flushTls(deadline);
}

std::string SmtpStream::readLine(Deadline deadline) {
    std::size_t end = 0;
    while ((end = received_.find('\n')) == std::string::npos) {
        if (received_.size() > kLongestLine) throw SmtpError("the server's line is too long");
        receiveMore(deadline);
    }
    std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
}

void SmtpStream::write(std::string_view bytes, Deadline deadline) {
    if (!tls_) return sendRaw(bytes, deadline);
    if (bytes.empty()) return;
    ERR_clear_error();
    // A memory BIO takes everything, so one call writes all; TLS 1.2 renegotiation is off in the context.
    if (SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) {
        throw SmtpError("TLS: " + tlsErrorText());
    }
    flushTls(deadline);
}

std::string SmtpStream::localAddress() const {
    return addressOf(::getsockname, socket_);
}

std::string SmtpStream::peerAddress() const {
    return addressOf(::getpeername, socket_);
}

std::string SmtpStream::tlsSuite() const {
    if (!tls_) return {};
    return std::string(SSL_get_version(tls_.get())) + " with " + SSL_get_cipher_name(tls_.get());
}

void SmtpStream::receiveMore(Deadline deadline) {
    if (!tls_) {
        received_ += receiveRaw(deadline);
        return;
    }
    std::array<char, 4096> buffer{};
    for (;;) {
        ERR_clear_error();
        const int count = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (count > 0) {
            received_.append(buffer.data(), static_cast<std::size_t>(count));
            return;
        }
        switch (SSL_get_error(tls_.get(), count)) {
        case SSL_ERROR_WANT_READ: feedTls(deadline); break;
        case SSL_ERROR_ZERO_RETURN: throw SmtpError("the server closed the connection");
        default: throw SmtpError("TLS: " + tlsErrorText());
        }
    }
}

std::string SmtpStream::receiveRaw(Deadline deadline) {
    std::array<char, 4096> buffer{};
    for (;;) {
        waitOrThrow(socket_, POLLIN, deadline);
        const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (count > 0) return {buffer.data(), static_cast<std::size_t>(count)};
        if (count == 0) throw SmtpError("the server closed the connection");
        if (errno != EINTR && errno != EAGAIN) throw SmtpError("receive: " + errorText(errno));
    }
}

void SmtpStream::sendRaw(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            waitOrThrow(socket_, POLLOUT, deadline);
        } else if (errno != EINTR) {
            throw SmtpError("send: " + errorText(errno));
        }
    }
}

void SmtpStream::flushTls(Deadline deadline) {
    std::array<char, 4096> buffer{};
    for (;;) {
        const int count = BIO_read(SSL_get_wbio(tls_.get()), buffer.data(), static_cast<int>(buffer.size()));
        if (count <= 0) return;
        sendRaw({buffer.data(), static_cast<std::size_t>(count)}, deadline);
    }
}

void SmtpStream::feedTls(Deadline deadline) {
    flushTls(deadline);
    const std::string bytes = receiveRaw(deadline);
    if (BIO_write(SSL_get_rbio(tls_.get()), bytes.data(), static_cast<int>(bytes.size())) <= 0) {
        throw SmtpError("TLS: out of memory");
    }
}

}  // namespace otpgate::delivery
