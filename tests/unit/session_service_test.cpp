#include "otpgate/domain/session_service.h"

#include "domain/refresh_token.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_signing_key_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

// Answers what the test set, and keeps what it was asked.
class FakeSessionStore final : public SessionStore {
public:
    SessionRefreshResult refresh(const SessionRefresh& refresh) override {
        refreshes.push_back(refresh);
        return refreshResult;
    }
    std::optional<AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) override {
        found.emplace_back(sessionId, now);
        return active;
    }
    std::vector<Session> listActive(const Uuid& userId, Timestamp now) override {
        found.emplace_back(userId, now);
        return {Session{}, Session{}};
    }
    bool revoke(const RevokeSession& revocation) override {
        revocations.push_back(revocation);
        return revokeResult;
    }

    SessionRefreshResult refreshResult;
    std::vector<SessionRefresh> refreshes;
    std::optional<AuthenticatedSession> active = AuthenticatedSession{};
    std::vector<std::pair<Uuid, Timestamp>> found;
    bool revokeResult = true;
    std::vector<RevokeSession> revocations;
};

class SessionServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SessionServiceTest);
    CPPUNIT_TEST(issuesTheFirstTokens);
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
    CPPUNIT_TEST(endsASession);
    CPPUNIT_TEST(listsSessions);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override { keys_.reload(keyStore_, random_, now()); }

private:
    static crypto::KeyRing ring(const std::string& lines) { return crypto::KeyRing::parse(lines, "master.key"); }
    static TokenSettings settings(const std::string& issuer = "https://login.example.org",
                                  const std::string& audience = "shop") {
        return {issuer, audience, 900s, 168h};
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
    void answer(SessionRefreshResult::Outcome outcome) { store_.refreshResult = {outcome, user_, now() - 1h}; }

    void issuesTheFirstTokens() {
        const Tokens tokens = service_.issueFirst(session_, user_, now());
        CPPUNIT_ASSERT(tokens.sessionId == session_);
        CPPUNIT_ASSERT(tokens.expiresIn == 900s);
        const auto claims = claimsOf(tokens.access);
        CPPUNIT_ASSERT_EQUAL(user_.toString(), claims.subject);
        CPPUNIT_ASSERT_EQUAL(session_.toString(), claims.sessionId);
        CPPUNIT_ASSERT(claims.methods == std::vector{"otp"s});
        CPPUNIT_ASSERT(claims.issuedAt == now());
        CPPUNIT_ASSERT(claims.expiresAt == now() + 900s);
        CPPUNIT_ASSERT(claims.authTime == now());
        const auto refresh = RefreshToken::parse(tokens.refresh, ring_).value();
        CPPUNIT_ASSERT(refresh.sessionId == session_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, refresh.counter);
        CPPUNIT_ASSERT(service_.sessionEnd(now()) == now() + 168h);
    }

    void issuesAnotherTokenIdEachTime() {
        CPPUNIT_ASSERT(claimsOf(service_.issueFirst(session_, user_, now()).access).tokenId !=
                       claimsOf(service_.issueFirst(session_, user_, now()).access).tokenId);
    }

    void refreshesByTheCounterOfTheToken() {
        answer(SessionRefreshResult::Outcome::Rotated);
        service_.refresh(refreshTokenOf(5), client_);
        const SessionRefresh& asked = store_.refreshes.at(0);
        CPPUNIT_ASSERT(asked.sessionId == session_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, asked.counter);
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.expiresAt == now() + 168h);
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
        CPPUNIT_ASSERT(claims.issuedAt == now());
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
             {""s, "nonsense"s, refreshTokenOf(5) + "A", RefreshToken{session_, 5}.toText(otherRing),
              service_.issueFirst(session_, user_, now()).access}) {
            CPPUNIT_ASSERT(service_.refresh(token, client_).kind == RefreshOutcome::Kind::Invalid);
        }
        CPPUNIT_ASSERT(store_.refreshes.empty());
    }

    void recognisesTheCaller() {
        const std::string token = service_.issueFirst(session_, user_, now()).access;
        clock_.advance(899s);
        CPPUNIT_ASSERT(service_.authenticate(token));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.found.size());
        CPPUNIT_ASSERT(store_.found[0].first == session_);
        CPPUNIT_ASSERT(store_.found[0].second == now());
    }

    void recognisesNobodyByAnExpiredToken() {
        const std::string token = service_.issueFirst(session_, user_, now()).access;
        clock_.advance(900s);
        CPPUNIT_ASSERT(!service_.authenticate(token));
        CPPUNIT_ASSERT(store_.found.empty());
    }

    void recognisesNobodyByAForeignToken() {
        const std::string good = service_.issueFirst(session_, user_, now()).access;
        test::FakeSigningKeyStore otherStore;
        SigningKeys otherKeys(ring_, 15min);
        otherKeys.reload(otherStore, random_, now());
        SessionService foreign(store_, otherKeys, ring_, clock_, random_, settings());
        for (const std::string& token :
             {""s, "."s, ".."s, "a.b.c"s, good.substr(0, good.size() - 4), good + ".x", refreshTokenOf(0),
              foreign.issueFirst(session_, user_, now()).access,
              serviceOf(settings("https://evil.example.org")).issueFirst(session_, user_, now()).access,
              serviceOf(settings("https://login.example.org", "blog")).issueFirst(session_, user_, now()).access}) {
            CPPUNIT_ASSERT(!service_.authenticate(token));
        }
        CPPUNIT_ASSERT(store_.found.empty());
        CPPUNIT_ASSERT(service_.authenticate(good));
    }

    void recognisesNobodyWhoseSessionIsOver() {
        store_.active.reset();
        CPPUNIT_ASSERT(!service_.authenticate(service_.issueFirst(session_, user_, now()).access));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.found.size());
    }

    void recognisesTheCallerByAFormerKey() {
        keys_.rotate(keyStore_, random_, now());
        keys_.reload(keyStore_, random_, now());
        clock_.advance(10min - 1us);
        const std::string last = service_.issueFirst(session_, user_, now()).access;
        clock_.advance(1us);
        const std::string first = service_.issueFirst(session_, user_, now()).access;
        CPPUNIT_ASSERT(crypto::keyIdOf(last) != crypto::keyIdOf(first));
        clock_.advance(899s - 1us);
        CPPUNIT_ASSERT(service_.authenticate(last));
        CPPUNIT_ASSERT(service_.authenticate(first));
    }

    void endsASession() {
        CPPUNIT_ASSERT(service_.end(session_, user_, "logout", client_));
        const RevokeSession& asked = store_.revocations.at(0);
        CPPUNIT_ASSERT(asked.sessionId == session_ && asked.userId == user_);
        CPPUNIT_ASSERT(asked.reason == "logout");
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.auditId != Uuid{});
        CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, asked.client.address);
        store_.revokeResult = false;
        CPPUNIT_ASSERT(!service_.end(session_, user_, "logout", client_));
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
};

CPPUNIT_TEST_SUITE_REGISTRATION(SessionServiceTest);

}  // namespace
}  // namespace otpgate::domain
