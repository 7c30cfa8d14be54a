#include "otpgate/base/errors.h"
#include "otpgate/http/client_address.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::http {

namespace http_client_address_test {

std::string canonical(std::string_view text) {
    const auto address = IpAddress::parse(text);
    return address ? address->toString() : "refused";
}

std::string networkOf(std::string_view text) {
    return IpAddress::parse(text).value().network();
}

std::string client(const std::vector<std::string>& trusted, std::string_view remote, std::string_view forwarded) {
    return TrustedProxies(trusted).clientOf(remote, forwarded).toString();
}

class ClientAddressTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ClientAddressTest);
    CPPUNIT_TEST(writesAddressesCanonically);
    CPPUNIT_TEST(refusesWhatIsNoAddress);
    CPPUNIT_TEST(treatsMappedAddressesAsIpv4);
    CPPUNIT_TEST(limitsIpv6BySlash64);
    CPPUNIT_TEST(comparesNetworks);
    CPPUNIT_TEST(ignoresForwardedForFromStrangers);
    CPPUNIT_TEST(takesTheFirstUntrustedHopFromTheRight);
    CPPUNIT_TEST(ignoresSpoofedEntriesOnTheLeft);
    CPPUNIT_TEST(takesTheLeftmostWhenAllHopsAreTrusted);
    CPPUNIT_TEST(endsTheWalkAtAMalformedHop);
    CPPUNIT_TEST(readsHopsWithPorts);
    CPPUNIT_TEST(trustsAMappedProxyAsIpv4);
    CPPUNIT_TEST(namesABadEntry);
    CPPUNIT_TEST(believesAUnixPeerOnlyWhenTold);
    CPPUNIT_TEST_SUITE_END();

public:
    void writesAddressesCanonically() {
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.1"}, canonical("192.0.2.1"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8::1"}, canonical("2001:0DB8:0:0:0:0:0:0001"));
        CPPUNIT_ASSERT_EQUAL(std::string{"::1"}, canonical("0:0:0:0:0:0:0:1"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8:0:1:1:1:1:1"}, canonical("2001:db8:0:1:1:1:1:1"));
    }

    void refusesWhatIsNoAddress() {
        for (const char* text : {"", " ", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ",
                                 "1.2.3.4:80", "0x7f.1", "[::1]", "fe80::1%eth0", ":::", "1::2::3",
                                 "12345::", "unix:", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !IpAddress::parse(text));
        }
        CPPUNIT_ASSERT(!IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
    }

    void treatsMappedAddressesAsIpv4() {
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.1"}, canonical("::ffff:192.0.2.1"));
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.1"}, canonical("::FFFF:c000:201"));
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.1"}, networkOf("::ffff:192.0.2.1"));
        CPPUNIT_ASSERT(IpAddress::parse("::ffff:192.0.2.1") == IpAddress::parse("192.0.2.1"));
    }

    void limitsIpv6BySlash64() {
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8:1:2::/64"}, networkOf("2001:db8:1:2:3:4:5:6"));
        CPPUNIT_ASSERT_EQUAL(networkOf("2001:db8:1:2::1"), networkOf("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        CPPUNIT_ASSERT(networkOf("2001:db8:1:2::1") != networkOf("2001:db8:1:3::1"));
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.1"}, networkOf("192.0.2.1"));
    }

    void comparesNetworks() {
        const auto isIn = [](const char* address, const char* base, unsigned bits) {
            return IpAddress::parse(address).value().isIn(IpAddress::parse(base).value(), bits);
        };
        CPPUNIT_ASSERT(isIn("10.255.0.1", "10.0.0.0", 8));
        CPPUNIT_ASSERT(!isIn("11.0.0.1", "10.0.0.0", 8));
        CPPUNIT_ASSERT(isIn("172.31.255.255", "172.16.0.0", 12));
        CPPUNIT_ASSERT(!isIn("172.32.0.0", "172.16.0.0", 12));
        CPPUNIT_ASSERT(isIn("1.2.3.4", "9.9.9.9", 0));
        CPPUNIT_ASSERT(isIn("1.2.3.4", "1.2.3.4", 32));
        CPPUNIT_ASSERT(!isIn("1.2.3.5", "1.2.3.4", 32));
        CPPUNIT_ASSERT(isIn("fd00::1", "fc00::", 7));
        CPPUNIT_ASSERT(isIn("::1", "::1", 128));
        CPPUNIT_ASSERT(!isIn("::2", "::1", 128));
        CPPUNIT_ASSERT(!isIn("::1", "0.0.0.0", 0));
        CPPUNIT_ASSERT(!isIn("1.2.3.4", "1.2.3.4", 33));
    }

    void ignoresForwardedForFromStrangers() {
        CPPUNIT_ASSERT_EQUAL(std::string{"198.51.100.7"}, client({}, "198.51.100.7", "1.1.1.1"));
        CPPUNIT_ASSERT_EQUAL(std::string{"198.51.100.7"}, client({"10.0.0.0/8"}, "198.51.100.7", "1.1.1.1"));
    }

    void takesTheFirstUntrustedHopFromTheRight() {
        CPPUNIT_ASSERT_EQUAL(std::string{"203.0.113.9"}, client({"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"203.0.113.9"},
                             client({"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9, 10.0.0.2,10.0.0.3"));
        CPPUNIT_ASSERT_EQUAL(std::string{"10.0.0.1"}, client({"10.0.0.0/8"}, "10.0.0.1", ""));
    }

    void ignoresSpoofedEntriesOnTheLeft() {
        CPPUNIT_ASSERT_EQUAL(std::string{"203.0.113.9"},
                             client({"10.0.0.0/8"}, "10.0.0.1", "127.0.0.1, 10.0.0.9, 1.1.1.1, 203.0.113.9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"203.0.113.9"},
                             client({"10.0.0.0/8"}, "10.0.0.1", "garbage, 1.1.1.1, 203.0.113.9, 10.0.0.2"));
    }

    void takesTheLeftmostWhenAllHopsAreTrusted() {
        CPPUNIT_ASSERT_EQUAL(std::string{"10.0.0.3"}, client({"10.0.0.0/8"}, "10.0.0.1", "10.0.0.3, 10.0.0.2"));
    }

    void endsTheWalkAtAMalformedHop() {
        CPPUNIT_ASSERT_EQUAL(std::string{"10.0.0.1"}, client({"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9, unknown"));
        CPPUNIT_ASSERT_EQUAL(std::string{"10.0.0.2"},
                             client({"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9, _hidden, 10.0.0.2"));
        CPPUNIT_ASSERT_EQUAL(std::string{"10.0.0.2"}, client({"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9,, 10.0.0.2"));
        for (const char* hop : {",", " ", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:123456", "[::1", "[::1]x",
                                "[::1]:", "[1.2.3.4]:80", "[]", "::1%lo", "fe80::1%eth0", "\"1.2.3.4\""}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(hop, std::string{"10.0.0.1"}, client({"10.0.0.0/8"}, "10.0.0.1", hop));
        }
    }

    void readsHopsWithPorts() {
        CPPUNIT_ASSERT_EQUAL(std::string{"1.2.3.4"}, client({"10.0.0.1"}, "10.0.0.1", "1.2.3.4:567"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8::1"}, client({"::1"}, "::1", "[2001:db8::1]:80"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8::1"}, client({"::1"}, "::1", "[2001:db8::1]"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8::2"}, client({"::1"}, "::1", " \t2001:db8::2 , [::1]:80"));
    }

    void trustsAMappedProxyAsIpv4() {
        CPPUNIT_ASSERT_EQUAL(std::string{"1.2.3.4"}, client({"10.0.0.0/8"}, "::ffff:10.0.0.1", "::ffff:1.2.3.4"));
        CPPUNIT_ASSERT_EQUAL(std::string{"1.2.3.4"}, client({"::ffff:10.0.0.0/104"}, "10.9.9.9", "1.2.3.4"));
    }

    void namesABadEntry() {
        for (const char* entry : {"localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8x", "10.0.0.0/-1",
                                  "::/129", "::ffff:10.0.0.0/95", "10.0.0.0/4294967304", ""}) {
            try {
                const TrustedProxies proxies({"127.0.0.1", entry});
                CPPUNIT_FAIL(entry);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT(std::string{error.what()}.ends_with(entry));
            }
        }
    }

    void believesAUnixPeerOnlyWhenTold() {
        CPPUNIT_ASSERT_EQUAL(std::string{"0.0.0.0"}, client({}, "unix:", "1.2.3.4"));
        CPPUNIT_ASSERT_EQUAL(std::string{"0.0.0.0"}, client({"10.0.0.0/8"}, "unix:", "1.2.3.4"));
        CPPUNIT_ASSERT_EQUAL(std::string{"1.2.3.4"}, client({"unix:"}, "unix:", "1.2.3.4"));
        CPPUNIT_ASSERT_EQUAL(std::string{"0.0.0.0"}, client({"unix:"}, "unix:", "nonsense"));
        CPPUNIT_ASSERT_EQUAL(std::string{"0.0.0.0"}, client({"unix:"}, "", "1.2.3.4"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClientAddressTest);

}  // namespace http_client_address_test
}  // namespace otpgate::http
