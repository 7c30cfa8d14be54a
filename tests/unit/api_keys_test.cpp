// The routes for API keys, who is let in by one, and who may see the metrics.
#include "api/authentication.h"
#include "support_cpp/api_fixture.h"
#include "support_cpp/fake_api_key_store.h"

namespace otpgate::api {
namespace api_keys_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::ApiScope;
using test::Answer;
using Insertion = domain::ApiKeyInsertion::Outcome;

class ApiKeysTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiKeysTest);
    CPPUNIT_TEST(showsTheKeyOnce);
    CPPUNIT_TEST(saysWhichFieldsAreWrong);
    CPPUNIT_TEST(tellsEachRefusal);
    CPPUNIT_TEST(revokesOnlyOnesOwn);
    CPPUNIT_TEST(letsInByEitherHeader);
    CPPUNIT_TEST(letsInNoOtherSecret);
    CPPUNIT_TEST(wantsOneOfTheScopes);
    CPPUNIT_TEST(wantsTheScope);
    CPPUNIT_TEST(showsMetricsToWhomTheSettingNames);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        ApiFixture::setUp();
        user_.role = domain::Role::Admin;
    }

private:
    Answer create(const std::string& body) {
        return answerOf([&] { return createApiKey(post(body), caller(), apiKeys_, clock_); });
    }
    Answer revoke(const std::string& id) {
        http::Request request = post("");
        request.pathParameters["id"] = id;
        return answerOf([&] { return revokeApiKey(request, caller(), apiKeys_); });
    }
    std::string key(const std::string& scopes) {
        return create(R"({"name":"shop","scopes":[)" + scopes + "]}").text("key");
    }
    // 204 where the key is let in.
    Answer enter(const http::Request& request, const std::vector<ApiScope>& scopes = {}) {
        return answerOf([&] {
            authenticateKey(apiKeys_, request, scopes);
            http::Response response;
            response.status = 204;
            return response;
        });
    }

    void showsTheKeyOnce() {
        const Answer made =
            create(R"({"name":" My shop ","scopes":["verify","verify"],"expires_at":"2099-01-31T12:00:00Z"})");
        CPPUNIT_ASSERT_EQUAL(201, made.status);
        CPPUNIT_ASSERT(made.text("key").starts_with("otpg_" + made.text("prefix") + "_"));
        CPPUNIT_ASSERT_EQUAL("My shop"s, made.text("name"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, made.body->getArray("scopes")->size());
        CPPUNIT_ASSERT(store_.asked->sessionId == session_.id);
        const Answer list = answerOf([&] { return listApiKeys(get(), caller(), apiKeys_); });
        const auto listed = list.body->getArray("api_keys")->getObject(0);
        CPPUNIT_ASSERT_EQUAL(made.text("prefix"), listed->getValue<std::string>("prefix"));
        CPPUNIT_ASSERT(listed->isNull("last_used_at") && !listed->has("key"));
        CPPUNIT_ASSERT(list.response.body.find(made.text("key")) == std::string::npos);
    }

    void saysWhichFieldsAreWrong() {
        CPPUNIT_ASSERT_EQUAL("MISSING_FIELDS"s, create("{}").code());
        CPPUNIT_ASSERT_EQUAL("name"s, create(R"({"scopes":[]})").field());
        CPPUNIT_ASSERT_EQUAL("scopes"s, create(R"({"name":"shop"})").field());
        for (const char* name : {R"("")", R"("a\nb")", "7"}) {
            CPPUNIT_ASSERT_EQUAL("name"s, create(R"({"scopes":[],"name":)"s + name + "}").field());
        }
        CPPUNIT_ASSERT_EQUAL("name"s, create(R"({"scopes":[],"name":")" + std::string(101, 'a') + R"("})").field());
        CPPUNIT_ASSERT_EQUAL(201, create(R"({"scopes":[],"name":")" + std::string(100, 'a') + R"("})").status);
        CPPUNIT_ASSERT_EQUAL("scopes"s, create(R"({"name":"shop","scopes":["verify","all"]})").field());
        CPPUNIT_ASSERT_EQUAL("scopes"s, create(R"({"name":"shop","scopes":"verify"})").field());
        for (const char* time : {"tomorrow", "2001-01-01T00:00:00Z"}) {
            CPPUNIT_ASSERT_EQUAL("expires_at"s,
                                 create(R"({"name":"shop","scopes":[],"expires_at":")"s + time + R"("})").field());
        }
    }

    void tellsEachRefusal() {
        const auto refusal = [&](Insertion outcome) {
            store_.outcome = outcome;
            store_.hits = domain::packTime(clock_.now());
            return create(R"({"name":"shop","scopes":[]})");
        };
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, refusal(Insertion::TooMany).code());
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, refusal(Insertion::SessionEnded).code());
        const Answer limited = refusal(Insertion::Limited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, limited.code());
        CPPUNIT_ASSERT(limited.header("RateLimit-Policy").starts_with("\"api_keys_per_account\""));
        user_.role = domain::Role::User;
        CPPUNIT_ASSERT_EQUAL(403, refusal(Insertion::Created).status);
    }

    void revokesOnlyOnesOwn() {
        const std::string id = create(R"({"name":"shop","scopes":[]})").text("id");
        CPPUNIT_ASSERT_EQUAL(404, revoke(session_.id.toString()).status);
        CPPUNIT_ASSERT_EQUAL(404, revoke("1").status);
        CPPUNIT_ASSERT_EQUAL(204, revoke(id).status);
        user_.id = session_.id;
        CPPUNIT_ASSERT_EQUAL(404, revoke(id).status);
    }

    void letsInByEitherHeader() {
        const std::string text = key(R"("verify")");
        CPPUNIT_ASSERT_EQUAL(204, enter(get({{"x-api-key", text}})).status);
        CPPUNIT_ASSERT_EQUAL(204, enter(get({{"authorization", "Api-Key " + text}})).status);
        CPPUNIT_ASSERT_EQUAL(204, enter(get({{"authorization", "api-key  " + text + " "}})).status);
        const Answer without = enter(get({{"authorization", "Bearer " + text}}));
        CPPUNIT_ASSERT_EQUAL("UNAUTHENTICATED"s, without.code());
        CPPUNIT_ASSERT_EQUAL("Api-Key realm=\"otpgate\""s, without.header("WWW-Authenticate"));
        CPPUNIT_ASSERT_EQUAL("UNAUTHENTICATED"s, enter(get({{"authorization", "Api-Key "}})).code());
    }

    void letsInNoOtherSecret() {
        std::string text = key(R"("verify")");
        text.back() = text.back() == 'a' ? 'b' : 'a';
        const Answer other = enter(get({{"x-api-key", text}}));
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, other.code());
        CPPUNIT_ASSERT_EQUAL("Api-Key realm=\"otpgate\""s, other.header("WWW-Authenticate"));
    }

    void wantsOneOfTheScopes() {
        const http::Request request = get({{"x-api-key", key(R"("verify:caller")")}});
        CPPUNIT_ASSERT_EQUAL(204, enter(request).status);
        CPPUNIT_ASSERT_EQUAL(204, enter(request, {ApiScope::Verify, ApiScope::VerifyCaller}).status);
        CPPUNIT_ASSERT_EQUAL("FORBIDDEN"s, enter(request, {ApiScope::Verify}).code());
        const Answer none = enter(get({{"x-api-key", key("")}}), {ApiScope::Verify, ApiScope::VerifyCaller});
        CPPUNIT_ASSERT_EQUAL("The API key needs the scope verify or verify:caller."s, none.text("detail"));
    }

    void wantsTheScope() {
        ApiKeyCaller caller;
        caller.scopes = {ApiScope::Verify};
        requireScope(caller, ApiScope::Verify);
        CPPUNIT_ASSERT_THROW(requireScope(caller, ApiScope::VerifyCaller), http::ApiError);
    }

    void showsMetricsToWhomTheSettingNames() {
        const http::AddressList readers({"192.0.2.0/24"}, "metrics.allowed_addresses");
        const Monitoring monitoring{readers, [] { return "up 1\n"s; }};
        http::Request request = get();
        CPPUNIT_ASSERT(isMonitor(monitoring, request));
        for (const char* other : {"198.51.100.1", "::1", ""}) {
            request.clientAddress = other;
            CPPUNIT_ASSERT(!isMonitor(monitoring, request));
        }
        const http::Response shown = showMetrics(request, monitoring);
        CPPUNIT_ASSERT_EQUAL("up 1\n"s, shown.body);
    }

    test::FakeApiKeyStore store_;
    domain::ApiKeyService apiKeys_{store_, clock_, random_, domain::ApiKeyHolders::Admins};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiKeysTest);

}  // namespace api_keys_test
}  // namespace otpgate::api
