#include "otpgate/domain/oidc_grant.h"

#include "otpgate/crypto/hash.h"
#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace oidc_grant_test {

using namespace std::string_literals;
using namespace std::chrono_literals;

const std::string kBack = "https://wiki.example.com/cb";
const std::string kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

class OidcGrantTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OidcGrantTest);
    CPPUNIT_TEST(redeemsACodeForWhoeverAskedForIt);
    CPPUNIT_TEST(redeemsNoCodeTwice);
    CPPUNIT_TEST(redeemsNoCodeOfAnotherClientAndEndsNothingByIt);
    CPPUNIT_TEST(ownsUpToPkce);
    CPPUNIT_TEST(endsWithItsSessionUnlessOffline);
    CPPUNIT_TEST(endsWithItsUser);
    CPPUNIT_TEST(rotatesRefreshTokens);
    CPPUNIT_TEST(takesEachTextForOneThingOnly);
    CPPUNIT_TEST(tellsNoMoreThanTheScopes);
    CPPUNIT_TEST(vouchesForNothingThatIsNotProved);
    CPPUNIT_TEST(writesAnIdToken);
    CPPUNIT_TEST_SUITE_END();

    test::CountingRandom random_;
    const Timestamp now_ = fromMicroseconds(1'800'000'000'000'000);
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    GrantInUse use_;

public:
    void setUp() override {
        User user;
        user.id = Uuid::makeV7(now_, random_);
        user.email = "ann@example.org";
        user.emailVerified = true;
        use_.user = user;
        use_.client.id = use_.grant.clientId = "wiki";
        use_.grant.id = Uuid::makeV7(now_, random_);
        use_.grant.userId = user.id;
        use_.grant.sessionId = Uuid::makeV7(now_, random_);
        use_.grant.scopes = parseScopes("openid");
        use_.grant.challenge = kChallenge;
        use_.grant.redirectHash = crypto::sha256(kBack);
        use_.grant.methods = "otp";
        use_.grant.acr = "urn:otpgate:aal1";
        use_.grant.createdAt = use_.grant.authenticatedAt = now_ - 10s;
        use_.grant.expiresAt = now_ + 24h;
        use_.sessionIsAlive = true;
    }

private:
    CodeRuling code(const std::string& back = kBack, const std::string& verifier = kVerifier,
                    const std::string& client = "wiki") {
        return ruleOnCode(use_, client, back, verifier, now_);
    }
    void makeOffline() { use_.grant.scopes = parseScopes("openid offline_access"); }

    void redeemsACodeForWhoeverAskedForIt() {
        CPPUNIT_ASSERT(code() == CodeRuling::Good);
        CPPUNIT_ASSERT(code(kBack + "/") == CodeRuling::Invalid);
        CPPUNIT_ASSERT(code("") == CodeRuling::Invalid);
        use_.grant.createdAt = now_ - kOidcCodeLifetime + 1us;
        CPPUNIT_ASSERT(code() == CodeRuling::Good);
        use_.grant.createdAt = now_ - kOidcCodeLifetime;
        CPPUNIT_ASSERT(code() == CodeRuling::Invalid);
    }

    void redeemsNoCodeTwice() {
        use_.grant.redeemedAt = now_ - 1s;
        CPPUNIT_ASSERT(code() == CodeRuling::Reused);
        use_.grant.createdAt = now_ - 24h;  // late, too
        CPPUNIT_ASSERT(code() == CodeRuling::Reused);
    }

    void redeemsNoCodeOfAnotherClientAndEndsNothingByIt() {
        CPPUNIT_ASSERT(code(kBack, kVerifier, "shop") == CodeRuling::Invalid);
        use_.grant.redeemedAt = now_ - 1s;
        CPPUNIT_ASSERT(code(kBack, kVerifier, "shop") == CodeRuling::Invalid);
    }

    void ownsUpToPkce() {
        CPPUNIT_ASSERT(code(kBack, "") == CodeRuling::Invalid);
        CPPUNIT_ASSERT(code(kBack, std::string(43, 'a')) == CodeRuling::Invalid);
        // The challenge was taken out on the way (RFC 9700, section 4.8.2).
        use_.grant.challenge.clear();
        CPPUNIT_ASSERT(code() == CodeRuling::Invalid);
        CPPUNIT_ASSERT(code(kBack, "") == CodeRuling::Good);
    }

    void endsWithItsSessionUnlessOffline() {
        CPPUNIT_ASSERT(isAlive(use_, now_));
        use_.sessionIsAlive = false;
        CPPUNIT_ASSERT(!isAlive(use_, now_));
        makeOffline();
        CPPUNIT_ASSERT(isAlive(use_, now_));
        CPPUNIT_ASSERT(code() == CodeRuling::Invalid);  // a code is for who is there
        use_.grant.expiresAt = now_;
        CPPUNIT_ASSERT(!isAlive(use_, now_));
    }

    void endsWithItsUser() {
        makeOffline();
        const GrantInUse good = use_;
        const auto isDeadWhere = [&](auto change) {
            use_ = good;
            change(use_);
            return !isAlive(use_, now_);
        };
        CPPUNIT_ASSERT(isDeadWhere([](GrantInUse& use) { use.user.reset(); }));
        CPPUNIT_ASSERT(isDeadWhere([](GrantInUse& use) { use.client.isDisabled = true; }));
        CPPUNIT_ASSERT(isDeadWhere([](GrantInUse& use) { use.client.groups = {"staff"}; }));
        CPPUNIT_ASSERT(isDeadWhere([](GrantInUse& use) { use.user->hasFactor = true; }));
        CPPUNIT_ASSERT(isDeadWhere([&](GrantInUse& use) { use.grant.endedAt = now_; }));
    }

    void rotatesRefreshTokens() {
        use_.grant.refreshCounter = 5;
        use_.grant.rotatedAt = now_ - 29s;
        CPPUNIT_ASSERT(ruleOnRotation(use_, "wiki", 5, now_) == RotationRuling::Invalid);  // without offline_access
        makeOffline();
        CPPUNIT_ASSERT(ruleOnRotation(use_, "wiki", 5, now_) == RotationRuling::Good);
        CPPUNIT_ASSERT(ruleOnRotation(use_, "wiki", 4, now_) == RotationRuling::Repeated);
        CPPUNIT_ASSERT(ruleOnRotation(use_, "wiki", 3, now_) == RotationRuling::Reused);
        CPPUNIT_ASSERT(ruleOnRotation(use_, "wiki", 4, now_ + 1s) == RotationRuling::Reused);
        CPPUNIT_ASSERT(ruleOnRotation(use_, "wiki", 6, now_) == RotationRuling::Invalid);
        CPPUNIT_ASSERT(ruleOnRotation(use_, "shop", 3, now_) == RotationRuling::Invalid);
    }

    void takesEachTextForOneThingOnly() {
        const std::string code = oidcCodeOf(ring_, use_.grant.id);
        const std::string refresh = toText(ring_, OidcRefreshToken{use_.grant.id, 7});
        const std::string access = toText(ring_, OidcAccessToken{use_.grant.id, now_});
        CPPUNIT_ASSERT(parseOidcCode(ring_, code) == use_.grant.id);
        CPPUNIT_ASSERT(parseOidcRefreshToken(ring_, refresh)->counter == 7);
        CPPUNIT_ASSERT(parseOidcAccessToken(ring_, access)->expiresAt == now_);
        CPPUNIT_ASSERT(!parseOidcRefreshToken(ring_, access) && !parseOidcAccessToken(ring_, refresh));
        CPPUNIT_ASSERT(!parseOidcCode(ring_, access) && !parseOidcAccessToken(ring_, code) &&
                       !parseOidcCode(ring_, ""));
    }

    std::string claims(std::string_view scopes) {
        crypto::JwtClaims claims;
        addUserClaims(claims, *use_.user, parseScopes(scopes));
        return claims.toJson();
    }

    void tellsNoMoreThanTheScopes() {
        use_.user->firstName = "Ann";
        use_.user->groups = {"staff"};
        CPPUNIT_ASSERT_EQUAL("{}"s, claims("openid offline_access"));
        CPPUNIT_ASSERT_EQUAL(R"({"email":"ann@example.org","email_verified":true})"s, claims("openid email"));
        CPPUNIT_ASSERT_EQUAL(R"({"groups":["staff"]})"s, claims("openid groups"));
        CPPUNIT_ASSERT_EQUAL(
            R"({"name":"Ann","given_name":"Ann","preferred_username":")" + use_.user->id.toString() + "\"}",
            claims("openid profile"));
        use_.user->username = "ann";
        use_.user->displayName = "Annie";
        CPPUNIT_ASSERT_EQUAL(R"({"name":"Annie","given_name":"Ann","preferred_username":"ann"})"s,
                             claims("openid profile"));
    }

    void vouchesForNothingThatIsNotProved() {
        use_.user->emailVerified = false;
        use_.user->phoneNumber = "+4930123456";
        CPPUNIT_ASSERT_EQUAL("{}"s, claims("openid email phone"));
        use_.user->phoneVerified = true;
        CPPUNIT_ASSERT_EQUAL(R"({"phone_number":"+4930123456","phone_number_verified":true})"s,
                             claims("openid email phone"));
    }

    void writesAnIdToken() {
        use_.grant.nonce = "n\"1";
        use_.grant.methods = "pwd otp";
        // The access token and at_hash of OpenID Connect Core 1.0, appendix A.3.
        IdTokenFacts facts{"https://login.example.org", now_, 900s, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
                           true};
        const std::string first = idTokenClaims(use_.grant, *use_.user, facts);
        const std::string id = use_.user->id.toString();
        CPPUNIT_ASSERT_EQUAL(R"({"iss":"https://login.example.org","sub":")" + id +
                                 R"(","aud":"wiki","iat":1800000000,"exp":1800000900,"auth_time":1799999990,)"
                                 R"("nonce":"n\"1","acr":"urn:otpgate:aal1","amr":["pwd","otp"],"sid":")" +
                                 use_.grant.sessionId.toString() + R"(","at_hash":"77QmUPtjPfzWtF2AnpK9RQ"})",
                             first);
        facts.isFirst = false;
        CPPUNIT_ASSERT(idTokenClaims(use_.grant, *use_.user, facts).find("nonce") == std::string::npos);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OidcGrantTest);

}  // namespace oidc_grant_test
}  // namespace otpgate::domain
