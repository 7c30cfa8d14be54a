#include "otpgate/domain/otp_service.h"

#include "domain/otp_receipt.h"
#include "support_cpp/counted.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_otp_store.h"
#include "support_cpp/people.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <set>

namespace otpgate::domain {
namespace otp_service_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using RequestOutcome = OtpRequestResult::Outcome;
using VerifyOutcome = OtpVerifyResult::Outcome;
using test::FakeMessenger;
using test::FakeOtpStore;

class OtpServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OtpServiceTest);
    CPPUNIT_TEST(asksForACode);
    CPPUNIT_TEST(asksForAShorterLifeOfWhatGoesBySms);
    CPPUNIT_TEST(limitsByDestinationAndNetwork);
    CPPUNIT_TEST(limitsTheDevicesOfAnAddressTogether);
    CPPUNIT_TEST(asksWhetherItIsAHumanOnlyWhereWorkIsNeeded);
    CPPUNIT_TEST(takesEachTokenOfAHumanOnce);
    CPPUNIT_TEST(asksForACheckInPlaceOfWork);
    CPPUNIT_TEST(countsDownWhereThereIsNoCode);
    CPPUNIT_TEST(tellsNothingOfACodeThatIsNamedByItsAddress);
    CPPUNIT_TEST(countsADevicesGuessesByThemselves);
    CPPUNIT_TEST(saysByWhatACodeWasNamed);
    CPPUNIT_TEST(asksWhoMayHaveACodeByItsPurpose);
    CPPUNIT_TEST(asksOnlyOwnersWhereNobodyMayBeNew);
    CPPUNIT_TEST(revealsNoMoreThanBothAllow);
    CPPUNIT_TEST(handsOverWhatItWrote);
    CPPUNIT_TEST(handsOverTheCodeThatIsSentAgain);
    CPPUNIT_TEST(handsOverWhatIsToBeDiscarded);
    CPPUNIT_TEST(handsOverNothingThatWasRefused);
    CPPUNIT_TEST(waitsForTheMessageButWhereTheAccountIsASecret);
    CPPUNIT_TEST(tellsThatTheMessageWasNotSent);
    CPPUNIT_TEST(leavesTheRowToItselfForAsLongAsItsMessengerSays);
    CPPUNIT_TEST(tellsWhatTheAccountRefused);
    CPPUNIT_TEST(tellsWhichLimitRefused);
    CPPUNIT_TEST(tellsWhatIsLeftOfTheDestinationsLimit);
    CPPUNIT_TEST(tellsOfNoLimitWhereThereIsNone);
    CPPUNIT_TEST(judgesTheGuessBeforeTheStoreIsAsked);
    CPPUNIT_TEST(asksTheStoreWithIdsOfItsOwn);
    CPPUNIT_TEST(signsInWhoeverIsVerified);
    CPPUNIT_TEST(signsInNobodyElse);
    CPPUNIT_TEST(answersAnUnknownIdAsAFirstWrongGuess);
    CPPUNIT_TEST(countsRequestsByTheirOutcome);
    CPPUNIT_TEST(countsGuessesByTheirOutcome);
    CPPUNIT_TEST(tellsWhenTheBudgetIsFree);
    CPPUNIT_TEST(tellsWhenANewCodeMayBeAskedFor);
    CPPUNIT_TEST(verifiesTheNewestCodeOfADestination);
    CPPUNIT_TEST(looksForTheCodeOfTheDeviceThatIsShown);
    CPPUNIT_TEST(doesTheSameWorkForADestinationWithoutACode);
    CPPUNIT_TEST(letsACodeSignUpOnlyWhereThatIsAllowed);
    CPPUNIT_TEST(makesAGuessAgainWhoseAnswerWasLost);
    CPPUNIT_TEST(exchangesAVerifiedCodeForAReceipt);
    CPPUNIT_TEST(draftsTheNoticeOfANewDevice);
    CPPUNIT_TEST(handsOverTheNoticeThatWasWritten);
    CPPUNIT_TEST(draftsNoNoticeThatNobodyWants);
    CPPUNIT_TEST(asksForAChangeInTheNameOfItsUser);
    CPPUNIT_TEST(looksForAChangeInTheLaneOfItsUser);
    CPPUNIT_TEST(hasTheGuessPutToUseByWhoeverRedeems);
    CPPUNIT_TEST(tellsThatACodeIsUsedToWhoeverKnowsIt);
    CPPUNIT_TEST_SUITE_END();

    static OtpSettings settings() {
        OtpSettings settings;
        settings.requestsPerDestination = LimitRule::parse("5/1h").value();
        settings.requestsPerClient = LimitRule::parse("30/1h").value();
        settings.guessesPerDestination = LimitRule::parse("10/1h,20/1d").value();
        return settings;
    }
    Timestamp now() const { return clock_.now(); }
    OtpService serviceOf(const OtpSettings& settings) {
        return {store_,          messenger_,         codes_,   ring_, clock_, random_, metrics_,
                unknownGuesses_, unansweredGuesses_, settings, {}};
    }
    RequestedOtp request() { return service_.request({ada_, Purpose::Login, "de"}, asker_); }
    VerifiedOtp verify(const std::string& guess) { return verifyBy(service_, {id_, {}, {}}, guess); }
    VerifiedOtp verifyBy(OtpService& service, const OtpReference& reference, const std::string& guess) {
        return service.verify(reference, guess, device_, asker_, now() + 168h);
    }
    const NewOtpRequest& asked() const { return store_.requests.back(); }
    // Every following request is refused so.
    void refuse(RequestOutcome outcome, const std::string& hits = {}) {
        store_.answer = [=](const NewOtpRequest&) { return OtpRequestResult{outcome, hits, {}, {}, false}; };
    }
    void assertCounted(const std::vector<std::string>& expected) const {
        CPPUNIT_ASSERT_EQUAL(test::lines(expected), test::counted(metrics_));
    }
    // The bucket after `count` hits of this moment.
    std::string hits(const LimitRule& rule, int count) const {
        LimitHits hits{""};
        for (int i = 0; i < count; ++i) hits = LimitHits{hits.with(rule.capacity(), now())};
        return hits.packed();
    }

    void asksForACode() {
        const auto requested = request();
        CPPUNIT_ASSERT(requested.outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(requested.expiresIn == 600s);
        CPPUNIT_ASSERT(requested.resendIn == 30s);
        const NewOtpRequest& asked = store_.requests.at(0);
        CPPUNIT_ASSERT(asked.id == requested.id);
        CPPUNIT_ASSERT(asked.destination == ada_);
        CPPUNIT_ASSERT(asked.purpose == Purpose::Login);
        CPPUNIT_ASSERT(asked.methods == "otp");
        CPPUNIT_ASSERT(asked.resend == Resend::Rotate);
        CPPUNIT_ASSERT(!asked.device);
        CPPUNIT_ASSERT_EQUAL("de"s, asked.locale);
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.expiresAt == now() + 600s);
        CPPUNIT_ASSERT_EQUAL(3U, asked.maxAttempts);
        CPPUNIT_ASSERT(asked.oldestLive == now() - 600s);
        CPPUNIT_ASSERT(asked.outboxAvailableAt == now() + 10s);
        CPPUNIT_ASSERT(asked.id != asked.outboxId && asked.id != asked.auditId && asked.outboxId != asked.auditId);
        CPPUNIT_ASSERT_EQUAL("request-1"s, asked.client.requestId);

        auto repeating = settings();
        repeating.onResend = Resend::Repeat;
        serviceOf(repeating).request({ada_, Purpose::Login, "de", "pwd otp"}, asker_);
        CPPUNIT_ASSERT(store_.requests.at(1).resend == Resend::Repeat);
        CPPUNIT_ASSERT(store_.requests.at(1).methods == "pwd otp");
    }

    void asksForAShorterLifeOfWhatGoesBySms() {
        const auto requested = service_.request({phone_, Purpose::Login, "de"}, asker_);
        CPPUNIT_ASSERT(requested.expiresIn == 300s);
        CPPUNIT_ASSERT(asked().expiresAt == now() + 300s);
        CPPUNIT_ASSERT(asked().oldestLive == now() - 300s);
    }

    // Says what it is told to, and keeps what it was asked.
    struct FakeHumanCheck final : HumanCheck {
        HumanVerdict ask(const std::string& token, const std::string& address, const std::string&) override {
            asked.push_back(token + " " + address);
            return verdict;
        }
        HumanVerdict verdict = HumanVerdict::Human;
        std::vector<std::string> asked;
    };
    OtpSettings checked() const {
        OtpSettings settings = OtpServiceTest::settings();
        settings.work.when = AskForWork::Always;
        settings.humanCheck = {HumanCheckService::Turnstile, "0x4AAA"};
        return settings;
    }
    OtpService checkedService(HumanCheck& check) {
        return {store_,          messenger_,         codes_,    ring_, clock_, random_, metrics_,
                unknownGuesses_, unansweredGuesses_, checked(), {},    &check};
    }
    RequestedOtp requestAs(OtpService& service, const std::string& token) {
        Asker asker = asker_;
        asker.humanToken = token;
        return service.request({ada_, Purpose::Login, "de"}, asker);
    }
    // As the store does it for whoever has no device that is known.
    void wantWork() {
        store_.answer = [](const NewOtpRequest& request) {
            const auto outcome = request.workBucket.empty() ? RequestOutcome::WorkNeeded : RequestOutcome::Accepted;
            return OtpRequestResult{outcome, {}, request.id, request.expiresAt, false};
        };
    }

    void asksWhetherItIsAHumanOnlyWhereWorkIsNeeded() {
        FakeHumanCheck check;
        OtpService service = checkedService(check);
        CPPUNIT_ASSERT(requestAs(service, "token").outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(check.asked.empty());
        wantWork();
        const auto none = requestAs(service, "");
        CPPUNIT_ASSERT(none.outcome == RequestOutcome::WorkNeeded && !none.shown && check.asked.empty());
        CPPUNIT_ASSERT(requestAs(service, "token").outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT_EQUAL(std::string{"token "} + asker_.client.address, check.asked.at(0));
        for (const HumanVerdict verdict : {HumanVerdict::Refused, HumanVerdict::Elsewhere, HumanVerdict::NoAnswer,
                                           HumanVerdict::WrongAnswer, HumanVerdict::Busy}) {
            check.verdict = verdict;
            const auto refused = requestAs(service, "token");
            CPPUNIT_ASSERT(refused.outcome == RequestOutcome::WorkNeeded && refused.shown == verdict);
            CPPUNIT_ASSERT(asked().workBucket.empty());
        }
    }

    void takesEachTokenOfAHumanOnce() {
        FakeHumanCheck check;
        OtpService service = checkedService(check);
        wantWork();
        requestAs(service, "token");
        CPPUNIT_ASSERT(asked().workBucket == humanTokenBucket("token"));
        // Rows of its own: the first try may have been audited.
        CPPUNIT_ASSERT(store_.requests.at(0).auditId != store_.requests.at(1).auditId);
        // Spent, whatever the service says.
        refuse(RequestOutcome::WorkNeeded);
        CPPUNIT_ASSERT(requestAs(service, "token").shown == HumanVerdict::Refused);
    }

    void asksForACheckInPlaceOfWork() {
        FakeHumanCheck check;
        OtpService service = checkedService(check);
        refuse(RequestOutcome::WorkNeeded);
        CPPUNIT_ASSERT_EQUAL(R"({"service":"turnstile","site_key":"0x4AAA"})"s, requestAs(service, "").challenge);
        OtpSettings working = checked();
        working.humanCheck = {};
        const auto requested = serviceOf(working).request({ada_, Purpose::Login, "de"}, asker_);
        CPPUNIT_ASSERT(requested.challenge.starts_with(R"({"algorithm":"SHA-256")"));
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

    // Wherever it asks from, and by whatever device: each sign-in may make another one, so all of an address's share
    // what they may have sent, and how often they may guess. No stranger does.
    void limitsTheDevicesOfAnAddressTogether() {
        const Uuid device = Uuid::makeV7(now(), random_);
        service_.request({ada_, Purpose::Login, "de"}, {client_, device});
        service_.request({ada_, Purpose::Reset, "de"}, {Client{"192.0.2.7", "192.0.2.7", "", ""}, device});
        const NewOtpRequest first = store_.requests.at(0);
        const NewOtpRequest second = store_.requests.at(1);
        CPPUNIT_ASSERT(first.device == device);
        CPPUNIT_ASSERT_EQUAL(first.deviceBucket, second.deviceBucket);
        CPPUNIT_ASSERT_EQUAL(first.deviceGuessBucket, second.deviceGuessBucket);
        CPPUNIT_ASSERT(first.deviceBucket != first.deviceGuessBucket);
        service_.request({ada_, Purpose::Login, "de"}, {client_, Uuid::makeV7(now(), random_)});
        CPPUNIT_ASSERT_EQUAL(first.deviceBucket, asked().deviceBucket);
        CPPUNIT_ASSERT(first.deviceBucket != first.destinationBucket);
        CPPUNIT_ASSERT_EQUAL(first.deviceGuessBucket, asked().deviceGuessBucket);
        CPPUNIT_ASSERT(first.deviceGuessBucket != first.guessBucket);
        CPPUNIT_ASSERT_EQUAL(first.destinationBucket, asked().destinationBucket);
        CPPUNIT_ASSERT_EQUAL(first.guessBucket, asked().guessBucket);
    }

    void asksWhoMayHaveACodeByItsPurpose() {
        auto closed = settings();
        closed.autoRegister = false;
        OtpService invited = serviceOf(closed);
        const auto ruleOf = [this](OtpService& service, Purpose purpose) {
            service.request({ada_, purpose, "de"}, asker_);
            CPPUNIT_ASSERT(asked().purpose == purpose);
            return asked().accountRule;
        };
        CPPUNIT_ASSERT(ruleOf(service_, Purpose::Login) == AccountRule::ActiveOrNew);
        CPPUNIT_ASSERT(ruleOf(invited, Purpose::Login) == AccountRule::Active);
        for (OtpService* service : {&service_, &invited}) {
            CPPUNIT_ASSERT(ruleOf(*service, Purpose::Register) == AccountRule::Any);
            CPPUNIT_ASSERT(ruleOf(*service, Purpose::Verify) == AccountRule::Any);
            CPPUNIT_ASSERT(ruleOf(*service, Purpose::Reset) == AccountRule::Active);
        }
    }

    void asksOnlyOwnersWhereNobodyMayBeNew() {
        const auto ruleOf = [this](Purpose purpose) {
            service_.request(
                {.destination = phone_, .purpose = purpose, .locale = {}, .newAccounts = NewAccounts::Refused}, asker_);
            return asked().accountRule;
        };
        for (const Purpose purpose : {Purpose::Login, Purpose::Verify, Purpose::Reset})
            CPPUNIT_ASSERT(ruleOf(purpose) == AccountRule::Active);
    }

    void revealsNoMoreThanBothAllow() {
        auto revealing = settings();
        for (const auto setting : {Disclosure::Hide, Disclosure::Reveal}) {
            for (const auto question : {Disclosure::Hide, Disclosure::Reveal}) {
                revealing.disclosure = setting;
                serviceOf(revealing).request({ada_, Purpose::Login, "de", "otp", question}, asker_);
                const bool mayReveal = setting == Disclosure::Reveal && question == Disclosure::Reveal;
                CPPUNIT_ASSERT(asked().disclosure == (mayReveal ? Disclosure::Reveal : Disclosure::Hide));
            }
        }
        request();
        CPPUNIT_ASSERT(asked().disclosure == Disclosure::Hide);
    }

    void handsOverWhatItWrote() {
        request();
        const NewOtpRequest& asked = store_.requests.at(0);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
        const OutboxMessage& message = messenger_.messages[0];
        CPPUNIT_ASSERT(message.id == asked.outboxId);
        CPPUNIT_ASSERT(message.otpId == asked.id);
        CPPUNIT_ASSERT(message.destination == ada_);
        CPPUNIT_ASSERT_EQUAL("de,fr"s, message.locale);
        CPPUNIT_ASSERT_EQUAL("request-1"s, message.requestId);
        CPPUNIT_ASSERT(message.purpose == Purpose::Login);
        CPPUNIT_ASSERT(!message.isDiscarded);
        CPPUNIT_ASSERT_EQUAL(0U, message.attempts);
        CPPUNIT_ASSERT_EQUAL(0U, message.codeLength);
        CPPUNIT_ASSERT(message.expiresAt == asked.expiresAt);
        // The lease of the row: renewing it succeeds only with the very time that was written.
        CPPUNIT_ASSERT(message.availableAt == asked.outboxAvailableAt);
    }

    // The message is a new one, the code and its end are those of the first.
    void handsOverTheCodeThatIsSentAgain() {
        const Timestamp end = now() + 90s + 1us;
        store_.answer = [&](const NewOtpRequest&) {
            return OtpRequestResult{RequestOutcome::Accepted, "", id_, end, false};
        };
        const auto requested = request();
        CPPUNIT_ASSERT(requested.id == id_);
        CPPUNIT_ASSERT(requested.expiresIn == 91s);
        const OutboxMessage& message = messenger_.messages.at(0);
        CPPUNIT_ASSERT(message.id == asked().outboxId);
        CPPUNIT_ASSERT(message.otpId == id_);
        CPPUNIT_ASSERT(message.expiresAt == end);
        CPPUNIT_ASSERT(message.availableAt == asked().outboxAvailableAt);
    }

    // The courier removes the row, as it does with one that was sent; to the caller all is as ever.
    void handsOverWhatIsToBeDiscarded() {
        const auto usual = request();
        store_.answer = [](const NewOtpRequest& request) {
            return OtpRequestResult{RequestOutcome::Accepted, "", request.id, request.expiresAt, true};
        };
        const auto discarded = request();
        CPPUNIT_ASSERT(messenger_.messages.at(1).isDiscarded);
        CPPUNIT_ASSERT(discarded.outcome == usual.outcome);
        CPPUNIT_ASSERT(discarded.id == asked().id);
        CPPUNIT_ASSERT(discarded.expiresIn == usual.expiresIn);
        CPPUNIT_ASSERT(discarded.resendIn == usual.resendIn);
    }

    void handsOverNothingThatWasRefused() {
        for (const auto outcome : {RequestOutcome::ClientLimited, RequestOutcome::DestinationLimited,
                                   RequestOutcome::UserNotFound, RequestOutcome::AccountDisabled}) {
            refuse(outcome);
            CPPUNIT_ASSERT(request().outcome == outcome);
        }
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void waitsForTheMessageButWhereTheAccountIsASecret() {
        const auto waits = [this](OtpSettings chosen, Purpose purpose) {
            messenger_.waitedFor.clear();
            OtpService service = serviceOf(chosen);
            service.request({ada_, purpose, "de"}, asker_);
            return messenger_.waitedFor.size() == 1;
        };
        OtpSettings chosen = settings();
        chosen.disclosure = Disclosure::Hide;
        CPPUNIT_ASSERT(waits(chosen, Purpose::Login));
        CPPUNIT_ASSERT(waits(chosen, Purpose::Register) && waits(chosen, Purpose::Verify));
        CPPUNIT_ASSERT(!waits(chosen, Purpose::Reset));
        chosen.autoRegister = false;
        CPPUNIT_ASSERT(!waits(chosen, Purpose::Login));
        chosen.disclosure = Disclosure::Reveal;
        CPPUNIT_ASSERT(waits(chosen, Purpose::Login) && waits(chosen, Purpose::Reset));
        CPPUNIT_ASSERT_EQUAL(std::size_t{7}, messenger_.messages.size());
    }

    void tellsThatTheMessageWasNotSent() {
        messenger_.delivery = Delivery::Failed;
        CPPUNIT_ASSERT(request().delivery == Delivery::Failed);
        messenger_.delivery = Delivery::Sent;
        CPPUNIT_ASSERT(request().delivery == Delivery::Sent);
    }

    void leavesTheRowToItselfForAsLongAsItsMessengerSays() {
        messenger_.leaseFor = 0s;
        request();
        CPPUNIT_ASSERT(asked().outboxAvailableAt == now());
    }

    void tellsWhatTheAccountRefused() {
        for (const auto outcome : {RequestOutcome::UserNotFound, RequestOutcome::AccountDisabled}) {
            refuse(outcome, hits(settings().requestsPerDestination, 2));
            const auto requested = request();
            CPPUNIT_ASSERT(requested.id == Uuid{});
            CPPUNIT_ASSERT(requested.limit->name == "request_per_destination");
            CPPUNIT_ASSERT_EQUAL(3U, requested.limit->state.remaining);
        }
    }

    void tellsWhichLimitRefused() {
        refuse(RequestOutcome::ClientLimited, hits(settings().requestsPerClient, 30));
        auto limit = request().limit.value();
        CPPUNIT_ASSERT(limit.name == "request_per_client");
        CPPUNIT_ASSERT((limit.state.window == LimitWindow{30, 1h}));
        CPPUNIT_ASSERT_EQUAL(0U, limit.state.remaining);
        CPPUNIT_ASSERT(limit.state.reset == 1h);

        refuse(RequestOutcome::DestinationLimited, hits(settings().requestsPerDestination, 5));
        clock_.advance(10min);
        limit = request().limit.value();
        CPPUNIT_ASSERT(limit.name == "request_per_destination");
        CPPUNIT_ASSERT((limit.state.window == LimitWindow{5, 1h}));
        CPPUNIT_ASSERT_EQUAL(0U, limit.state.remaining);
        CPPUNIT_ASSERT(limit.state.reset == 50min);
    }

    void tellsWhatIsLeftOfTheDestinationsLimit() {
        store_.hits = hits(settings().requestsPerDestination, 2);
        const auto limit = request().limit.value();
        CPPUNIT_ASSERT(limit.name == "request_per_destination");
        CPPUNIT_ASSERT_EQUAL(3U, limit.state.remaining);
    }

    void tellsOfNoLimitWhereThereIsNone() {
        auto unlimited = settings();
        unlimited.requestsPerDestination = {};
        CPPUNIT_ASSERT(!serviceOf(unlimited).request({ada_, Purpose::Login, ""}, asker_).limit);
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
        CPPUNIT_ASSERT(!asked.purpose);
        CPPUNIT_ASSERT(asked.sessionExpiresAt == now() + 168h);
        CPPUNIT_ASSERT_EQUAL("Ada's phone"s, asked.device.name);
        const std::set<Uuid> ids{asked.otpId,       asked.newUserId,   asked.sessionId,  asked.newDeviceId,
                                 asked.auditIds[0], asked.auditIds[1], asked.auditIds[2]};
        CPPUNIT_ASSERT_EQUAL(std::size_t{7}, ids.size());
        // The audit trail is read in the order of its ids.
        CPPUNIT_ASSERT(asked.auditIds[0] < asked.auditIds[1] && asked.auditIds[1] < asked.auditIds[2]);
    }

    void signsInWhoeverIsVerified() {
        const Uuid session = Uuid::makeV7(now(), random_);
        const Uuid device = Uuid::makeV7(now(), random_);
        User user;
        user.id = Uuid::makeV7(now(), random_);
        store_.verifyResult.outcome = VerifyOutcome::Verified;
        store_.verifyResult.destination = ada_;
        store_.verifyResult.signIn = SignIn{true, user, session, device, "pwd otp"};
        const auto verified = verify(codes_.codeFor(id_));
        CPPUNIT_ASSERT(verified.outcome == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(verified.otpId == id_);
        CPPUNIT_ASSERT(verified.purpose == Purpose::Login);
        CPPUNIT_ASSERT(verified.destination == ada_);
        CPPUNIT_ASSERT(verified.signIn->isNewUser);
        CPPUNIT_ASSERT(verified.signIn->user.id == user.id);
        CPPUNIT_ASSERT(verified.signIn->sessionId == session);
        CPPUNIT_ASSERT(verified.signIn->deviceId == device);
        CPPUNIT_ASSERT_EQUAL("pwd otp"s, verified.signIn->methods);
    }

    void signsInNobodyElse() {
        for (const auto outcome :
             {VerifyOutcome::WrongCode, VerifyOutcome::Unknown, VerifyOutcome::Used, VerifyOutcome::Expired,
              VerifyOutcome::AttemptsExhausted, VerifyOutcome::BudgetExhausted, VerifyOutcome::AccountDisabled}) {
            store_.verifyResult = {};
            store_.verifyResult.outcome = outcome;
            const auto verified = verify(codes_.codeFor(id_));
            CPPUNIT_ASSERT(verified.outcome == outcome);
            CPPUNIT_ASSERT(!verified.signIn && !verified.destination);
            CPPUNIT_ASSERT(verified.otpId == Uuid{});
        }
    }

    void countsRequestsByTheirOutcome() {
        request();
        service_.request({phone_, Purpose::Reset, "de"}, asker_);
        for (const auto outcome : {RequestOutcome::ClientLimited, RequestOutcome::DestinationLimited,
                                   RequestOutcome::UserNotFound, RequestOutcome::AccountDisabled}) {
            refuse(outcome);
            request();
        }
        assertCounted({R"(otpgate_otp_requested_total{channel="email",purpose="login"} 1)",
                       R"(otpgate_otp_requested_total{channel="sms",purpose="reset"} 1)",
                       R"(otpgate_otp_rate_limited_total{channel="email",purpose="login"} 2)"});
    }

    void countsGuessesByTheirOutcome() {
        store_.verifyResult.channel = Channel::Sms;
        store_.verifyResult.purpose = Purpose::Verify;
        for (const auto outcome :
             {VerifyOutcome::Verified, VerifyOutcome::WrongCode, VerifyOutcome::Used, VerifyOutcome::Expired,
              VerifyOutcome::AttemptsExhausted, VerifyOutcome::BudgetExhausted, VerifyOutcome::AccountDisabled}) {
            store_.verifyResult.outcome = outcome;
            verify("000000");
        }
        store_.verifyResult = {};
        verify("000000");
        assertCounted({R"(otpgate_otp_verified_total{channel="sms",purpose="verify"} 1)",
                       R"(otpgate_otp_failed_total{channel="sms",purpose="verify"} 3)",
                       R"(otpgate_otp_failed_total{channel="unknown",purpose="unknown"} 1)",
                       R"(otpgate_otp_expired_total{channel="sms",purpose="verify"} 1)",
                       R"(otpgate_otp_locked_total{channel="sms",purpose="verify"} 2)"});
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
        OtpService service = serviceOf(generous);
        CPPUNIT_ASSERT_EQUAL(6U, verifyBy(service, {id_, {}, {}}, "000000").attemptsLeft);
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
        verifyBy(service_, {{}, ada_, Purpose::Login}, codes_.codeFor(id_));
        const FakeOtpStore::Search& search = store_.searches.at(0);
        CPPUNIT_ASSERT(search.destination == ada_);
        CPPUNIT_ASSERT(search.purpose == Purpose::Login);
        CPPUNIT_ASSERT(!search.device);
        CPPUNIT_ASSERT(search.since == now() - 1200s);
        CPPUNIT_ASSERT(store_.verifications.at(0).otpId == id_);
        CPPUNIT_ASSERT(store_.verifications.at(0).guess == Guess::Right);
        CPPUNIT_ASSERT(store_.verifications.at(0).purpose == Purpose::Login);

        verifyBy(service_, {{}, phone_, Purpose::Reset}, "000000");
        CPPUNIT_ASSERT(store_.searches.at(1).purpose == Purpose::Reset);
        CPPUNIT_ASSERT(store_.searches.at(1).since == now() - 600s);
        // Who knows the id needs no search; what the code must be for is the store's to compare.
        verifyBy(service_, {id_, {}, Purpose::Reset}, "000000");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.searches.size());
        CPPUNIT_ASSERT(store_.verifications.at(2).purpose == Purpose::Reset);
    }

    void looksForTheCodeOfTheDeviceThatIsShown() {
        const Uuid device = Uuid::makeV7(now(), random_);
        service_.verify({{}, ada_, Purpose::Login}, "000000", device_, {client_, device}, now() + 168h);
        CPPUNIT_ASSERT(store_.searches.at(0).device == device);
        CPPUNIT_ASSERT(store_.verifications.at(0).shownDevice == device);
        verify("000000");
        CPPUNIT_ASSERT(!store_.verifications.at(1).shownDevice);
    }

    void doesTheSameWorkForADestinationWithoutACode() {
        const auto verified = verifyBy(service_, {{}, ada_, Purpose::Login}, "000000");
        CPPUNIT_ASSERT(verified.outcome == VerifyOutcome::Unknown);
        CPPUNIT_ASSERT_EQUAL(2U, verified.attemptsLeft);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.verifications.size());
        CPPUNIT_ASSERT(store_.verifications[0].otpId != Uuid{});
    }

    VerifiedOtp guessByAddress(VerifyOutcome outcome, unsigned attemptsLeft = 0) {
        store_.verifyResult.outcome = outcome;
        store_.verifyResult.attemptsLeft = attemptsLeft;
        return verifyBy(service_, {{}, ada_, Purpose::Login}, "no code");
    }

    // As at a code that is alive, so that nobody learns whether one is.
    void countsDownWhereThereIsNoCode() {
        for (const unsigned left : {2U, 1U, 0U}) {
            const auto guessed = guessByAddress(VerifyOutcome::Unknown);
            CPPUNIT_ASSERT(guessed.outcome == VerifyOutcome::Unknown);
            CPPUNIT_ASSERT_EQUAL(left, guessed.attemptsLeft);
        }
        const auto exhausted = guessByAddress(VerifyOutcome::Unknown);
        CPPUNIT_ASSERT(exhausted.outcome == VerifyOutcome::AttemptsExhausted);
        CPPUNIT_ASSERT(exhausted.retryAfter == settings().resendAfter);
        // Another address, another purpose, and a new code begin anew.
        CPPUNIT_ASSERT_EQUAL(2U, verifyBy(service_, {{}, phone_, Purpose::Login}, "no code").attemptsLeft);
        CPPUNIT_ASSERT_EQUAL(2U, verifyBy(service_, {{}, ada_, Purpose::Reset}, "no code").attemptsLeft);
        request();
        CPPUNIT_ASSERT_EQUAL(2U, guessByAddress(VerifyOutcome::Unknown).attemptsLeft);
        clock_.advance(settings().emailLifetime);
        CPPUNIT_ASSERT_EQUAL(2U, guessByAddress(VerifyOutcome::Unknown).attemptsLeft);
    }

    // Nothing of its row is to be seen: not how many tries are left of it, which other processes count too, not that it
    // was used, has expired or is locked, nor that a spent budget keeps it from being tried.
    void tellsNothingOfACodeThatIsNamedByItsAddress() {
        const std::vector<std::pair<VerifyOutcome, unsigned>> rows{{VerifyOutcome::WrongCode, 0},
                                                                   {VerifyOutcome::Used, 0},
                                                                   {VerifyOutcome::Expired, 0},
                                                                   {VerifyOutcome::AttemptsExhausted, 0},
                                                                   {VerifyOutcome::BudgetExhausted, 0}};
        for (const auto& [outcome, attemptsLeft] : rows) {
            request();
            for (const unsigned left : {2U, 1U, 0U}) {
                const auto guessed = guessByAddress(outcome, attemptsLeft);
                CPPUNIT_ASSERT(guessed.outcome == VerifyOutcome::Unknown);
                CPPUNIT_ASSERT_EQUAL(left, guessed.attemptsLeft);
                CPPUNIT_ASSERT(!guessed.limit);
            }
            CPPUNIT_ASSERT(guessByAddress(outcome, attemptsLeft).outcome == VerifyOutcome::AttemptsExhausted);
        }
        // Who has the code is told why it is not taken.
        store_.newest = id_;
        store_.verifyResult.outcome = VerifyOutcome::BudgetExhausted;
        store_.verifyResult.hits = hits(settings().guessesPerDestination, 10);
        const auto right = verifyBy(service_, {{}, ada_, Purpose::Login}, codes_.codeFor(id_));
        CPPUNIT_ASSERT(right.outcome == VerifyOutcome::BudgetExhausted);
        CPPUNIT_ASSERT(right.limit->name == "guesses_per_destination");
    }

    void countsADevicesGuessesByThemselves() {
        const Uuid device = Uuid::makeV7(now(), random_);
        for (int i = 0; i < 4; ++i) guessByAddress(VerifyOutcome::Unknown);
        const auto guess = [&] {
            return service_.verify({{}, ada_, Purpose::Login}, "no code", device_, {client_, device}, now() + 168h);
        };
        CPPUNIT_ASSERT_EQUAL(2U, guess().attemptsLeft);
        CPPUNIT_ASSERT_EQUAL(1U, guess().attemptsLeft);
        service_.request({ada_, Purpose::Login, "de"}, {client_, device});
        CPPUNIT_ASSERT_EQUAL(2U, guess().attemptsLeft);
    }

    void saysByWhatACodeWasNamed() {
        verify("000000");
        CPPUNIT_ASSERT(store_.verifications.back().namedBy == CodeNamedBy::Id);
        verifyBy(service_, {{}, ada_, Purpose::Login}, "000000");
        CPPUNIT_ASSERT(store_.verifications.back().namedBy == CodeNamedBy::Address);
    }

    void letsACodeSignUpOnlyWhereThatIsAllowed() {
        verify("000000");
        CPPUNIT_ASSERT(store_.verifications.at(0).mayRegister);
        auto closed = settings();
        closed.autoRegister = false;
        OtpService invited = serviceOf(closed);
        verifyBy(invited, {id_, {}, {}}, "000000");
        CPPUNIT_ASSERT(!store_.verifications.at(1).mayRegister);
    }

    void makesAGuessAgainWhoseAnswerWasLost() {
        const auto guess = [&] { verify(codes_.codeFor(id_)); };
        store_.isLost = true;
        CPPUNIT_ASSERT_THROW(guess(), OutcomeUnknown);
        CPPUNIT_ASSERT_THROW(guess(), OutcomeUnknown);
        store_.isLost = false;
        guess();
        guess();
        const auto& made = store_.verifications;
        CPPUNIT_ASSERT(!made.at(0).isRepeated && made.at(1).isRepeated && made.at(2).isRepeated);
        CPPUNIT_ASSERT(made.at(2).sessionId == made.at(0).sessionId && made.at(2).now == made.at(0).now);
        // It was answered now.
        CPPUNIT_ASSERT(!made.at(3).isRepeated && made.at(3).sessionId != made.at(0).sessionId);
    }

    void exchangesAVerifiedCodeForAReceipt() {
        store_.verifyResult.outcome = VerifyOutcome::Verified;
        store_.verifyResult.purpose = Purpose::Reset;
        store_.verifyResult.destination = ada_;
        const std::string receipt = service_.receiptOf(verify(codes_.codeFor(id_)));
        CPPUNIT_ASSERT(service_.parseReceipt(receipt, Purpose::Reset) == id_);
        CPPUNIT_ASSERT(!service_.parseReceipt(receipt, Purpose::Register));
        clock_.advance(kReceiptLifetime);
        CPPUNIT_ASSERT(!service_.parseReceipt(receipt, Purpose::Reset));
    }

    void draftsTheNoticeOfANewDevice() {
        verify("000000");
        const NoticeDraft& draft = store_.verifications.back().notice.value();
        CPPUNIT_ASSERT(draft.kind == MessageKind::NewSignIn);
        CPPUNIT_ASSERT(draft.bySms == NoticeBySms::Never);
        CPPUNIT_ASSERT_EQUAL("2001:db8::1"s, draft.facts.ipAddress);
        CPPUNIT_ASSERT_EQUAL("Ada's phone (ios)"s, draft.facts.device);
        CPPUNIT_ASSERT_EQUAL("request-1"s, draft.requestId);
        CPPUNIT_ASSERT(draft.createdAt == now());
        CPPUNIT_ASSERT(draft.availableAt == now() + messenger_.lease());
        CPPUNIT_ASSERT(draft.expiresAt == now() + 24h);
    }

    void handsOverTheNoticeThatWasWritten() {
        verify("000000");
        CPPUNIT_ASSERT(messenger_.messages.empty());
        const NoticeDraft draft = store_.verifications.back().notice.value();
        store_.verifyResult.notice = makeNotice(draft, ada_, test::readerOf("de"));
        verify("000000");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
        CPPUNIT_ASSERT(messenger_.messages.at(0).id == draft.id);
        CPPUNIT_ASSERT(messenger_.messages.at(0).destination == ada_);
    }

    void draftsNoNoticeThatNobodyWants() {
        NoticeSettings none;
        none.newSignIn = false;
        OtpService service{store_,          messenger_,         codes_,     ring_, clock_, random_, metrics_,
                           unknownGuesses_, unansweredGuesses_, settings(), none};
        verifyBy(service, {id_, {}, {}}, "000000");
        CPPUNIT_ASSERT(!store_.verifications.back().notice);
    }

    void asksForAChangeInTheNameOfItsUser() {
        request();
        CPPUNIT_ASSERT(!asked().ownerId);
        service_.request({.destination = phone_, .purpose = Purpose::Change, .locale = {}, .ownerId = id_}, asker_);
        CPPUNIT_ASSERT(asked().ownerId == id_);
        CPPUNIT_ASSERT(asked().accountRule == AccountRule::Any);
    }

    void looksForAChangeInTheLaneOfItsUser() {
        const Uuid user = Uuid::makeV7(now(), random_);
        store_.newest = id_;
        const OtpReference reference{{}, phone_, Purpose::Change, user};
        const OtpVerification asked = redeemed(reference, codes_.codeFor(id_));
        CPPUNIT_ASSERT(asked.otpId == id_);
        CPPUNIT_ASSERT(asked.guess == Guess::Right);
        CPPUNIT_ASSERT(asked.ownerId == user);
        CPPUNIT_ASSERT(asked.purpose == Purpose::Change);
        CPPUNIT_ASSERT(store_.searches.at(0).device == user);
        CPPUNIT_ASSERT(store_.searches.at(0).purpose == Purpose::Change);
    }

    void hasTheGuessPutToUseByWhoeverRedeems() {
        const OtpVerification asked = redeemed({id_, {}, Purpose::Reset}, "no code");
        CPPUNIT_ASSERT(asked.otpId == id_);
        CPPUNIT_ASSERT(asked.purpose == Purpose::Reset);
        CPPUNIT_ASSERT(!asked.ownerId);
        CPPUNIT_ASSERT(asked.guess == Guess::Wrong);
        CPPUNIT_ASSERT_EQUAL(20U, asked.guessRule.capacity());
        CPPUNIT_ASSERT(asked.now == now());
        CPPUNIT_ASSERT(asked.auditIds[0] < asked.auditIds[1] && asked.auditIds[1] < asked.auditIds[2]);
        CPPUNIT_ASSERT_EQUAL("request-1"s, asked.client.requestId);
        // It is the redemption's alone: nothing else counts it, and no session is prepared.
        CPPUNIT_ASSERT(store_.verifications.empty());
        CPPUNIT_ASSERT(asked.sessionId == Uuid{} && asked.newUserId == Uuid{} && asked.newDeviceId == Uuid{});
        CPPUNIT_ASSERT(!asked.notice);
    }

    // Whoever names an address alone and guesses wrong is not told that somebody has signed in.
    void tellsThatACodeIsUsedToWhoeverKnowsIt() {
        store_.newest = id_;
        store_.verifyResult.outcome = VerifyOutcome::Used;
        const OtpReference byAddress{{}, ada_, Purpose::Login};
        CPPUNIT_ASSERT(verifyBy(service_, byAddress, "no code").outcome == VerifyOutcome::Unknown);
        CPPUNIT_ASSERT(verifyBy(service_, byAddress, codes_.codeFor(id_)).outcome == VerifyOutcome::Used);
        CPPUNIT_ASSERT(verify("no code").outcome == VerifyOutcome::Used);
    }

    // What a redemption that finds the code Unknown was asked.
    OtpVerification redeemed(const OtpReference& reference, const std::string& guess) {
        OtpVerification seen;
        service_.redeem(reference, guess, asker_, [&](const OtpVerification& verification) {
            seen = verification;
            return OtpVerifyResult{};
        });
        return seen;
    }

    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    const Client client_{"2001:db8::1", "2001:db8::/64", "Browser/1.0", "request-1"};
    const Device device_{"install-1", "ios", "4.2", "Ada's phone"};
    const Asker asker_{client_, std::nullopt};
    const Destination ada_ = Destination::parse("ada@example.org").value();
    const Destination phone_ = Destination::parse("+4366012345678").value();
    test::FakeClock clock_;
    test::CountingRandom random_;
    FakeOtpStore store_;
    FakeMessenger messenger_;
    const OtpCodes codes_{ring_, {}, ""};
    OtpMetrics metrics_;
    ProcessCounts unknownGuesses_;
    UnansweredGuesses unansweredGuesses_;
    OtpService service_{store_,          messenger_,         codes_,     ring_, clock_, random_, metrics_,
                        unknownGuesses_, unansweredGuesses_, settings(), {}};
    const Uuid id_ = Uuid::makeV7(clock_.now(), random_);
};

CPPUNIT_TEST_SUITE_REGISTRATION(OtpServiceTest);

}  // namespace otp_service_test
}  // namespace otpgate::domain
