#include "delivery/mail/tcp_connect.h"

#include "delivery/mail/smtp_error.h"

#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace otpgate::delivery {

namespace {

// The socket, or -1 with the reason.
int connectTo(const addrinfo& address, Deadline deadline, std::string& reason) {
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

}  // namespace

int connectTcp(const std::string& host, unsigned port, Deadline deadline) {
    const auto addresses = lookUp(host, port);
    int left = 0;
    for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) ++left;
    std::string reason = "no address";
    for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
        // An address that swallows packets leaves their share of the time to the others.
        const auto now = std::chrono::steady_clock::now();
        const int socket = connectTo(*address, now + (deadline - now) / left--, reason);
        if (socket >= 0) return socket;
    }
    throw SmtpError("connect: " + reason);
}

std::string bareHost(const std::string& host) {
    const bool isLiteral = host.starts_with('[') && host.ends_with(']') && host.find(':') != std::string::npos;
    return isLiteral ? host.substr(1, host.size() - 2) : host;
}

bool waitFor(int socket, short events, Deadline deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd entry{socket, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) throw SmtpError("poll: " + errorText(errno));
    }
}

std::string errorText(int error) {
    return std::generic_category().message(error);
}

}  // namespace otpgate::delivery
