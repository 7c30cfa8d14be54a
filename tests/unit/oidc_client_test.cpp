#include "otpgate/domain/oidc_client.h"

#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace {

const std::vector<std::string> kRegistered{"https://wiki.example.com/cb", "https://shop.example.com:8443/cb?tenant=a",
                                           "http://127.0.0.1/cb",         "http://[::1]:7000/cb",
                                           "http://localhost:3000/cb",    "com.example.app:/cb"};

// Whatever somebody may write to get the code elsewhere (RFC 9700, section 4.1).
const std::vector<std::string> kTricks{
    "",
    "https://wiki.example.com",
    "https://wiki.example.com/",
    "https://wiki.example.com/cb/",
    "https://wiki.example.com/cb2",
    "https://wiki.example.com/cb/../evil",
    "https://wiki.example.com/cb?x=1",
    "https://wiki.example.com/cb#x",
    "https://wiki.example.com/cb%00",
    "https://wiki.example.com/%63b",
    "https://wiki.example.com//cb",
    "https://wiki.example.com/CB",
    "HTTPS://wiki.example.com/cb",
    "https://WIKI.example.com/cb",
    "https://wiki.example.com:443/cb",
    "https://wiki.example.com./cb",
    "http://wiki.example.com/cb",
    "https://wiki.example.com.evil.example/cb",
    "https://evil.example/https://wiki.example.com/cb",
    "https://wiki.example.com@evil.example/cb",
    "https://evil.example?https://wiki.example.com/cb",
    "https://evil.example#https://wiki.example.com/cb",
    "https://evil.example\\@wiki.example.com/cb",
    "https:wiki.example.com/cb",
    "https:/wiki.example.com/cb",
    "//wiki.example.com/cb",
    "/cb",
    " https://wiki.example.com/cb",
    "https://wiki.example.com/cb ",
    "https://wiki.example.com/cb\n",
    "https://*.example.com/cb",
    "https://shop.example.com/cb?tenant=a",
    "https://shop.example.com:8443/cb?tenant=b",
    "https://shop.example.com:8443/cb?tenant=a&tenant=b",
    "https://127.0.0.1/cb",
    "http://127.0.0.1/cb2",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:80x/cb",
    "http://127.0.0.1:80@evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.2/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://[::1]7000/cb",
    "http://[::2]:7000/cb",
    "http://localhost:3001/cb",
    "http://localhost/cb",
    "com.example.app:/cb2",
    "com.example.app2:/cb",
    "javascript:alert(1)",
    "data:text/html,x",
};

}  // namespace

class OidcClientTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OidcClientTest);
    CPPUNIT_TEST(takesWhatIsRegistered);
    CPPUNIT_TEST(takesAnyPortOfAProgramOnThisMachine);
    CPPUNIT_TEST(isNotTricked);
    CPPUNIT_TEST(registersNothingThatABrowserCouldReadOtherwise);
    CPPUNIT_TEST(knowsItsSecretAlone);
    CPPUNIT_TEST(letsInWhoIsInOneOfItsGroups);
    CPPUNIT_TEST_SUITE_END();

    void takesWhatIsRegistered() {
        for (const std::string& uri : kRegistered) CPPUNIT_ASSERT_MESSAGE(uri, isRegistered(kRegistered, uri));
        for (const std::string& uri : kRegistered) CPPUNIT_ASSERT_MESSAGE(uri, isRedirectUri(uri));
    }

    void takesAnyPortOfAProgramOnThisMachine() {
        for (const char* uri :
             {"http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", "http://[::1]/cb", "http://[::1]:1/cb"})
            CPPUNIT_ASSERT_MESSAGE(uri, isRegistered(kRegistered, uri));
    }

    void isNotTricked() {
        CPPUNIT_ASSERT(kTricks.size() >= 40);
        for (const std::string& uri : kTricks) CPPUNIT_ASSERT_MESSAGE(uri, !isRegistered(kRegistered, uri));
    }

    void registersNothingThatABrowserCouldReadOtherwise() {
        for (const char* uri :
             {"http://wiki.example.com/cb", "https://*.example.com/cb", "https://wiki.example.com/cb#x",
              "https://ann@wiki.example.com/cb", "https://wiki.example.com:x/cb", "https:///cb", "https://", "app:/cb",
              "javascript:alert(1)", "ftp://wiki.example.com/", "https://wiki.example.com\\cb",
              "https://wiki.example.com/\"", "https://wiki.ex\xc3\xa4mple.com/cb", "com.example.app:"})
            CPPUNIT_ASSERT_MESSAGE(uri, !isRedirectUri(uri));
        CPPUNIT_ASSERT(!isRedirectUri("https://wiki.example.com/" + std::string(kMostUriBytes, 'a')));
        CPPUNIT_ASSERT(isBackchannelUri("http://wiki:8080/logout") && isBackchannelUri("https://wiki.example.com/out"));
        CPPUNIT_ASSERT(!isBackchannelUri("com.example.app:/out") && !isBackchannelUri("https://a@wiki/out"));
    }

    void knowsItsSecretAlone() {
        test::CountingRandom random;
        OidcClient client;
        CPPUNIT_ASSERT(!isSecretOf(client, ""));
        const std::string secret = makeClientSecret(random);
        client.secretHash = secretHashOf(secret);
        CPPUNIT_ASSERT_EQUAL(std::size_t{43}, secret.size());
        CPPUNIT_ASSERT(isSecretOf(client, secret));
        CPPUNIT_ASSERT(!isSecretOf(client, secret + "x") && !isSecretOf(client, "") &&
                       !isSecretOf(client, *client.secretHash));
    }

    void letsInWhoIsInOneOfItsGroups() {
        OidcClient client;
        User user;
        CPPUNIT_ASSERT(mayUse(client, user));
        client.groups = {"editors", "staff"};
        CPPUNIT_ASSERT(!mayUse(client, user));
        user.groups = {"others", "staff"};
        CPPUNIT_ASSERT(mayUse(client, user));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OidcClientTest);

}  // namespace otpgate::domain
