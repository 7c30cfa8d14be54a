// What the OpenID provider answers applications, over a store in memory. The rules by themselves: oidc_grant_test.cpp.
#include "otpgate/domain/oidc_provider.h"

#include "otpgate/crypto/hash.h"
#include "support_cpp/contains.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_signing_key_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace oidc_provider_test {

using namespace std::chrono_literals;

const std::string kBack = "https://wiki.example.com/cb";
const std::string kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const std::string kSecret = "a secret";

// Two clients and one grant, as a database keeps them.
class SmallOidcStore final : public OidcStore {
public:
    bool addClient(const OidcClient&, const AuditNote&) override { return false; }
    std::vector<OidcClient> listClients(std::string_view, unsigned) override { return clients; }
    std::optional<OidcClient> findClient(std::string_view id) override {
        ++asked;
        for (const OidcClient& client : clients) {
            if (client.id == id) return client;
        }
        return std::nullopt;
    }
    bool changeClient(const OidcClient&, const AuditNote&) override { return false; }
    bool setClientSecret(std::string_view, const std::string&, const AuditNote&) override { return false; }
    bool setClientDisabled(std::string_view, bool, const AuditNote&) override { return false; }
    bool removeClient(std::string_view, const AuditNote&) override { return false; }

    void addGrant(const OidcGrant& grant, const AuditNote&) override { use.grant = grant; }
    FoundGrant find(std::string_view clientId, const Uuid& grantId, Timestamp now) override {
        return {findClient(clientId), findGrant(grantId, now)};
    }
    std::optional<GrantInUse> findGrant(const Uuid& grantId, Timestamp) override {
        ++asked;
        return use.grant.id == grantId ? std::optional{use} : std::nullopt;
    }
    bool redeem(const Uuid&, Timestamp now) override {
        if (anotherIsFirst || use.grant.redeemedAt) return false;
        use.grant.redeemedAt = now;
        return true;
    }
    bool rotate(const Uuid&, std::int64_t counter, Timestamp now) override {
        if (use.grant.refreshCounter != counter) return false;
        use.grant.refreshCounter = counter + 1;
        use.grant.rotatedAt = now;
        return true;
    }
    void endGrant(const Uuid&, Timestamp now) override { use.grant.endedAt = now; }

    std::optional<std::string> findConsent(const Uuid&, std::string_view) override { return consent; }
    void putConsent(const Uuid&, std::string_view, const std::string& scopes, const AuditNote&) override {
        consent = scopes;
    }
    std::vector<OidcConsent> listConsents(const Uuid&) override { return {}; }
    std::vector<GrantsAlike> listGrants(const User&, Timestamp) override { return {}; }
    bool withdraw(const Uuid&, std::string_view, const AuditNote&) override { return false; }
    std::vector<LogoutNotice> takeLogouts(Timestamp, Timestamp, unsigned) override { return {}; }
    void removeLogout(const Uuid&) override {}
    void postponeLogout(const Uuid&, Timestamp) override {}

    std::vector<OidcClient> clients;
    GrantInUse use;
    std::optional<std::string> consent;
    bool anotherIsFirst = false;
    int asked = 0;
};

class OidcProviderTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OidcProviderTest);
    CPPUNIT_TEST(redeemsACodeOnceAndEndsWhatIsRedeemedTwice);
    CPPUNIT_TEST(asksForTheSecretBeforeItLooksAtTheCode);
    CPPUNIT_TEST(endsTheGrantOfACodeThatSomebodyElseRedeemedJustNow);
    CPPUNIT_TEST(saysWhatIsWrongWithAForm);
    CPPUNIT_TEST(rotatesRefreshTokensAndEndsWhatIsUsedAgain);
    CPPUNIT_TEST(takesNoAccessTokenThatStandsForNothing);
    CPPUNIT_TEST(keepsOutWhoMayNotSignInAnyMore);
    CPPUNIT_TEST(tellsAClientOfItsOwnTokensOnly);
    CPPUNIT_TEST(revokesWhatIsTheClientsOwn);
    CPPUNIT_TEST(asksForConsentOnceAndAnewForMore);
    CPPUNIT_TEST(grantsAUserSoManyAnHour);
    CPPUNIT_TEST(knowsAClientForASecondAndItsSecretForNone);
    CPPUNIT_TEST(readsItsOwnTokensAsHints);
    CPPUNIT_TEST(writesATokenOfAnEnd);
    CPPUNIT_TEST_SUITE_END();

    test::FakeClock clock_;
    test::CountingRandom random_;
    test::FakeSigningKeyStore keyStore_;
    ProcessCounts counts_;
    SmallOidcStore store_;
    const crypto::KeyRing ring_ = crypto::KeyRing::parse("otpgate1:" + std::string(64, '1') + "\n", "master.key");
    SigningKeys rs256_{ring_, 900s, crypto::SigningAlgorithm::Rs256};
    SigningKeys es256_{ring_, 900s};
    AuthenticatedSession session_;
    const Client browser_{"203.0.113.9", "203.0.113.9", "Browser/1.0", "request-1"};

public:
    void setUp() override {
        es256_.reload(keyStore_, random_, clock_.now());
        for (const char* id : {"wiki", "chat"}) {
            OidcClient client;
            client.id = client.title = id;
            client.secretHash = secretHashOf(kSecret);
            client.redirectUris = {kBack};
            client.algorithm = crypto::SigningAlgorithm::Es256;
            store_.clients.push_back(client);
        }
        session_.user.id = Uuid::makeV7(clock_.now(), random_);
        session_.user.email = "ann@example.org";
        session_.user.emailVerified = true;
        session_.session.id = Uuid::makeV7(clock_.now(), random_);
        session_.session.methods = "otp";
        session_.session.authenticatedAt = clock_.now();
        store_.use.client = store_.clients.front();
        store_.use.user = session_.user;
        store_.use.sessionIsAlive = true;
    }

private:
    OidcProvider provider(SignInRule rule = {}) {
        return {store_,  rs256_, es256_,  ring_,
                counts_, clock_, random_, {"https://login.example.org", 900s, 24h, rule}};
    }
    static AuthorizeRequest wish(const std::string& scopes = "openid email") {
        AuthorizeRequest request;
        request.clientId = "wiki";
        request.redirectUri = kBack;
        request.scopes = parseScopes(scopes);
        request.nonce = "n-1";
        request.challenge = kChallenge;
        return request;
    }
    std::string code(const std::string& scopes = "openid email") {
        return provider().grant(wish(scopes), session_, browser_).value();
    }
    static Parameters codeForm(const std::string& code, const std::string& client = "wiki",
                               const std::string& secret = kSecret) {
        return {{"grant_type", "authorization_code"}, {"code", code},        {"redirect_uri", kBack},
                {"code_verifier", kVerifier},         {"client_id", client}, {"client_secret", secret}};
    }
    static Parameters refreshForm(const std::string& token, const std::string& client = "wiki") {
        return {{"grant_type", "refresh_token"},
                {"refresh_token", token},
                {"client_id", client},
                {"client_secret", kSecret}};
    }
    OidcTokens tokens(const Parameters& form) {
        auto answer = provider().exchange(std::nullopt, form);
        const auto* error = std::get_if<OidcError>(&answer);
        CPPUNIT_ASSERT_MESSAGE(error ? error->description : "", !error);
        return std::get<OidcTokens>(std::move(answer));
    }
    std::string refusal(const Parameters& form, std::optional<std::string_view> authorization = std::nullopt) {
        const auto answer = provider().exchange(authorization, form);
        CPPUNIT_ASSERT(std::holds_alternative<OidcError>(answer));
        const auto& error = std::get<OidcError>(answer);
        CPPUNIT_ASSERT_EQUAL(error.error == "invalid_client", error.isOfClient);
        return error.error;
    }
    bool isEnded() const { return store_.use.grant.endedAt.has_value(); }

    void redeemsACodeOnceAndEndsWhatIsRedeemedTwice() {
        const auto form = codeForm(code());
        const OidcTokens first = tokens(form);
        CPPUNIT_ASSERT(first.refresh.empty());
        CPPUNIT_ASSERT(first.expiresIn == 900s);
        CPPUNIT_ASSERT_EQUAL(std::string{"openid email"}, toText(first.scopes));
        const auto use = provider().inspectAccessToken(first.access);
        CPPUNIT_ASSERT(use && use->user->id == session_.user.id);
        CPPUNIT_ASSERT(test::contains(provider().userinfo(*use), R"("email":"ann@example.org")"));

        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(form));
        CPPUNIT_ASSERT(isEnded());
        CPPUNIT_ASSERT(!provider().inspectAccessToken(first.access));
    }

    void asksForTheSecretBeforeItLooksAtTheCode() {
        const std::string good = code();
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_client"}, refusal(codeForm(good, "wiki", "guessed")));
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_client"}, refusal(codeForm("no code", "wiki", "guessed")));
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_client"}, refusal(codeForm(good, "nobody")));
        const int asked = store_.asked;
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_client"}, refusal(codeForm(good, "No Name")));
        CPPUNIT_ASSERT_EQUAL(asked, store_.asked);
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(codeForm("no code")));
        // Another's code is nothing to a client, and remains what it is.
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(codeForm(good, "chat")));
        CPPUNIT_ASSERT(!isEnded());
        tokens(codeForm(good));
    }

    void endsTheGrantOfACodeThatSomebodyElseRedeemedJustNow() {
        const auto form = codeForm(code());
        store_.anotherIsFirst = true;
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(form));
        CPPUNIT_ASSERT(isEnded());
    }

    void saysWhatIsWrongWithAForm() {
        const Parameters proved{{"client_id", "wiki"}, {"client_secret", kSecret}};
        const auto with = [&](const std::string& name, const std::string& value) {
            Parameters form = proved;
            form.emplace_back(name, value);
            return form;
        };
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_request"}, refusal(proved));
        CPPUNIT_ASSERT_EQUAL(std::string{"unsupported_grant_type"}, refusal(with("grant_type", "password")));
        CPPUNIT_ASSERT_EQUAL(
            std::string{"invalid_client"},
            refusal({{"grant_type", "password"}, {"client_id", "wiki"}, {"client_secret", "guessed"}}));
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_client"}, refusal({{"grant_type", "authorization_code"}}));
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(with("grant_type", "authorization_code")));
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(with("grant_type", "refresh_token")));
        Parameters twice = codeForm(code());
        twice.emplace_back("code", "another");
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_request"}, refusal(twice));
        // Both ways of naming oneself at once.
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_request"},
                             refusal(with("grant_type", "password"), "Basic d2lraTphIHNlY3JldA=="));
    }

    void rotatesRefreshTokensAndEndsWhatIsUsedAgain() {
        const OidcTokens first = tokens(codeForm(code("openid offline_access")));
        const OidcTokens second = tokens(refreshForm(first.refresh));
        CPPUNIT_ASSERT(second.refresh != first.refresh);
        // The answer was lost on the way.
        CPPUNIT_ASSERT_EQUAL(second.refresh, tokens(refreshForm(first.refresh)).refresh);
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(refreshForm(second.refresh, "chat")));
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(refreshForm(second.access)));
        CPPUNIT_ASSERT(!isEnded());
        clock_.advance(31s);
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(refreshForm(first.refresh)));
        CPPUNIT_ASSERT(isEnded());
        CPPUNIT_ASSERT_EQUAL(std::string{"invalid_grant"}, refusal(refreshForm(second.refresh)));
    }

    void takesNoAccessTokenThatStandsForNothing() {
        const std::string access = tokens(codeForm(code())).access;
        const auto isTaken = [&] { return provider().inspectAccessToken(access).has_value(); };
        CPPUNIT_ASSERT(isTaken());
        CPPUNIT_ASSERT(!provider().inspectAccessToken(access + "x"));
        store_.use.sessionIsAlive = false;
        CPPUNIT_ASSERT(!isTaken());
        store_.use.sessionIsAlive = true;
        store_.use.grant.redeemedAt.reset();
        CPPUNIT_ASSERT(!isTaken());
        store_.use.grant.redeemedAt = clock_.now();
        store_.use.grant.id = Uuid::makeV7(clock_.now(), random_);
        CPPUNIT_ASSERT(!isTaken());
        clock_.advance(900s);
        CPPUNIT_ASSERT(!isTaken());
    }

    void keepsOutWhoMayNotSignInAnyMore() {
        const auto form = codeForm(code("openid offline_access"));
        SignInRule staffOnly;
        staffOnly.groups = {"staff"};
        CPPUNIT_ASSERT(std::holds_alternative<OidcError>(provider(staffOnly).exchange(std::nullopt, form)));
        const OidcTokens given = tokens(form);
        CPPUNIT_ASSERT(!provider(staffOnly).inspectAccessToken(given.access));
        CPPUNIT_ASSERT(
            std::holds_alternative<OidcError>(provider(staffOnly).exchange(std::nullopt, refreshForm(given.refresh))));
        CPPUNIT_ASSERT(!isEnded());

        SignInRule twoFactors;
        twoFactors.factors.whom = FactorRule::Whom::Everybody;
        store_.use.user->factorWantedSince = clock_.now() - twoFactors.factors.grace;
        CPPUNIT_ASSERT(!provider(twoFactors).inspectAccessToken(given.access));
        CPPUNIT_ASSERT(provider().inspectAccessToken(given.access));
    }

    void tellsAClientOfItsOwnTokensOnly() {
        const OidcTokens first = tokens(codeForm(code("openid email offline_access")));
        const OidcClient& wiki = store_.clients.at(0);
        const OidcClient& chat = store_.clients.at(1);
        const std::string told = provider().introspect(first.access, &wiki);
        CPPUNIT_ASSERT(told.starts_with(R"({"active":true,"token_type":"Bearer","client_id":"wiki")"));
        CPPUNIT_ASSERT(test::contains(told, R"("email":"ann@example.org")"));
        CPPUNIT_ASSERT_EQUAL(told, provider().introspect(first.access, nullptr));
        const std::string nothing = R"({"active":false})";
        CPPUNIT_ASSERT_EQUAL(nothing, provider().introspect(first.access, &chat));
        CPPUNIT_ASSERT_EQUAL(nothing, provider().introspect("", &wiki));
        CPPUNIT_ASSERT(test::contains(provider().introspect(first.refresh, &wiki), R"("token_type":"refresh_token")"));
        tokens(refreshForm(first.refresh));
        CPPUNIT_ASSERT_EQUAL(nothing, provider().introspect(first.refresh, &wiki));
    }

    void revokesWhatIsTheClientsOwn() {
        const OidcTokens given = tokens(codeForm(code("openid offline_access")));
        provider().revoke(given.refresh, store_.clients.at(1));
        provider().revoke("nothing of ours", store_.clients.at(0));
        provider().revoke(code(), store_.clients.at(0));
        CPPUNIT_ASSERT(!isEnded());
        const OidcTokens others = tokens(codeForm(code("openid offline_access")));
        provider().revoke(others.refresh, store_.clients.at(0));
        CPPUNIT_ASSERT(isEnded());
    }

    void asksForConsentOnceAndAnewForMore() {
        OidcClient& wiki = store_.clients.at(0);
        const auto isAsked = [&](const AuthorizeRequest& request) {
            return provider().isConsentNeeded(request, wiki, session_.user);
        };
        CPPUNIT_ASSERT(!isAsked(wish()));
        wiki.consent = ConsentPolicy::Ask;
        CPPUNIT_ASSERT(isAsked(wish()));
        provider().allow(wish(), session_.user, browser_);
        CPPUNIT_ASSERT(!isAsked(wish()) && !isAsked(wish("openid")));
        CPPUNIT_ASSERT(isAsked(wish("openid phone")));
        // What is added takes nothing away.
        provider().allow(wish("openid phone"), session_.user, browser_);
        CPPUNIT_ASSERT_EQUAL(std::string{"openid email phone"}, store_.consent.value());
        AuthorizeRequest anew = wish();
        anew.wantsConsent = true;
        CPPUNIT_ASSERT(isAsked(anew));
    }

    void grantsAUserSoManyAnHour() {
        auto asked = provider();
        for (unsigned i = 0; i < kMostGrantsAnHour; ++i) CPPUNIT_ASSERT(asked.grant(wish(), session_, browser_));
        CPPUNIT_ASSERT(!asked.grant(wish(), session_, browser_));
        clock_.advance(1h);
        CPPUNIT_ASSERT(asked.grant(wish(), session_, browser_));
    }

    void knowsAClientForASecondAndItsSecretForNone() {
        auto asked = provider();
        CPPUNIT_ASSERT(asked.findClient("wiki") && !asked.findClient("nobody") && !asked.findClient("No Name"));
        const int before = store_.asked;
        store_.clients.at(0).secretHash = secretHashOf("another");
        CPPUNIT_ASSERT_EQUAL(std::string{"wiki"}, asked.findClient("wiki")->title);
        CPPUNIT_ASSERT_EQUAL(before, store_.asked);
        const Parameters old{{"client_id", "wiki"}, {"client_secret", kSecret}};
        CPPUNIT_ASSERT(std::holds_alternative<OidcError>(asked.authenticate(std::nullopt, old)));
        const Parameters fresh{{"client_id", "wiki"}, {"client_secret", "another"}};
        CPPUNIT_ASSERT(std::holds_alternative<OidcClient>(asked.authenticate(std::nullopt, fresh)));
        CPPUNIT_ASSERT(std::holds_alternative<OidcError>(asked.authenticate("Basic d2lraTphbm90aGVy", fresh)));
        store_.clients.clear();
        clock_.advance(1s);
        CPPUNIT_ASSERT(!asked.findClient("wiki"));
    }

    void readsItsOwnTokensAsHints() {
        const std::string idToken = tokens(codeForm(code())).id;
        const auto hint = provider().readHint(idToken);
        CPPUNIT_ASSERT(hint && hint->client->id == "wiki");
        CPPUNIT_ASSERT(hint->userId == session_.user.id && hint->sessionId == session_.session.id);
        CPPUNIT_ASSERT(!provider().readHint(""));
        CPPUNIT_ASSERT(!provider().readHint(idToken.substr(0, idToken.size() - 4) + "AAAA"));
        store_.clients.clear();
        CPPUNIT_ASSERT(!provider().readHint(idToken)->client);
    }

    void writesATokenOfAnEnd() {
        LogoutNotice notice;
        notice.clientId = "wiki";
        notice.userId = session_.user.id;
        notice.sessionId = session_.session.id;
        notice.algorithm = crypto::SigningAlgorithm::Es256;
        const std::string token = provider().logoutToken(notice);
        // One is never taken for the other (RFC 8725, section 3.11).
        CPPUNIT_ASSERT(token != provider().logoutToken(notice));
        CPPUNIT_ASSERT(!provider().inspectAccessToken(token));
        CPPUNIT_ASSERT(!provider().readHint(token));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OidcProviderTest);

}  // namespace oidc_provider_test
}  // namespace otpgate::domain
