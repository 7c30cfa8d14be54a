#include "otpgate/domain/session_service.h"

#include "domain/refresh_token.h"
#include "otpgate/base/encoding.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_session_store.h"
#include "support_cpp/fake_signing_key_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace session_service_test {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

using test::FakeSessionStore;

class SessionServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SessionServiceTest);
    CPPUNIT_TEST(issuesTheFirstTokens);
    CPPUNIT_TEST(tellsHowItsUserSignedIn);
    CPPUNIT_TEST(issuesAnotherTokenIdEachTime);
    CPPUNIT_TEST(refreshesByTheCounterOfTheToken);
    CPPUNIT_TEST(issuesTheSuccessor);
    CPPUNIT_TEST(issuesTheSameSuccessorAgain);
    CPPUNIT_TEST(tellsReusedFromEnded);
    CPPUNIT_TEST(asksNobodyAboutAForgedRefreshToken);
    CPPUNIT_TEST(recognisesTheCaller);
    CPPUNIT_TEST(recognisesNobodyByAnExpiredToken);
    CPPUNIT_TEST(recognisesNobodyByAForeignToken);
    CPPUNIT_TEST(recognisesNobodyWhoseSessionIsOver);
    CPPUNIT_TEST(recognisesTheCallerByAFormerKey);
    CPPUNIT_TEST(recognisesTheCallerByAnOpaqueToken);
    CPPUNIT_TEST(recognisesNobodyByAnExpiredOpaqueToken);
    CPPUNIT_TEST(recognisesNobodyByAForgedOpaqueToken);
    CPPUNIT_TEST(recognisesNobodyByATokenOfAnotherUse);
    CPPUNIT_TEST(takesTokensOfTheFormatThatWasSetBefore);
    CPPUNIT_TEST(describesTokensThatAreGood);
    CPPUNIT_TEST(describesNoSessionFromBeforeTheFactor);
    CPPUNIT_TEST(describesNobodyWhoMustAddAFactorFirst);
    CPPUNIT_TEST(describesNoOtherText);
    CPPUNIT_TEST(takesTheNewestRefreshTokenAlone);
    CPPUNIT_TEST(recognisesTheBrowserByItsCookie);
    CPPUNIT_TEST(recognisesNoBrowserByAnotherCookie);
    CPPUNIT_TEST(letsASessionInUseLiveOn);
    CPPUNIT_TEST(letsAShortSessionInUseLiveOn);
    CPPUNIT_TEST(bindsTheCsrfTokenToItsSession);
    CPPUNIT_TEST(takesTheTokensOfEveryKeyOfTheRing);
    CPPUNIT_TEST(endsASession);
    CPPUNIT_TEST(endsAllSessions);
    CPPUNIT_TEST(listsSessions);
    CPPUNIT_TEST(noSessionOutlivesItsWholeTime);
    CPPUNIT_TEST(noTokenOutlivesItsSession);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override { keys_.reload(keyStore_, random_, now()); }

private:
    static crypto::KeyRing ring(const std::string& lines) { return crypto::KeyRing::parse(lines, "master.key"); }
    static TokenSettings settings(const std::string& issuer = "https://login.example.org",
                                  const std::string& audience = "shop") {
        return {TokenFormat::Jwt, issuer, audience, 900s, {168h, 720h}};
    }
    static TokenSettings opaque() {
        TokenSettings opaque = settings();
        opaque.format = TokenFormat::Opaque;
        return opaque;
    }
    SignIn signIn(const std::string& methods = "otp") const {
        User user;
        user.id = user_;
        return {false, user, session_, device_, methods};
    }
    std::string accessToken() { return service_.issueFirst(signIn()).access; }
    std::string accessTokenBy(const TokenSettings& settings) { return serviceOf(settings).issueFirst(signIn()).access; }
    // Every text that differs from the token in one bit, or in its length.
    static std::vector<std::string> forgeriesOf(const std::string& token) {
        std::vector<std::string> forgeries{
            "", token + "A", token.substr(1), token.substr(0, token.size() - 1), token + "=", token + token};
        const std::string good = parseBase64Url(token).value();
        for (std::size_t i = 0; i < good.size(); ++i) {
            std::string forged = good;
            forged[i] = static_cast<char>(forged[i] ^ 1);
            forgeries.push_back(toBase64Url(forged));
        }
        return forgeries;
    }
    Timestamp now() const { return clock_.now(); }
    SessionService serviceOf(const TokenSettings& settings) {
        return {store_, keys_, ring_, clock_, random_, settings};
    }
    crypto::AccessClaims claimsOf(const std::string& token) const {
        return crypto::verifyAccessToken(token, *keys_.current(now()), "https://login.example.org", "shop", now())
            .value();
    }
    std::string refreshTokenOf(std::int64_t counter) const { return RefreshToken{session_, counter}.toText(ring_); }
    void answer(SessionRefreshResult::Outcome outcome) {
        store_.refreshResult = {outcome, user_, now() - 1h, "pwd otp", now() + 720h};
    }

    void issuesTheFirstTokens() {
        const Tokens tokens = service_.issueFirst(signIn());
        CPPUNIT_ASSERT(tokens.sessionId == session_);
        CPPUNIT_ASSERT(tokens.expiresIn == 900s);
        const auto claims = claimsOf(tokens.access);
        CPPUNIT_ASSERT_EQUAL(user_.toString(), claims.subject);
        CPPUNIT_ASSERT_EQUAL(session_.toString(), claims.sessionId);
        CPPUNIT_ASSERT(claims.methods == std::vector{"otp"s});
        CPPUNIT_ASSERT(claims.issuedAt == now() - 1s);  // for verifiers whose clock is behind
        CPPUNIT_ASSERT(claims.expiresAt == now() + 900s);
        CPPUNIT_ASSERT(claims.authTime == claims.issuedAt);  // not later than the token
        const auto refresh = RefreshToken::parse(tokens.refresh, ring_).value();
        CPPUNIT_ASSERT(refresh.sessionId == session_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, refresh.counter);
        CPPUNIT_ASSERT(service_.sessionEnd() == now() + 168h);
        CPPUNIT_ASSERT(service_.cookieLifetime("otp") == 168h);
    }

    // The amr of RFC 8176, one word each, at the sign-in and ever after.
    void tellsHowItsUserSignedIn() {
        const auto both = std::vector{"pwd"s, "otp"s};
        CPPUNIT_ASSERT(claimsOf(service_.issueFirst(signIn("pwd otp")).access).methods == both);
        answer(SessionRefreshResult::Outcome::Rotated);
        CPPUNIT_ASSERT(claimsOf(service_.refresh(refreshTokenOf(0), client_).tokens.access).methods == both);
    }

    void issuesAnotherTokenIdEachTime() {
        CPPUNIT_ASSERT(claimsOf(accessToken()).tokenId != claimsOf(accessToken()).tokenId);
    }

    void refreshesByTheCounterOfTheToken() {
        answer(SessionRefreshResult::Outcome::Rotated);
        service_.refresh(refreshTokenOf(5), client_);
        const SessionRefresh& asked = store_.refreshes.at(0);
        CPPUNIT_ASSERT(asked.sessionId == session_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, asked.counter);
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.lifetimes.idle == 168h && asked.lifetimes.total == 720h);
        CPPUNIT_ASSERT(asked.graceSince == now() - 30s);
        CPPUNIT_ASSERT(asked.auditId != Uuid{});
        CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, asked.client.address);
    }

    void issuesTheSuccessor() {
        answer(SessionRefreshResult::Outcome::Rotated);
        const auto outcome = service_.refresh(refreshTokenOf(5), client_);
        CPPUNIT_ASSERT(outcome.kind == RefreshOutcome::Kind::Refreshed);
        CPPUNIT_ASSERT_EQUAL(refreshTokenOf(6), outcome.tokens.refresh);
        CPPUNIT_ASSERT(outcome.tokens.sessionId == session_);
        const auto claims = claimsOf(outcome.tokens.access);
        CPPUNIT_ASSERT_EQUAL(user_.toString(), claims.subject);
        CPPUNIT_ASSERT(claims.issuedAt == now() - 1s);
        CPPUNIT_ASSERT(claims.authTime == now() - 1h);  // a refresh is no sign-in
    }

    void issuesTheSameSuccessorAgain() {
        answer(SessionRefreshResult::Outcome::Rotated);
        const auto first = service_.refresh(refreshTokenOf(5), client_);
        answer(SessionRefreshResult::Outcome::Repeated);
        const auto second = service_.refresh(refreshTokenOf(5), client_);
        CPPUNIT_ASSERT(second.kind == RefreshOutcome::Kind::Refreshed);
        CPPUNIT_ASSERT_EQUAL(first.tokens.refresh, second.tokens.refresh);
    }

    void tellsReusedFromEnded() {
        answer(SessionRefreshResult::Outcome::Reused);
        const auto reused = service_.refresh(refreshTokenOf(5), client_);
        CPPUNIT_ASSERT(reused.kind == RefreshOutcome::Kind::Reused);
        CPPUNIT_ASSERT(reused.tokens.access.empty() && reused.tokens.refresh.empty());
        answer(SessionRefreshResult::Outcome::Ended);
        const auto ended = service_.refresh(refreshTokenOf(5), client_);
        CPPUNIT_ASSERT(ended.kind == RefreshOutcome::Kind::Invalid);
        CPPUNIT_ASSERT(ended.tokens.access.empty() && ended.tokens.refresh.empty());
    }

    void asksNobodyAboutAForgedRefreshToken() {
        answer(SessionRefreshResult::Outcome::Rotated);
        const auto otherRing = ring(kLineB);
        for (const std::string& token :
             {""s, "nonsense"s, refreshTokenOf(5) + "A", RefreshToken{session_, 5}.toText(otherRing), accessToken()}) {
            CPPUNIT_ASSERT(service_.refresh(token, client_).kind == RefreshOutcome::Kind::Invalid);
        }
        CPPUNIT_ASSERT(store_.refreshes.empty());
    }

    void recognisesTheCaller() {
        const std::string token = accessToken();
        store_.active->user.id = user_;
        clock_.advance(899s);
        const auto grant = service_.authenticate(token).value();
        CPPUNIT_ASSERT(grant.session.user.id == user_);
        CPPUNIT_ASSERT(grant.issuedAt == now() - 900s);
        CPPUNIT_ASSERT(grant.expiresAt == now() + 1s);
        CPPUNIT_ASSERT_EQUAL(claimsOf(token).tokenId, grant.id.value());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.found.size());
        CPPUNIT_ASSERT(store_.found[0].first == session_);
        CPPUNIT_ASSERT(store_.found[0].second == now());
    }

    void recognisesNobodyByAnExpiredToken() {
        const std::string token = accessToken();
        clock_.advance(900s);
        CPPUNIT_ASSERT(!service_.authenticate(token));
        CPPUNIT_ASSERT(store_.found.empty());
    }

    void recognisesNobodyByAForeignToken() {
        const std::string good = accessToken();
        test::FakeSigningKeyStore otherStore;
        SigningKeys otherKeys(ring_, 15min);
        otherKeys.reload(otherStore, random_, now());
        SessionService foreign(store_, otherKeys, ring_, clock_, random_, settings());
        for (const std::string& token :
             {""s, "."s, ".."s, "a.b.c"s, good.substr(0, good.size() - 4), good + ".x", refreshTokenOf(0),
              foreign.issueFirst(signIn()).access, accessTokenBy(settings("https://evil.example.org")),
              accessTokenBy(settings("https://login.example.org", "blog"))}) {
            CPPUNIT_ASSERT(!service_.authenticate(token));
        }
        CPPUNIT_ASSERT(store_.found.empty());
        CPPUNIT_ASSERT(service_.authenticate(good));
    }

    void recognisesNobodyWhoseSessionIsOver() {
        store_.active.reset();
        CPPUNIT_ASSERT(!service_.authenticate(accessToken()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.found.size());
    }

    void recognisesTheCallerByAFormerKey() {
        keys_.rotate(keyStore_, random_, now());
        keys_.reload(keyStore_, random_, now());
        clock_.advance(10min - 1us);
        const std::string last = accessToken();
        clock_.advance(1us);
        const std::string first = accessToken();
        CPPUNIT_ASSERT(crypto::keyIdOf(last) != crypto::keyIdOf(first));
        clock_.advance(899s - 1us);
        CPPUNIT_ASSERT(service_.authenticate(last));
        CPPUNIT_ASSERT(service_.authenticate(first));
    }

    void recognisesTheCallerByAnOpaqueToken() {
        const Tokens tokens = serviceOf(opaque()).issueFirst(signIn());
        CPPUNIT_ASSERT(tokens.expiresIn == 900s);
        CPPUNIT_ASSERT(tokens.access.find('.') == std::string::npos);
        CPPUNIT_ASSERT(parseBase64Url(tokens.access));
        store_.active->user.id = user_;
        store_.active->session.createdAt = now();
        clock_.advance(900s - 1us);
        const auto grant = service_.authenticate(tokens.access).value();
        CPPUNIT_ASSERT(grant.session.user.id == user_);
        CPPUNIT_ASSERT(grant.issuedAt == now() - 900s + 1us);
        CPPUNIT_ASSERT(grant.expiresAt == now() + 1us);
        CPPUNIT_ASSERT(!grant.id);
        CPPUNIT_ASSERT((store_.found == std::vector{std::pair{session_, now()}}));

        store_.active.reset();
        CPPUNIT_ASSERT(!service_.authenticate(tokens.access));
    }

    void recognisesNobodyByAnExpiredOpaqueToken() {
        const std::string token = accessTokenBy(opaque());
        clock_.advance(900s);
        CPPUNIT_ASSERT(!service_.authenticate(token));
        CPPUNIT_ASSERT(store_.found.empty());
    }

    void recognisesNobodyByAForgedOpaqueToken() {
        const std::string token = accessTokenBy(opaque());
        for (const std::string& forged : forgeriesOf(token)) CPPUNIT_ASSERT(!service_.authenticate(forged));
        const auto otherRing = ring(kLineB);
        SessionService foreign(store_, keys_, otherRing, clock_, random_, opaque());
        CPPUNIT_ASSERT(!service_.authenticate(foreign.issueFirst(signIn()).access));
        CPPUNIT_ASSERT(store_.found.empty());
        CPPUNIT_ASSERT(service_.authenticate(token));
    }

    // A cookie, a device's token, a refresh token: none of them is an access token, nor the other way round.
    void recognisesNobodyByATokenOfAnotherUse() {
        const std::string cookie = service_.cookieOf(session_);
        const std::string csrf = service_.csrfTokenOf(session_);
        const std::string device = service_.deviceTokenOf(session_);
        const std::string access = accessTokenBy(opaque());
        const std::string refresh = refreshTokenOf(0);  // as long as an opaque access token
        CPPUNIT_ASSERT_EQUAL(access.size(), refresh.size());
        for (const std::string& token : {cookie, csrf, device, refresh}) {
            CPPUNIT_ASSERT(!service_.authenticate(token));
        }
        for (const std::string& token : {csrf, device, access, refresh}) {
            CPPUNIT_ASSERT(!service_.authenticateCookie(token));
        }
        for (const std::string& token : {cookie, device, access, refresh}) {
            CPPUNIT_ASSERT(!service_.isCsrfToken(token, session_));
        }
        for (const std::string& token : {cookie, csrf, access, refresh}) {
            CPPUNIT_ASSERT(!service_.parseDeviceToken(token));
        }
        CPPUNIT_ASSERT(service_.refresh(access, client_).kind == RefreshOutcome::Kind::Invalid);
        CPPUNIT_ASSERT(store_.found.empty() && store_.refreshes.empty());
        CPPUNIT_ASSERT(service_.parseDeviceToken(device) == session_);
    }

    // A change of tokens.format ends nobody's work.
    void takesTokensOfTheFormatThatWasSetBefore() {
        const std::string jwt = accessToken();
        const std::string opaqueToken = accessTokenBy(opaque());
        SessionService later = serviceOf(opaque());
        for (SessionService* service : {&service_, &later}) {
            CPPUNIT_ASSERT(service->authenticate(jwt));
            CPPUNIT_ASSERT(service->authenticate(opaqueToken));
        }
    }

    void describesTokensThatAreGood() {
        store_.active->session.refreshCounter = 4;
        store_.active->session.lastSeenAt = now() - 1min;
        store_.active->session.expiresAt = now() + 167h;
        const std::string jwt = accessToken();
        for (const std::string& token : {jwt, accessTokenBy(opaque())}) {
            const auto access = service_.introspect(token).value();
            CPPUNIT_ASSERT(access.kind == TokenDescription::Kind::Access);
            CPPUNIT_ASSERT(access.grant.issuedAt == (token == jwt ? now() - 1s : now()));
            CPPUNIT_ASSERT(access.grant.expiresAt == now() + 900s);
            CPPUNIT_ASSERT_EQUAL("https://login.example.org"s, access.issuer);
            CPPUNIT_ASSERT_EQUAL("shop"s, access.audience);
        }
        const auto refresh = service_.introspect(refreshTokenOf(4)).value();
        CPPUNIT_ASSERT(refresh.kind == TokenDescription::Kind::Refresh);
        CPPUNIT_ASSERT(refresh.grant.issuedAt == now() - 1min);
        CPPUNIT_ASSERT(refresh.grant.expiresAt == now() + 167h);
        CPPUNIT_ASSERT(!refresh.grant.id);
        CPPUNIT_ASSERT_EQUAL("https://login.example.org"s, refresh.issuer);
    }

    // Whoever asks would let in who has the mailbox.
    void describesNoSessionFromBeforeTheFactor() {
        store_.active->user.hasFactor = true;
        const std::vector<std::string> tokens{accessToken(), accessTokenBy(opaque()), refreshTokenOf(0)};
        for (const char* methods : {"otp", "pwd otp", "hwk user"}) {
            store_.active->session.methods = methods;
            for (const std::string& token : tokens) CPPUNIT_ASSERT(!service_.introspect(token));
        }
        store_.active->session.methods = "hwk user mfa";
        for (const std::string& token : tokens) CPPUNIT_ASSERT(service_.introspect(token));
    }

    void describesNobodyWhoMustAddAFactorFirst() {
        TokenSettings strict = settings();
        const std::vector<std::string> tokens{accessToken(), accessTokenBy(opaque()), refreshTokenOf(0)};
        for (const std::string& token : tokens) CPPUNIT_ASSERT(serviceOf(strict).introspect(token));
        strict.signIn.factors = {.whom = FactorRule::Whom::Everybody, .grace = 0s};
        for (const std::string& token : tokens) CPPUNIT_ASSERT(!serviceOf(strict).introspect(token));
    }

    void describesNoOtherText() {
        for (const std::string& token : {""s, "."s, "nonsense"s, service_.cookieOf(session_),
                                         service_.csrfTokenOf(session_), service_.deviceTokenOf(device_)}) {
            CPPUNIT_ASSERT(!service_.introspect(token));
        }
        store_.active.reset();
        for (const std::string& token : {accessToken(), accessTokenBy(opaque()), refreshTokenOf(0)}) {
            CPPUNIT_ASSERT(!service_.introspect(token));
        }
    }

    void takesTheNewestRefreshTokenAlone() {
        store_.active->session.refreshCounter = 4;
        CPPUNIT_ASSERT(service_.inspectRefreshToken(refreshTokenOf(4)));
        // Its predecessor may still be exchanged within the grace time, but is not what the client should hold.
        for (const std::int64_t counter : {3, 5, 0, -4}) {
            CPPUNIT_ASSERT(!service_.inspectRefreshToken(refreshTokenOf(counter)));
        }
        const auto otherRing = ring(kLineB);
        CPPUNIT_ASSERT(!service_.inspectRefreshToken(RefreshToken{session_, 4}.toText(otherRing)));
        store_.active.reset();
        CPPUNIT_ASSERT(!service_.inspectRefreshToken(refreshTokenOf(4)));
        CPPUNIT_ASSERT(store_.refreshes.empty());
    }

    void recognisesTheBrowserByItsCookie() {
        store_.active->session.lastSeenAt = now();
        store_.active->user.id = user_;
        const std::string cookie = service_.cookieOf(session_);
        CPPUNIT_ASSERT(parseBase64Url(cookie));
        CPPUNIT_ASSERT(service_.authenticateCookie(cookie)->user.id == user_);
        CPPUNIT_ASSERT((store_.found == std::vector{std::pair{session_, now()}}));
        store_.active.reset();
        CPPUNIT_ASSERT(!service_.authenticateCookie(cookie));
        CPPUNIT_ASSERT(store_.touches.empty());
    }

    void recognisesNoBrowserByAnotherCookie() {
        const auto otherRing = ring(kLineB);
        SessionService foreign(store_, keys_, otherRing, clock_, random_, settings());
        auto cookies = forgeriesOf(service_.cookieOf(session_));
        cookies.push_back(foreign.cookieOf(session_));
        for (const std::string& cookie : cookies) CPPUNIT_ASSERT(!service_.authenticateCookie(cookie));
        CPPUNIT_ASSERT(store_.found.empty());
    }

    // A browser has no refresh token: its use of the cookie moves the end, but writes no row at each request.
    void letsASessionInUseLiveOn() {
        store_.active->session.id = session_;
        store_.active->session.lastSeenAt = now();
        const std::string cookie = service_.cookieOf(session_);
        clock_.advance(5min);
        CPPUNIT_ASSERT(service_.authenticateCookie(cookie));
        CPPUNIT_ASSERT(store_.touches.empty());
        clock_.advance(1us);
        CPPUNIT_ASSERT(service_.authenticateCookie(cookie));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.touches.size());
        CPPUNIT_ASSERT(store_.touches[0].sessionId == session_);
        CPPUNIT_ASSERT(store_.touches[0].now == now());
        CPPUNIT_ASSERT(store_.touches[0].expiresAt == now() + 168h);
    }

    // Used every minute by its cookie, whatever the store still has.
    void noSessionOutlivesItsWholeTime() {
        domain::Session& session = store_.active->session;
        session.id = session_;
        session.createdAt = session.lastSeenAt = session.authenticatedAt = now();
        store_.sessions[0].createdAt = now();
        store_.sessions[1].createdAt = now() + 1h;
        const Timestamp end = now() + 720h;
        session.expiresAt = store_.sessions[0].expiresAt = store_.sessions[1].expiresAt = end + 168h;
        const std::string cookie = service_.cookieOf(session_);
        for (clock_.advance(1min); now() < end; clock_.advance(1min)) {
            const auto found = service_.authenticateCookie(cookie);
            // However late its row says.
            CPPUNIT_ASSERT(found && found->session.expiresAt == std::min<Timestamp>(session.lastSeenAt + 168h, end));
            CPPUNIT_ASSERT(service_.cookieLifetime(found->session) == std::min<Timestamp>(now() + 168h, end) - now());
            if (store_.touches.empty() || store_.touches.back().now != now()) continue;
            session.lastSeenAt = now();
            CPPUNIT_ASSERT(store_.touches.back().expiresAt == std::min<Timestamp>(now() + 168h, end));
        }
        CPPUNIT_ASSERT(!service_.authenticateCookie(cookie));
        CPPUNIT_ASSERT(!service_.inspectRefreshToken(refreshTokenOf(0)));
        const auto listed = service_.list(user_);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, listed.size());
        CPPUNIT_ASSERT(listed[0].expiresAt == end + 1h);
    }

    // Those who check tokens by themselves ask nobody whether the session is over.
    void noTokenOutlivesItsSession() {
        store_.refreshResult = {SessionRefreshResult::Outcome::Rotated, user_, now() - 1h, "otp", now() + 100s};
        const Tokens last = service_.refresh(refreshTokenOf(7), {}).tokens;
        CPPUNIT_ASSERT(last.expiresIn == 100s);
        CPPUNIT_ASSERT(claimsOf(last.access).expiresAt == now() + 100s);
        auto brief = settings();
        brief.sessions.total = 60s;
        CPPUNIT_ASSERT(serviceOf(brief).issueFirst(signIn()).expiresIn == 60s);
        CPPUNIT_ASSERT(serviceOf(brief).sessionEnd() == now() + 60s);
        CPPUNIT_ASSERT(serviceOf(brief).cookieLifetime("otp") == 60s);
    }

    // The fault: one that lives for less than five minutes ended in the midst of its use.
    void letsAShortSessionInUseLiveOn() {
        auto brief = settings();
        brief.sessions.idle = 2min;
        SessionService service{store_, keys_, ring_, clock_, random_, brief};
        store_.active->session.id = session_;
        store_.active->session.lastSeenAt = now();
        clock_.advance(31s);
        CPPUNIT_ASSERT(service.authenticateCookie(service.cookieOf(session_)));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.touches.size());
        CPPUNIT_ASSERT(store_.touches[0].expiresAt == now() + 2min);
    }

    void bindsTheCsrfTokenToItsSession() {
        const std::string token = service_.csrfTokenOf(session_);
        CPPUNIT_ASSERT(service_.isCsrfToken(token, session_));
        CPPUNIT_ASSERT(!service_.isCsrfToken(token, device_));
        CPPUNIT_ASSERT(!service_.isCsrfToken(service_.csrfTokenOf(device_), session_));
        for (const std::string& forged : forgeriesOf(token)) CPPUNIT_ASSERT(!service_.isCsrfToken(forged, session_));
        const auto otherRing = ring(kLineB);
        SessionService foreign(store_, keys_, otherRing, clock_, random_, settings());
        CPPUNIT_ASSERT(!service_.isCsrfToken(foreign.csrfTokenOf(session_), session_));
    }

    // A new master key signs nobody out.
    void takesTheTokensOfEveryKeyOfTheRing() {
        const auto both = ring(kLineB + kLineA);
        SessionService later(store_, keys_, both, clock_, random_, opaque());
        CPPUNIT_ASSERT(later.authenticate(accessTokenBy(opaque())));
        CPPUNIT_ASSERT(later.authenticateCookie(service_.cookieOf(session_)));
        CPPUNIT_ASSERT(later.isCsrfToken(service_.csrfTokenOf(session_), session_));
        CPPUNIT_ASSERT(later.parseDeviceToken(service_.deviceTokenOf(device_)) == device_);
        CPPUNIT_ASSERT(!service_.authenticate(later.issueFirst(signIn()).access));
        CPPUNIT_ASSERT(!service_.authenticateCookie(later.cookieOf(session_)));
    }

    void endsASession() {
        CPPUNIT_ASSERT(service_.end(session_, user_, "logout", DeviceFate::Keep, client_));
        const RevokeSession& asked = store_.revocations.at(0);
        CPPUNIT_ASSERT(asked.deviceFate == DeviceFate::Keep);
        CPPUNIT_ASSERT(asked.sessionId == session_ && asked.userId == user_);
        CPPUNIT_ASSERT(asked.reason == "logout");
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.auditId != Uuid{});
        CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, asked.client.address);
        store_.revokeResult = false;
        CPPUNIT_ASSERT(!service_.end(session_, user_, "ended_by_user", DeviceFate::Forget, client_));
        CPPUNIT_ASSERT(store_.revocations.at(1).deviceFate == DeviceFate::Forget);
        CPPUNIT_ASSERT(store_.revocations.at(1).auditId != store_.revocations.at(0).auditId);
    }

    void endsAllSessions() {
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, service_.endAll(user_, session_, "password_changed", client_));
        const RevokeAllSessions& asked = store_.allRevocations.at(0);
        CPPUNIT_ASSERT(asked.userId == user_ && asked.keptSession == session_);
        CPPUNIT_ASSERT(asked.reason == "password_changed");
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.auditId != Uuid{});
        CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, asked.client.address);
        service_.endAll(user_, std::nullopt, "logout_all", client_);
        CPPUNIT_ASSERT(!store_.allRevocations.at(1).keptSession);
    }

    void listsSessions() {
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, service_.list(user_).size());
        CPPUNIT_ASSERT(store_.found.at(0) == std::pair(user_, now()));
    }

    const crypto::KeyRing ring_ = ring(kLineA);
    const Client client_{"192.0.2.7", "192.0.2.7", "Browser/1.0", "request-1"};
    test::FakeClock clock_;
    test::CountingRandom random_;
    test::FakeSigningKeyStore keyStore_;
    FakeSessionStore store_;
    SigningKeys keys_{ring_, 15min};
    SessionService service_{store_, keys_, ring_, clock_, random_, settings()};
    const Uuid session_ = Uuid::makeV7(clock_.now(), random_);
    const Uuid user_ = Uuid::makeV7(clock_.now(), random_);
    const Uuid device_ = Uuid::makeV7(clock_.now(), random_);
};

CPPUNIT_TEST_SUITE_REGISTRATION(SessionServiceTest);

}  // namespace session_service_test
}  // namespace otpgate::domain
