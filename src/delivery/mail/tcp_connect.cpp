#include "delivery/mail/tcp_connect.h"

#include "delivery/mail/smtp_error.h"

#include <Poco/Net/SocketAddress.h>
#include <Poco/Timespan.h>

#include <cerrno>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <system_error>
#include <vector>

namespace otpgate::delivery {

namespace {

using std::chrono::steady_clock;

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// In the order of the resolver (RFC 6724), in which a pool of servers takes turns. Poco's DNS sorts them by number, so
// that everybody would ask the same one.
std::vector<Poco::Net::SocketAddress> lookUp(const std::string& host, unsigned port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* first = nullptr;
    const int result = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first);
    if (result != 0) throw SmtpError(std::string("name lookup: ") + ::gai_strerror(result));
    const std::unique_ptr<addrinfo, FreeAddresses> list(first);
    std::vector<Poco::Net::SocketAddress> addresses;
    for (const auto* entry = list.get(); entry != nullptr; entry = entry->ai_next)
        addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
    return addresses;
}

Poco::Timespan timespan(steady_clock::duration time) {
    return {std::chrono::ceil<std::chrono::microseconds>(time).count()};
}

}  // namespace

Poco::Net::StreamSocket connectTcp(const std::string& host, unsigned port, Deadline deadline) {
    const auto addresses = lookUp(host, port);
    std::string reason = "no address";
    auto left = static_cast<int>(addresses.size());
    for (const auto& address : addresses) {
        // An address that swallows packets leaves its share of the time to the others.
        const auto share = (deadline - steady_clock::now()) / left--;
        if (share.count() <= 0) throw SmtpError("connect: " + errorText(ETIMEDOUT));
        try {
            Poco::Net::StreamSocket socket;
            socket.connect(address, timespan(share));
            socket.setBlocking(false);
            socket.setNoDelay(true);  // short commands that wait for their answer
            return socket;
        } catch (const Poco::TimeoutException&) {
            reason = errorText(ETIMEDOUT);
        } catch (const Poco::Exception& error) {
            reason = errorText(error);
        }
    }
    throw SmtpError("connect: " + reason);
}

std::string bareHost(const std::string& host) {
    const bool isLiteral = host.starts_with('[') && host.ends_with(']') && host.find(':') != std::string::npos;
    return isLiteral ? host.substr(1, host.size() - 2) : host;
}

void await(const Poco::Net::StreamSocket& socket, int mode, Deadline deadline) {
    // Poco's poll makes an epoll descriptor each time and closes it again: four system calls in place of one.
    pollfd awaited{socket.impl()->sockfd(),
                   static_cast<short>(mode == Poco::Net::Socket::SELECT_WRITE ? POLLOUT : POLLIN), 0};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) throw SmtpError("timeout");
        const int found = ::poll(&awaited, 1, static_cast<int>(left.count()));
        if (found > 0) return;
        if (found < 0 && errno != EINTR) throw SmtpError("poll: " + errorText(errno));
    }
}

std::string errorText(int error) {
    return std::generic_category().message(error);
}

std::string errorText(const Poco::Exception& error) {
    return error.code() != 0 ? errorText(error.code()) : error.message();
}

}  // namespace otpgate::delivery
