#include "otpgate/domain/otp_service.h"

#include "domain/refresh_token.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_signing_key_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

namespace otpgate::domain {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using RequestOutcome = OtpRequestResult::Outcome;
using VerifyOutcome = OtpVerifyResult::Outcome;

// Answers what the test set, and keeps what it was asked.
class FakeOtpStore final : public OtpStore {
public:
    OtpRequestResult request(const NewOtpRequest& request) override {
        requests.push_back(request);
        return requestResult;
    }
    OtpVerifyResult verify(const OtpVerification& verification) override {
        verifications.push_back(verification);
        return verifyResult;
    }
    std::optional<Uuid> findNewest(const Destination& destination, Purpose, Timestamp since) override {
        searches.emplace_back(destination, since);
        return newest;
    }

    OtpRequestResult requestResult;
    std::vector<NewOtpRequest> requests;
    OtpVerifyResult verifyResult;
    std::vector<OtpVerification> verifications;
    std::optional<Uuid> newest;
    std::vector<std::pair<Destination, Timestamp>> searches;
};

class FakeMessenger final : public Messenger {
public:
    void handOver(const OutboxMessage& message) override { messages.push_back(message); }
    std::vector<OutboxMessage> messages;
};

// The service under test signs sessions in, and asks their store for nothing.
class UnusedSessionStore final : public SessionStore {
public:
    SessionRefreshResult refresh(const SessionRefresh&) override { throw std::logic_error("asked"); }
    std::optional<AuthenticatedSession> findActive(const Uuid&, Timestamp) override { throw std::logic_error("asked"); }
    std::vector<Session> listActive(const Uuid&, Timestamp) override { throw std::logic_error("asked"); }
    bool revoke(const RevokeSession&) override { throw std::logic_error("asked"); }
};

class OtpServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OtpServiceTest);
    CPPUNIT_TEST(asksForACode);
    CPPUNIT_TEST(limitsByDestinationAndNetwork);
    CPPUNIT_TEST(handsOverWhatItWrote);
    CPPUNIT_TEST(handsOverNothingThatWasRefused);
    CPPUNIT_TEST(tellsWhichLimitRefused);
    CPPUNIT_TEST(tellsWhatIsLeftOfTheDestinationsLimit);
    CPPUNIT_TEST(tellsOfNoLimitWhereThereIsNone);
    CPPUNIT_TEST(judgesTheGuessBeforeTheStoreIsAsked);
    CPPUNIT_TEST(asksTheStoreWithIdsOfItsOwn);
    CPPUNIT_TEST(signsInWhoeverIsVerified);
    CPPUNIT_TEST(givesNoTokensToAnybodyElse);
    CPPUNIT_TEST(answersAnUnknownIdAsAFirstWrongGuess);
    CPPUNIT_TEST(tellsWhenTheBudgetIsFree);
    CPPUNIT_TEST(tellsWhenANewCodeMayBeAskedFor);
    CPPUNIT_TEST(verifiesTheNewestCodeOfADestination);
    CPPUNIT_TEST(doesTheSameWorkForADestinationWithoutACode);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override { keys_.reload(keyStore_, random_, now()); }

private:
    static OtpSettings settings() {
        OtpSettings settings;
        settings.requestsPerDestination = LimitRule::parse("5/1h").value();
        settings.requestsPerClient = LimitRule::parse("30/1h").value();
        settings.guessesPerDestination = LimitRule::parse("10/1h,20/1d").value();
        return settings;
    }
    Timestamp now() const { return clock_.now(); }
    OtpService serviceOf(const OtpSettings& settings) {
        return {store_, sessions_, messenger_, codes_, clock_, random_, settings};
    }
    RequestedOtp request() { return service_.request(ada_, Purpose::Login, "de", client_); }
    VerifiedOtp verify(const std::string& guess) { return service_.verify(id_, guess, device_, client_); }
    // The bucket after `count` hits of this moment.
    std::string hits(const LimitRule& rule, int count) const {
        LimitHits hits{""};
        for (int i = 0; i < count; ++i) hits = LimitHits{hits.with(rule, now())};
        return hits.packed();
    }

    void asksForACode() {
        const auto requested = request();
        CPPUNIT_ASSERT(requested.isAccepted);
        CPPUNIT_ASSERT(requested.expiresIn == 600s);
        CPPUNIT_ASSERT(requested.resendIn == 30s);
        const NewOtpRequest& asked = store_.requests.at(0);
        CPPUNIT_ASSERT(asked.id == requested.id);
        CPPUNIT_ASSERT(asked.destination == ada_);
        CPPUNIT_ASSERT_EQUAL("de"s, asked.locale);
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.expiresAt == now() + 600s);
        CPPUNIT_ASSERT_EQUAL(3U, asked.maxAttempts);
        CPPUNIT_ASSERT(asked.oldestLive == now() - 600s);
        CPPUNIT_ASSERT(asked.outboxAvailableAt == now() + 10s);
        CPPUNIT_ASSERT(asked.id != asked.outboxId && asked.id != asked.auditId && asked.outboxId != asked.auditId);
        CPPUNIT_ASSERT_EQUAL("request-1"s, asked.client.requestId);
    }

    // An IPv6 client has its whole /64 to ask from.
    void limitsByDestinationAndNetwork() {
        request();
        const NewOtpRequest& asked = store_.requests.at(0);
        CPPUNIT_ASSERT(asked.destinationBucket == limitBucket("request", "ada@example.org"));
        CPPUNIT_ASSERT(asked.guessBucket == limitBucket("guess", "ada@example.org"));
        CPPUNIT_ASSERT(asked.clientBucket == limitBucket("request-client", "2001:db8::/64"));
        CPPUNIT_ASSERT_EQUAL(5U, asked.destinationRule.capacity());
        CPPUNIT_ASSERT_EQUAL(30U, asked.clientRule.capacity());
    }

    void handsOverWhatItWrote() {
        request();
        const NewOtpRequest& asked = store_.requests.at(0);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
        const OutboxMessage& message = messenger_.messages[0];
        CPPUNIT_ASSERT(message.id == asked.outboxId);
        CPPUNIT_ASSERT(message.otpId == asked.id);
        CPPUNIT_ASSERT(message.destination == ada_);
        CPPUNIT_ASSERT_EQUAL("de"s, message.locale);
        CPPUNIT_ASSERT_EQUAL("request-1"s, message.requestId);
        CPPUNIT_ASSERT_EQUAL(0U, message.attempts);
        CPPUNIT_ASSERT(message.expiresAt == asked.expiresAt);
        // The lease of the row: renewing it succeeds only with the very time that was written.
        CPPUNIT_ASSERT(message.availableAt == asked.outboxAvailableAt);
    }

    void handsOverNothingThatWasRefused() {
        for (const auto outcome : {RequestOutcome::ClientLimited, RequestOutcome::DestinationLimited}) {
            store_.requestResult = {outcome, ""};
            CPPUNIT_ASSERT(!request().isAccepted);
        }
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void tellsWhichLimitRefused() {
        store_.requestResult = {RequestOutcome::ClientLimited, hits(settings().requestsPerClient, 30)};
        auto limit = request().limit.value();
        CPPUNIT_ASSERT(limit.name == "request_per_client");
        CPPUNIT_ASSERT((limit.state.window == LimitWindow{30, 1h}));
        CPPUNIT_ASSERT_EQUAL(0U, limit.state.remaining);
        CPPUNIT_ASSERT(limit.state.reset == 1h);

        store_.requestResult = {RequestOutcome::DestinationLimited, hits(settings().requestsPerDestination, 5)};
        clock_.advance(10min);
        limit = request().limit.value();
        CPPUNIT_ASSERT(limit.name == "request_per_destination");
        CPPUNIT_ASSERT((limit.state.window == LimitWindow{5, 1h}));
        CPPUNIT_ASSERT_EQUAL(0U, limit.state.remaining);
        CPPUNIT_ASSERT(limit.state.reset == 50min);
    }

    void tellsWhatIsLeftOfTheDestinationsLimit() {
        store_.requestResult = {RequestOutcome::Accepted, hits(settings().requestsPerDestination, 2)};
        const auto limit = request().limit.value();
        CPPUNIT_ASSERT(limit.name == "request_per_destination");
        CPPUNIT_ASSERT_EQUAL(3U, limit.state.remaining);
    }

    void tellsOfNoLimitWhereThereIsNone() {
        auto unlimited = settings();
        unlimited.requestsPerDestination = {};
        CPPUNIT_ASSERT(!serviceOf(unlimited).request(ada_, Purpose::Login, "", client_).limit);
    }

    void judgesTheGuessBeforeTheStoreIsAsked() {
        verify(codes_.codeFor(id_));
        verify("no code");
        CPPUNIT_ASSERT(store_.verifications.at(0).guess == Guess::Right);
        CPPUNIT_ASSERT(store_.verifications.at(1).guess == Guess::Wrong);
    }

    void asksTheStoreWithIdsOfItsOwn() {
        verify("000000");
        const OtpVerification& asked = store_.verifications.at(0);
        CPPUNIT_ASSERT(asked.otpId == id_);
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT_EQUAL(20U, asked.guessRule.capacity());
        CPPUNIT_ASSERT(asked.sessionExpiresAt == now() + 168h);
        CPPUNIT_ASSERT_EQUAL("Ada's phone"s, asked.device.name);
        const std::vector<Uuid> ids{asked.otpId,       asked.newUserId,   asked.sessionId,
                                    asked.auditIds[0], asked.auditIds[1], asked.auditIds[2]};
        for (std::size_t i = 1; i < ids.size(); ++i) CPPUNIT_ASSERT(ids[i - 1] < ids[i]);
    }

    void signsInWhoeverIsVerified() {
        const Uuid session = Uuid::makeV7(now(), random_);
        User user;
        user.id = Uuid::makeV7(now(), random_);
        store_.verifyResult.outcome = VerifyOutcome::Verified;
        store_.verifyResult.sessionId = session;
        store_.verifyResult.isNewUser = true;
        store_.verifyResult.user = user;
        const auto verified = verify(codes_.codeFor(id_));
        CPPUNIT_ASSERT(verified.outcome == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(verified.isNewUser);
        CPPUNIT_ASSERT(verified.user->id == user.id);
        CPPUNIT_ASSERT(verified.tokens.sessionId == session);
        CPPUNIT_ASSERT(RefreshToken::parse(verified.tokens.refresh, ring_)->sessionId == session);
        const auto claims =
            crypto::verifyAccessToken(verified.tokens.access, *keys_.current(now()), "i", "a", now()).value();
        CPPUNIT_ASSERT_EQUAL(user.id.toString(), claims.subject);
        CPPUNIT_ASSERT(claims.authTime == now());
    }

    void givesNoTokensToAnybodyElse() {
        for (const auto outcome :
             {VerifyOutcome::WrongCode, VerifyOutcome::Unknown, VerifyOutcome::Used, VerifyOutcome::Expired,
              VerifyOutcome::AttemptsExhausted, VerifyOutcome::BudgetExhausted, VerifyOutcome::AccountDisabled}) {
            store_.verifyResult = {};
            store_.verifyResult.outcome = outcome;
            const auto verified = verify(codes_.codeFor(id_));
            CPPUNIT_ASSERT(verified.outcome == outcome);
            CPPUNIT_ASSERT(!verified.user && !verified.isNewUser);
            CPPUNIT_ASSERT(verified.tokens.access.empty() && verified.tokens.refresh.empty());
        }
    }

    void answersAnUnknownIdAsAFirstWrongGuess() {
        store_.verifyResult.outcome = VerifyOutcome::Unknown;
        CPPUNIT_ASSERT_EQUAL(2U, verify("000000").attemptsLeft);
        store_.verifyResult.outcome = VerifyOutcome::WrongCode;
        store_.verifyResult.attemptsLeft = 2;
        CPPUNIT_ASSERT_EQUAL(2U, verify("000000").attemptsLeft);
        auto generous = settings();
        generous.maxAttempts = 7;
        store_.verifyResult.outcome = VerifyOutcome::Unknown;
        CPPUNIT_ASSERT_EQUAL(6U, serviceOf(generous).verify(id_, "000000", device_, client_).attemptsLeft);
    }

    void tellsWhenTheBudgetIsFree() {
        store_.verifyResult.outcome = VerifyOutcome::BudgetExhausted;
        store_.verifyResult.hits = hits(settings().guessesPerDestination, 10);
        clock_.advance(20min);
        const auto verified = verify("000000");
        CPPUNIT_ASSERT(verified.retryAfter == 40min);
        CPPUNIT_ASSERT(verified.limit->name == "guesses_per_destination");
        CPPUNIT_ASSERT((verified.limit->state.window == LimitWindow{10, 1h}));
    }

    void tellsWhenANewCodeMayBeAskedFor() {
        store_.verifyResult.outcome = VerifyOutcome::AttemptsExhausted;
        const auto verified = verify("000000");
        CPPUNIT_ASSERT(verified.retryAfter == 30s);
        CPPUNIT_ASSERT(!verified.limit);
    }

    void verifiesTheNewestCodeOfADestination() {
        store_.newest = id_;
        service_.verify(ada_, Purpose::Login, codes_.codeFor(id_), device_, client_);
        CPPUNIT_ASSERT(store_.searches.at(0) == std::pair(ada_, now() - 1200s));
        CPPUNIT_ASSERT(store_.verifications.at(0).otpId == id_);
        CPPUNIT_ASSERT(store_.verifications.at(0).guess == Guess::Right);
    }

    void doesTheSameWorkForADestinationWithoutACode() {
        const auto verified = service_.verify(ada_, Purpose::Login, "000000", device_, client_);
        CPPUNIT_ASSERT(verified.outcome == VerifyOutcome::Unknown);
        CPPUNIT_ASSERT_EQUAL(2U, verified.attemptsLeft);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.verifications.size());
        CPPUNIT_ASSERT(store_.verifications[0].otpId != Uuid{});
    }

    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    const Client client_{"2001:db8::1", "2001:db8::/64", "Browser/1.0", "request-1"};
    const Device device_{"install-1", "ios", "4.2", "Ada's phone"};
    const Destination ada_ = Destination::parse("ada@example.org").value();
    test::FakeClock clock_;
    test::CountingRandom random_;
    test::FakeSigningKeyStore keyStore_;
    FakeOtpStore store_;
    UnusedSessionStore sessionStore_;
    FakeMessenger messenger_;
    SigningKeys keys_{ring_, 15min};
    SessionService sessions_{sessionStore_, keys_, ring_, clock_, random_, {"i", "a", 900s, 168h}};
    const OtpCodes codes_{ring_, 6, ""};
    OtpService service_{store_, sessions_, messenger_, codes_, clock_, random_, settings()};
    const Uuid id_ = Uuid::makeV7(clock_.now(), random_);
};

CPPUNIT_TEST_SUITE_REGISTRATION(OtpServiceTest);

}  // namespace
}  // namespace otpgate::domain
