#include "otpgate/http/client_address.h"

#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <arpa/inet.h>

namespace otpgate::http {

namespace {

constexpr std::array<std::uint8_t, 12> kV4MappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::string_view kUnixPeer = "unix:";

bool isPort(std::string_view text) {
    return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, isDigit);
}

// One element of X-Forwarded-For: an address that may carry a port, as some load balancers write it.
std::optional<IpAddress> parseHop(std::string_view text) {
    text = trim(text);
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !isPort(rest.substr(1)))) return std::nullopt;
        const std::string_view inside = text.substr(1, end - 1);
        if (inside.find(':') == std::string_view::npos) return std::nullopt;
        return IpAddress::parse(inside);
    }
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        if (!isPort(text.substr(colon + 1))) return std::nullopt;
        text = text.substr(0, colon);
    }
    return IpAddress::parse(text);
}

std::vector<std::string> withoutUnixPeer(std::vector<std::string> entries) {
    std::erase(entries, kUnixPeer);
    return entries;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());

    IpAddress address;
    if (inet_pton(AF_INET, terminated.data(), address.bytes_.data()) == 1) {
        address.isV4_ = true;
        return address;
    }
    if (inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) != 1) return std::nullopt;
    if (std::equal(kV4MappedPrefix.begin(), kV4MappedPrefix.end(), address.bytes_.begin())) {
        std::copy_n(address.bytes_.begin() + 12, 4, address.bytes_.begin());
        std::fill(address.bytes_.begin() + 4, address.bytes_.end(), std::uint8_t{0});
        address.isV4_ = true;
    }
    return address;
}

std::string IpAddress::toString() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(isV4_ ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

std::string IpAddress::network() const {
    if (isV4_) return toString();
    IpAddress prefix = *this;
    std::fill(prefix.bytes_.begin() + 8, prefix.bytes_.end(), std::uint8_t{0});
    return prefix.toString() + "/64";
}

bool IpAddress::isIn(const IpAddress& base, unsigned prefixLength) const {
    if (isV4_ != base.isV4_ || prefixLength > bits()) return false;
    const unsigned wholeBytes = prefixLength / 8;
    if (!std::equal(bytes_.begin(), bytes_.begin() + wholeBytes, base.bytes_.begin())) return false;
    const unsigned restBits = prefixLength % 8;
    return restBits == 0 || ((bytes_[wholeBytes] ^ base.bytes_[wholeBytes]) >> (8 - restBits)) == 0;
}

AddressList::AddressList(const std::vector<std::string>& entries, std::string_view setting) {
    for (const std::string& entry : entries) {
        const auto reject = [&] {
            throw ConfigurationError(std::string{setting} + ": not an IP address or network: " + entry);
        };
        const std::string_view text = entry;
        const std::size_t slash = text.find('/');
        const auto base = IpAddress::parse(text.substr(0, slash));
        if (!base) reject();
        unsigned prefixLength = base->bits();
        if (slash != std::string_view::npos) {
            const auto number = parseNumber<unsigned>(text.substr(slash + 1));
            // An IPv4-mapped network counts its prefix from the start of the IPv6 form.
            const unsigned mappedBits =
                base->bits() == 32 && text.substr(0, slash).find(':') != std::string_view::npos ? 96 : 0;
            if (!number || *number < mappedBits || *number - mappedBits > base->bits()) reject();
            prefixLength = *number - mappedBits;
        }
        networks_.push_back({*base, prefixLength});
    }
}

bool AddressList::contains(const IpAddress& address) const {
    return std::any_of(networks_.begin(), networks_.end(),
                       [&](const Network& network) { return address.isIn(network.base, network.prefixLength); });
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries)
    : addresses_(withoutUnixPeer(entries), "server.trusted_proxies"),
      trustsUnixPeers_(std::find(entries.begin(), entries.end(), kUnixPeer) != entries.end()) {}

IpAddress TrustedProxies::clientOf(std::string_view remoteAddress, std::string_view forwardedFor) const {
    const auto peer = IpAddress::parse(remoteAddress);
    IpAddress client = peer ? *peer : IpAddress::parse("0.0.0.0").value();
    bool trusted = peer ? addresses_.contains(client) : trustsUnixPeers_ && remoteAddress == kUnixPeer;
    while (trusted && !forwardedFor.empty()) {
        const std::size_t comma = forwardedFor.rfind(',');
        const auto hop = parseHop(comma == std::string_view::npos ? forwardedFor : forwardedFor.substr(comma + 1));
        if (!hop) break;
        client = *hop;
        trusted = addresses_.contains(client);
        forwardedFor = comma == std::string_view::npos ? std::string_view{} : forwardedFor.substr(0, comma);
    }
    return client;
}

}  // namespace otpgate::http
