#include "otpgate/domain/oidc_client.h"

#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace oidc_client_test {

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

class OidcClientTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OidcClientTest);
    CPPUNIT_TEST(isCalledByNothingThatAPathWouldLose);
    CPPUNIT_TEST(takesWhatIsRegistered);
    CPPUNIT_TEST(takesAnyPortOfAProgramOnThisMachine);
    CPPUNIT_TEST(isNotTricked);
    CPPUNIT_TEST(registersNothingThatABrowserCouldReadOtherwise);
    CPPUNIT_TEST(namesWhereAFormMayLead);
    CPPUNIT_TEST(knowsItsSecretAlone);
    CPPUNIT_TEST(letsInWhoIsInOneOfItsGroups);
    CPPUNIT_TEST(registersWhatIsRight);
    CPPUNIT_TEST(saysWhatIsWrong);
    CPPUNIT_TEST_SUITE_END();

    void isCalledByNothingThatAPathWouldLose() {
        CPPUNIT_ASSERT(parseClientId("wiki") && parseClientId("...") && parseClientId(".a"));
        CPPUNIT_ASSERT(!parseClientId(".") && !parseClientId("..") && !parseClientId(""));
    }

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

    void namesWhereAFormMayLead() {
        const std::string expected[] = {"https://wiki.example.com", "https://shop.example.com:8443",
                                        "http://127.0.0.1",         "http:",
                                        "http://localhost:3000",    "com.example.app:"};
        for (std::size_t i = 0; i < kRegistered.size(); ++i)
            CPPUNIT_ASSERT_EQUAL(expected[i], formTargetOf(kRegistered[i]));
        CPPUNIT_ASSERT_EQUAL(std::string{"https://wiki.example.com"}, formTargetOf("https://wiki.example.com?x"));
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

    static OidcClient wiki() {
        OidcClient client;
        client.id = client.title = "wiki";
        client.redirectUris = {"https://wiki.example.com/cb"};
        return client;
    }

    void registersWhatIsRight() {
        OidcClient client = wiki();
        CPPUNIT_ASSERT(!faultOf(client, ClientKind::Confidential) && !faultOf(client, ClientKind::Public));
        client.needsPkce = false;
        client.redirectUris = std::vector<std::string>(kMostClientUris, "com.example.app:/cb");
        client.postLogoutUris = kRegistered;
        client.backchannelUri = "http://wiki/out";
        client.groups = {"staff", "editors.de"};
        client.title = "Das W\xc3\xaeki";
        CPPUNIT_ASSERT(!faultOf(client, ClientKind::Confidential));
    }

    static void assertFault(const OidcClient& client, ClientField field, const std::string& part = {},
                            ClientKind kind = ClientKind::Confidential) {
        const auto fault = faultOf(client, kind);
        CPPUNIT_ASSERT(fault && fault->field == field);
        CPPUNIT_ASSERT_EQUAL(part, fault->part);
    }

    template <typename Value>
    static OidcClient with(Value OidcClient::*member, const Value& value) {
        OidcClient client = wiki();
        client.*member = value;
        return client;
    }

    void saysWhatIsWrong() {
        using Texts = std::vector<std::string>;
        using enum ClientField;
        for (const std::string& title : {std::string{}, std::string(101, 'x'), std::string{"a\nb"}})
            assertFault(with(&OidcClient::title, title), Title);
        assertFault(with(&OidcClient::redirectUris, Texts{}), RedirectUris);
        assertFault(with(&OidcClient::redirectUris, Texts(kMostClientUris + 1, kRegistered[0])), RedirectUris);
        assertFault(with(&OidcClient::redirectUris, Texts{kRegistered[0], "/cb"}), RedirectUris, "/cb");
        assertFault(with(&OidcClient::postLogoutUris, Texts{""}), PostLogoutUris);
        assertFault(with(&OidcClient::backchannelUri, std::string{"wiki"}), BackchannelUri, "wiki");
        assertFault(with(&OidcClient::needsPkce, false), Pkce, "", ClientKind::Public);
        // A comma parts them where they are kept.
        assertFault(with(&OidcClient::groups, Texts{"staff", "a,b"}), Groups, "a,b");
        assertFault(with(&OidcClient::groups, Texts{"Staff"}), Groups, "Staff");
        assertFault(with(&OidcClient::groups, Texts(16, std::string(64, 'g'))), Groups);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OidcClientTest);

}  // namespace oidc_client_test
}  // namespace otpgate::domain
