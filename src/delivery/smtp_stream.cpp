#include "delivery/smtp_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestLine = 4096;  // RFC 5321 asks for 512; some servers are more talkative

std::string errorText(int error) {
    return std::generic_category().message(error);
}

// Waits until the socket is ready; false: the deadline has passed.
bool waitFor(int socket, short events, SmtpStream::Deadline deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd entry{socket, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) throw SmtpError("poll: " + errorText(errno));
    }
}

void waitOrThrow(int socket, short events, SmtpStream::Deadline deadline) {
    if (!waitFor(socket, events, deadline)) throw SmtpError("timeout");
}

// The socket, or -1 with the reason.
int connectTo(const addrinfo& address, SmtpStream::Deadline deadline, std::string& reason) {
    const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) {
        reason = errorText(errno);
        return -1;
    }
    int error = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        socklen_t length = sizeof error;
        if (!waitFor(socket, POLLOUT, deadline)) {
            error = ETIMEDOUT;
        } else if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
            error = errno;
        }
    }
    if (error != 0) {
        reason = errorText(error);
        ::close(socket);
        return -1;
    }
    const int on = 1;  // short commands that wait for their answer
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::unique_ptr<addrinfo, FreeAddresses> lookUp(const std::string& host, unsigned port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int result = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    if (result != 0) throw SmtpError(std::string("name lookup: ") + ::gai_strerror(result));
    return std::unique_ptr<addrinfo, FreeAddresses>(list);
}

std::string tlsErrorText(const SSL* tls) {
    const long verdict = SSL_get_verify_result(tls);
    if (verdict != X509_V_OK) return std::string("certificate: ") + X509_verify_cert_error_string(verdict);
    const unsigned long error = ERR_get_error();
    const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
    return text == nullptr ? "protocol error" : text;
}

}  // namespace

SmtpStream::SmtpStream(const std::string& host, unsigned port, Deadline deadline) {
    const auto addresses = lookUp(host, port);
    int left = 0;
    for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) ++left;
    std::string reason = "no address";
    for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
        // An address that swallows packets leaves their share of the time to the others.
        const auto now = std::chrono::steady_clock::now();
        socket_ = connectTo(*address, now + (deadline - now) / left--, reason);
        if (socket_ >= 0) return;
    }
    throw SmtpError("connect: " + reason);
}

SmtpStream::~SmtpStream() {
    if (socket_ >= 0) ::close(socket_);
}

void SmtpStream::startTls(SSL_CTX& context, const std::string& host, Deadline deadline) {
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

    for (int done = 0; (done = SSL_connect(tls_.get())) != 1;) {
        if (SSL_get_error(tls_.get(), done) != SSL_ERROR_WANT_READ) {
            const std::string reason = tlsErrorText(tls_.get());
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
        throw SmtpError("TLS: " + tlsErrorText(tls_.get()));
    }
    flushTls(deadline);
}

std::string SmtpStream::localAddress() const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    std::array<char, NI_MAXHOST> text{};
    if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        ::getnameinfo(reinterpret_cast<sockaddr*>(&address), length, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
        return "127.0.0.1";
    }
    const std::string name(text.data());
    return name.substr(0, name.find('%'));  // without the scope of a link-local address
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
        default: throw SmtpError("TLS: " + tlsErrorText(tls_.get()));
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
