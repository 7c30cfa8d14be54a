// Who the client is: REMOTE_ADDR, or what trusted proxies say of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::http {

// An IPv4 or IPv6 address; IPv4-mapped IPv6 is IPv4.
class IpAddress {
public:
    static std::optional<IpAddress> parse(std::string_view text);  // no zone, no port, no brackets
    std::string toString() const;                                  // canonical, RFC 5952
    std::string network() const;  // for limits: IPv4 whole, IPv6 as "2001:db8:1:2::/64"
    bool isIn(const IpAddress& base, unsigned prefixLength) const;
    unsigned bits() const { return isV4_ ? 32 : 128; }
    bool operator==(const IpAddress&) const = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
    bool isV4_ = false;
};

// Addresses and networks, as a setting lists them.
class AddressList {
public:
    // Addresses and CIDR networks; throws ConfigurationError that names `setting` and the bad one.
    AddressList(const std::vector<std::string>& entries, std::string_view setting);
    bool isEmpty() const { return networks_.empty(); }
    bool contains(const IpAddress& address) const;

private:
    struct Network {
        IpAddress base;
        unsigned prefixLength;
    };
    std::vector<Network> networks_;
};

class TrustedProxies {
public:
    // Addresses and CIDR networks, or "unix:", which is what nginx gives as REMOTE_ADDR when it was itself reached over
    // a unix socket; throws ConfigurationError that names the bad one.
    explicit TrustedProxies(const std::vector<std::string>& entries);

    // Walks X-Forwarded-For from right to left while the hop is trusted; the first untrusted one is the client. A
    // malformed hop ends the walk at the last good address. A hop may carry a port. An unusable REMOTE_ADDR is 0.0.0.0,
    // unless it is a trusted unix socket's and forwards an address.
    IpAddress clientOf(std::string_view remoteAddress, std::string_view forwardedFor) const;

private:
    AddressList addresses_;
    bool trustsUnixPeers_;
};

}  // namespace otpgate::http
