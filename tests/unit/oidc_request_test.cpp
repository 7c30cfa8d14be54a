#include "otpgate/domain/oidc_request.h"

#include "otpgate/base/encoding.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace oidc_request_test {

using namespace std::string_literals;
using namespace std::chrono_literals;

const std::string kBack = "https://wiki.example.com/cb";
// RFC 7636, appendix B.
const std::string kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

class OidcRequestTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OidcRequestTest);
    CPPUNIT_TEST(understandsARequest);
    CPPUNIT_TEST(neverRedirectsWhereTheApplicationIsNotKnown);
    CPPUNIT_TEST(tellsTheApplicationWhatIsWrong);
    CPPUNIT_TEST(passesOverWhatItDoesNotKnow);
    CPPUNIT_TEST(needsPkceUnlessTheOperatorSaysOtherwise);
    CPPUNIT_TEST(knowsTheVerifier);
    CPPUNIT_TEST(asksForTheSignInThatIsWanted);
    CPPUNIT_TEST(asksForASignInOnce);
    CPPUNIT_TEST(namesTheLevelThatWasAskedFor);
    CPPUNIT_TEST(readsWhoCalls);
    CPPUNIT_TEST(believesAClientByItsSecret);
    CPPUNIT_TEST_SUITE_END();

    OidcClient client_;
    const Timestamp now_ = fromMicroseconds(1'800'000'000'000'000);

public:
    void setUp() override {
        client_.id = "wiki";
        client_.redirectUris = {kBack};
        client_.secretHash = secretHashOf("secret");
    }

private:
    static Parameters good(const Parameters& more = {}) {
        Parameters all{{"client_id", "wiki"},
                       {"redirect_uri", kBack},
                       {"response_type", "code"},
                       {"scope", "openid email"},
                       {"state", "a b"},
                       {"code_challenge", kChallenge},
                       {"code_challenge_method", "S256"}};
        for (const auto& wish : more) {
            std::erase_if(all, [&](const auto& each) { return each.first == wish.first; });
            all.push_back(wish);
        }
        return all;
    }
    AuthorizeRequest understood(const Parameters& parameters) {
        const auto ruling = ruleOnAuthorize(parameters, &client_);
        if (const auto* error = std::get_if<AuthorizeError>(&ruling)) CPPUNIT_FAIL(error->description);
        return std::get<AuthorizeRequest>(ruling);
    }
    std::string errorOf(const Parameters& parameters) {
        const auto ruling = ruleOnAuthorize(parameters, &client_);
        const auto* error = std::get_if<AuthorizeError>(&ruling);
        if (error == nullptr) return "none";
        CPPUNIT_ASSERT_EQUAL(kBack, error->redirectUri);
        return error->error;
    }
    AuthorizeRefusal refusalOf(const Parameters& parameters, const OidcClient* client) {
        return std::get<AuthorizeRefusal>(ruleOnAuthorize(parameters, client));
    }

    void understandsARequest() {
        const auto request = understood(good({{"nonce", "n"},
                                              {"prompt", "login consent"},
                                              {"max_age", "60"},
                                              {"acr_values", "a  b"},
                                              {"response_mode", "form_post"},
                                              {"ui_locales", "de"},
                                              {"login_hint", "ann"}}));
        CPPUNIT_ASSERT_EQUAL("openid email"s, toText(request.scopes));
        CPPUNIT_ASSERT_EQUAL("a b"s, request.state);
        CPPUNIT_ASSERT_EQUAL("n"s, request.nonce);
        CPPUNIT_ASSERT(request.wantsSignIn && request.wantsConsent && !request.isSilent);
        CPPUNIT_ASSERT(request.maxAge == 60s && request.acrs == (std::vector{"a"s, "b"s}));
        CPPUNIT_ASSERT(request.mode == ResponseMode::FormPost);
        CPPUNIT_ASSERT_EQUAL("de"s, request.locales);
        CPPUNIT_ASSERT_EQUAL("ann"s, request.loginHint);
    }

    void neverRedirectsWhereTheApplicationIsNotKnown() {
        CPPUNIT_ASSERT(refusalOf(good(), nullptr) == AuthorizeRefusal::UnknownClient);
        CPPUNIT_ASSERT(refusalOf(good({{"redirect_uri", kBack + "/"}}), &client_) == AuthorizeRefusal::UnknownRedirect);
        CPPUNIT_ASSERT(refusalOf(good({{"redirect_uri", ""}}), &client_) == AuthorizeRefusal::UnknownRedirect);
        for (const char* name : {"client_id", "redirect_uri"}) {
            Parameters twice = good();
            twice.emplace_back(name, "x");
            CPPUNIT_ASSERT(refusalOf(twice, &client_) == AuthorizeRefusal::Malformed);
        }
        client_.isDisabled = true;
        CPPUNIT_ASSERT(refusalOf(good(), &client_) == AuthorizeRefusal::DisabledClient);
    }

    void tellsTheApplicationWhatIsWrong() {
        const std::vector<std::pair<Parameters, std::string>> cases{
            {{{"response_type", ""}}, "invalid_request"},
            {{{"response_type", "token"}}, "unsupported_response_type"},
            {{{"response_type", "code id_token"}}, "unsupported_response_type"},
            {{{"response_mode", "fragment"}}, "invalid_request"},
            {{{"scope", "email"}}, "invalid_scope"},
            {{{"scope", ""}}, "invalid_scope"},
            {{{"request", "x"}}, "request_not_supported"},
            {{{"request_uri", "https://x"}}, "request_uri_not_supported"},
            {{{"registration", "{}"}}, "registration_not_supported"},
            {{{"nonce", std::string(501, 'n')}}, "invalid_request"},
            {{{"prompt", "none login"}}, "invalid_request"},
            {{{"max_age", "-1"}}, "invalid_request"},
            {{{"max_age", "x"}}, "invalid_request"},
            {{{"code_challenge_method", "plain"}}, "invalid_request"},
            {{{"code_challenge_method", ""}}, "invalid_request"},
            {{{"code_challenge", "short"}}, "invalid_request"},
            {{{"code_challenge", kChallenge + "A"}}, "invalid_request"},
        };
        for (const auto& [parameters, error] : cases)
            CPPUNIT_ASSERT_EQUAL_MESSAGE(parameters.front().first, error, errorOf(good(parameters)));
        for (const char* name : {"state", "scope", "nonce", "code_challenge", "prompt"}) {
            Parameters twice = good();
            twice.emplace_back(name, "x");
            twice.emplace_back(name, "y");
            CPPUNIT_ASSERT_EQUAL_MESSAGE(name, "invalid_request"s, errorOf(twice));
        }
    }

    void passesOverWhatItDoesNotKnow() {
        understood(good({{"scope", "openid nothing address"},
                         {"claims", "{}"},
                         {"display", "popup"},
                         {"x", "y"},
                         {"prompt", "create"},
                         {"acr_values", "1 2"}}));
    }

    void needsPkceUnlessTheOperatorSaysOtherwise() {
        const Parameters without = good({{"code_challenge", ""}, {"code_challenge_method", ""}});
        CPPUNIT_ASSERT_EQUAL("invalid_request"s, errorOf(without));
        client_.needsPkce = false;
        CPPUNIT_ASSERT_EQUAL(""s, understood(without).challenge);
        CPPUNIT_ASSERT_EQUAL(kChallenge, understood(good()).challenge);
        CPPUNIT_ASSERT_EQUAL("invalid_request"s, errorOf(good({{"code_challenge", ""}})));
    }

    void knowsTheVerifier() {
        CPPUNIT_ASSERT(isVerifierOf(kVerifier, kChallenge));
        for (const std::string& other : {""s, kChallenge, kVerifier.substr(1), kVerifier + "=", std::string(129, 'a')})
            CPPUNIT_ASSERT_MESSAGE(other, !isVerifierOf(other, kChallenge));
    }

    void asksForTheSignInThatIsWanted() {
        const BrowserSession byCode{"otp", false, now_ - 100s};
        const auto need = [&](const Parameters& more, const BrowserSession* session) {
            return needOf(understood(good(more)), session, now_);
        };
        CPPUNIT_ASSERT(need({}, nullptr) == SignInNeed::SignIn);
        CPPUNIT_ASSERT(need({}, &byCode) == SignInNeed::None);
        CPPUNIT_ASSERT(need({{"prompt", "login"}}, &byCode) == SignInNeed::Anew);
        CPPUNIT_ASSERT(need({{"prompt", "select_account"}}, &byCode) == SignInNeed::Anew);
        CPPUNIT_ASSERT(need({{"max_age", "100"}}, &byCode) == SignInNeed::None);
        CPPUNIT_ASSERT(need({{"max_age", "99"}}, &byCode) == SignInNeed::Anew);
        CPPUNIT_ASSERT(need({{"acr_values", "urn:otpgate:aal2"}}, &byCode) == SignInNeed::Unmet);
        CPPUNIT_ASSERT(need({{"acr_values", "urn:otpgate:aal2 urn:otpgate:aal1"}}, &byCode) == SignInNeed::None);
        CPPUNIT_ASSERT(need({{"acr_values", "1 2"}}, &byCode) == SignInNeed::None);
        // Who has a factor has shown nothing without it.
        const BrowserSession halfIn{"otp", true, now_};
        CPPUNIT_ASSERT(need({}, &halfIn) == SignInNeed::TwoFactors);
        // Nor is one open that must have a factor first.
        const BrowserSession owing{"otp", false, now_, true};
        CPPUNIT_ASSERT(need({}, &owing) == SignInNeed::TwoFactors);
        const BrowserSession byPasskey{"hwk user mfa", true, now_};
        CPPUNIT_ASSERT(need({{"acr_values", "urn:otpgate:aal2"}}, &byPasskey) == SignInNeed::None);
        CPPUNIT_ASSERT(need({{"acr_values", "phrh"}}, &byPasskey) == SignInNeed::None);
        const BrowserSession bySoftware{"swk user mfa", true, now_};
        CPPUNIT_ASSERT(need({{"acr_values", "phr"}}, &bySoftware) == SignInNeed::None);
        CPPUNIT_ASSERT(need({{"acr_values", "phrh"}}, &bySoftware) == SignInNeed::Unmet);
        // A code and an app are not two factors, and are all that some accounts have: asked for once, not for ever.
        const BrowserSession byApp{"otp totp", true, now_};
        const std::pair<std::string, std::string> aal2{"acr_values", "urn:otpgate:aal2"};
        CPPUNIT_ASSERT(need({aal2}, &byApp) == SignInNeed::TwoFactors);
        const std::string since = std::to_string(toMicroseconds(now_));
        CPPUNIT_ASSERT(need({aal2, {std::string{kSignedInSince}, since}}, &byApp) == SignInNeed::Unmet);
    }

    void asksForASignInOnce() {
        for (const Parameters& wish : {Parameters{{"prompt", "login"}}, Parameters{{"max_age", "0"}}}) {
            const auto back = understood(afterSignIn(good(wish), now_));
            const BrowserSession before{"otp", false, now_ - 1us};
            const BrowserSession after{"otp", false, now_ + 1us};
            CPPUNIT_ASSERT(needOf(back, &after, now_ + 60s) == SignInNeed::None);
            if (wish.front().first == "max_age") CPPUNIT_ASSERT(needOf(back, &before, now_ + 60s) == SignInNeed::Anew);
        }
        // What the sign-in does not answer stays.
        CPPUNIT_ASSERT(understood(afterSignIn(good({{"prompt", "login consent"}}), now_)).wantsConsent);
        CPPUNIT_ASSERT_EQUAL("a b"s, understood(afterSignIn(good(), now_)).state);
        const auto again = afterSignIn(afterSignIn(good(), now_), now_ + 1s);
        CPPUNIT_ASSERT(understood(again).signedInSince == now_ + 1s);
    }

    void namesTheLevelThatWasAskedFor() {
        CPPUNIT_ASSERT_EQUAL("urn:otpgate:aal1"s, acrOf({}, "otp"));
        CPPUNIT_ASSERT_EQUAL("urn:otpgate:aal2"s, acrOf({"1"}, "hwk user mfa"));
        CPPUNIT_ASSERT_EQUAL("phr"s, acrOf({"1", "phr"}, "hwk user mfa"));
        CPPUNIT_ASSERT_EQUAL("urn:otpgate:aal1"s, acrOf({"phr"}, "pwd otp"));
    }

    static std::string basic(const std::string& pair) {
        std::string text = toBase64Url(pair);
        for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
        while (text.size() % 4 != 0) text += '=';
        return "Basic " + text;
    }
    static std::string shown(std::optional<std::string_view> header, const Parameters& form) {
        const auto client = readClient(header, form);
        if (const auto* proof = std::get_if<ClientProof>(&client))
            return *proof == ClientProof::Missing ? "missing" : "ambiguous";
        const auto& one = std::get<ShownClient>(client);
        return one.id + "/" + one.secret.value_or("none");
    }

    void readsWhoCalls() {
        CPPUNIT_ASSERT_EQUAL("wiki/s"s, shown(basic("wiki:s"), {}));
        CPPUNIT_ASSERT_EQUAL("wiki/a:b%c d+"s, shown(basic("wiki:a:b%25c+d%2b"), {}));
        CPPUNIT_ASSERT_EQUAL("wiki/s"s, shown(basic("wiki:s"), {{"client_id", "wiki"}}));
        CPPUNIT_ASSERT_EQUAL("wiki/s"s, shown({}, {{"client_id", "wiki"}, {"client_secret", "s"}}));
        CPPUNIT_ASSERT_EQUAL("wiki/none"s, shown({}, {{"client_id", "wiki"}}));
        CPPUNIT_ASSERT_EQUAL("missing"s, shown({}, {}));
        CPPUNIT_ASSERT_EQUAL("missing"s, shown("Bearer x", {{"client_id", "wiki"}}));
        for (const char* header : {"Basic", "Basic !", "Basic d2lraQ=="})
            CPPUNIT_ASSERT_EQUAL("missing"s, shown(header, {}));
        CPPUNIT_ASSERT_EQUAL("missing"s, shown(basic("wiki:%zz"), {}));
        CPPUNIT_ASSERT_EQUAL("ambiguous"s, shown(basic("wiki:s"), {{"client_secret", "s"}}));
        CPPUNIT_ASSERT_EQUAL("ambiguous"s, shown(basic("wiki:s"), {{"client_id", "shop"}}));
        CPPUNIT_ASSERT_EQUAL("ambiguous"s, shown({}, {{"client_id", "wiki"}, {"client_id", "shop"}}));
    }

    void believesAClientByItsSecret() {
        CPPUNIT_ASSERT(isProved(client_, {"wiki", "secret"}));
        CPPUNIT_ASSERT(!isProved(client_, {"wiki", "Secret"}) && !isProved(client_, {"wiki", {}}));
        client_.isDisabled = true;
        CPPUNIT_ASSERT(!isProved(client_, {"wiki", "secret"}));
        OidcClient open;
        CPPUNIT_ASSERT(isProved(open, {"app", {}}) && !isProved(open, {"app", "secret"}));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OidcRequestTest);

}  // namespace oidc_request_test
}  // namespace otpgate::domain
