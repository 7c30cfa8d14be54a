// Who the client is, by REMOTE_ADDR (first line) and X-Forwarded-For (the rest): nobody but a trusted proxy says so.
#include "fuzz/fuzz.h"
#include "otpgate/base/errors.h"
#include "otpgate/http/client_address.h"

#include <optional>

namespace {

using namespace otpgate::http;

void requireCanonical(const IpAddress& address) {
    REQUIRE(IpAddress::parse(address.toString()) == address);
    REQUIRE(address.isIn(address, address.bits()) && address.isIn(address, 0));
    const std::string network = address.network();
    REQUIRE(AddressList({network}, "s").contains(address));
}

}  // namespace

FUZZ_TARGET(client_address) {
    otpgate::fuzz::Input lines(input);
    const std::string_view remote = lines.line();
    const std::string_view forwarded = lines.rest();
    static const TrustedProxies nobody({});
    static const TrustedProxies proxies({"10.0.0.0/8", "2001:db8::/32", "unix:"});
    static const AddressList trusted({"10.0.0.0/8", "2001:db8::/32"}, "s");

    const auto peer = IpAddress::parse(remote);
    const IpAddress unknown = IpAddress::parse("0.0.0.0").value();
    REQUIRE(nobody.clientOf(remote, forwarded) == peer.value_or(unknown));
    const IpAddress client = proxies.clientOf(remote, forwarded);
    requireCanonical(client);
    const bool isTrusted = peer ? trusted.contains(*peer) : remote == "unix:";
    if (!isTrusted) REQUIRE(client == peer.value_or(unknown));
    // What stands left of a hop that is not trusted counts for nothing.
    if (isTrusted && !trusted.contains(client) && client != unknown) {
        REQUIRE(proxies.clientOf(remote, "192.0.2.1, " + std::string{forwarded}) == client);
    }

    try {
        const AddressList list({std::string{remote}}, "setting");
        if (peer) REQUIRE(list.contains(*peer));
    } catch (const otpgate::ConfigurationError& error) {
        REQUIRE(std::string_view{error.what()}.starts_with("setting: "));
    }
}
