#include "delivery/mail/smtp_stream.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <openssl/err.h>

#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestLine = 4096;  // RFC 5321 asks for 512; some servers are more talkative

std::string numericHostOf(const Poco::Net::SocketAddress& address) {
    const std::string name = address.host().toString();
    return name.substr(0, name.find('%'));  // without the scope of a link-local address
}

// What a call of Poco's waits for that could not be finished.
int awaitedMode(int result) {
    return result == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE ? Poco::Net::Socket::SELECT_WRITE
                                                                       : Poco::Net::Socket::SELECT_READ;
}

// Poco takes what it finds in OpenSSL's queue of errors for the reason of a failure, and tries again for ever while
// errno says EINTR, whoever left that there.
template <typename Call>
int withoutOldErrors(Call call) {
    ERR_clear_error();
    errno = 0;
    return call();
}

[[noreturn]] void fail(std::string_view what, const Poco::Exception& error) {
    if (isClosed(error)) throw SmtpError("the server closed the connection");
    const auto tls = tlsErrorText(error);
    throw SmtpError(tls ? "TLS: " + *tls : std::string(what) + ": " + errorText(error));
}

}  // namespace

SmtpStream::SmtpStream(const std::string& host, unsigned port, Deadline deadline)
    : socket_(connectTcp(host, port, deadline)) {}

void SmtpStream::startTls(SmtpTls& tls, Deadline deadline) {
    if (!received_.empty()) throw SmtpError("the server sent more than its consent");
    try {
        Poco::Net::SecureStreamSocket secure = tls.attach(socket_);
        socket_ = secure;
        for (int done = 0; (done = withoutOldErrors([&] { return secure.completeHandshake(); })) != 1;) {
            if (done == 0) throw SmtpError("the server closed the connection");
            await(secure, awaitedMode(done), deadline);
        }
        tls.noteSession(secure);
    } catch (const Poco::Exception& error) {
        throw SmtpError(tls.failure(error));
    }
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

void SmtpStream::receiveMore(Deadline deadline) {
    std::array<char, 4096> buffer{};
    try {
        int count = 0;
        while ((count = withoutOldErrors(
                    [&] { return socket_.receiveBytes(buffer.data(), static_cast<int>(buffer.size())); })) < 0) {
            await(socket_, awaitedMode(count), deadline);
        }
        if (count == 0) throw SmtpError("the server closed the connection");
        received_.append(buffer.data(), static_cast<std::size_t>(count));
    } catch (const Poco::Exception& error) {
        fail("receive", error);
    }
}

void SmtpStream::write(std::string_view bytes, Deadline deadline) {
    try {
        while (!bytes.empty()) {
            const int count = withoutOldErrors(
                [&] { return socket_.sendBytes(bytes.data(), static_cast<int>(bytes.size()), MSG_NOSIGNAL); });
            if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
            if (!bytes.empty()) {
                await(socket_, count < 0 ? awaitedMode(count) : static_cast<int>(Poco::Net::Socket::SELECT_WRITE),
                      deadline);
            }
        }
    } catch (const Poco::Exception& error) {
        fail("send", error);
    }
}

std::string SmtpStream::localAddress() const {
    try {
        return numericHostOf(socket_.address());
    } catch (const Poco::Exception&) {
        return {};
    }
}

std::string SmtpStream::peerAddress() const {
    try {
        return numericHostOf(socket_.peerAddress());
    } catch (const Poco::Exception&) {
        return {};
    }
}

}  // namespace otpgate::delivery
