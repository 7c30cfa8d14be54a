// Who gets a code, what a guess at one does, who is signed in by it and on which device: every rule, without a
// database.
#include "otpgate/domain/otp_rules.h"

#include "otpgate/domain/pending_registration.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <initializer_list>

namespace otpgate::domain {
namespace otp_rules_test {

using namespace std::chrono_literals;
using RequestOutcome = OtpRequestResult::Outcome;
using VerifyOutcome = OtpVerifyResult::Outcome;

class RulesTest : public CppUnit::TestFixture {
protected:
    static LimitRule rule(std::string_view text) { return LimitRule::parse(text).value(); }
    Uuid newId() { return Uuid::makeV7(now_, random_); }

    // One that has granted this many at this moment.
    Bucket bucketWith(unsigned hits) const {
        Bucket bucket;
        for (unsigned i = 0; i < hits; ++i) bucket.take(rule("1000/1h"), now_);
        return bucket;
    }

    test::CountingRandom random_;
    const Timestamp now_ = test::FakeClock{}.now();
    const Destination ada_ = Destination::parse("ada@example.org").value();
    const Destination phone_ = Destination::parse("+4366012345678").value();
};

class OtpRequestRulesTest : public RulesTest {
    CPPUNIT_TEST_SUITE(OtpRequestRulesTest);
    CPPUNIT_TEST(countsStrangersInTheLaneOfAll);
    CPPUNIT_TEST(countsAKnownDeviceInItsOwnLane);
    CPPUNIT_TEST(countsAChangeInTheLaneOfItsUserWhateverTheDevice);
    CPPUNIT_TEST(acceptsAndCountsInBothBuckets);
    CPPUNIT_TEST(acceptsAndCountsNoClientWhereThereIsNone);
    CPPUNIT_TEST(acceptsWithoutLimits);
    CPPUNIT_TEST(refusesWhatTheClientHasSpent);
    CPPUNIT_TEST(refusesWhatTheDestinationHasSpent);
    CPPUNIT_TEST(refusesTheClientFirst);
    CPPUNIT_TEST(hasARefusalAuditedOnceAMinuteABucket);
    CPPUNIT_TEST(letsThroughWhomTheRuleLets);
    CPPUNIT_TEST(sendsOnlyToWhomTheRuleLetsIn);
    CPPUNIT_TEST(hidesWhomItDoesNotLetThrough);
    CPPUNIT_TEST(revealsWhyItDoesNotLetThrough);
    CPPUNIT_TEST(countsWhatItRefusesByName);
    CPPUNIT_TEST(tellsNoAccountBeyondALimit);
    CPPUNIT_TEST(remembersWhenACodeMayBeAlive);
    CPPUNIT_TEST(countsForTheAccountThatAsks);
    CPPUNIT_TEST(asksForWorkWhereTheClientsLimitIsSpent);
    CPPUNIT_TEST(asksForWorkBeforeWhatTheSettingsSay);
    CPPUNIT_TEST(takesNoWorkForTheLimitOfSms);
    CPPUNIT_TEST(takesWorkOnce);
    CPPUNIT_TEST(asksNoKnownDeviceForWork);
    CPPUNIT_TEST_SUITE_END();

    NewOtpRequest request() {
        return {.id = newId(),
                .destination = ada_,
                .locale = "de",
                .now = now_,
                .expiresAt = now_ + 10min,
                .maxAttempts = 3,
                .oldestLive = now_ - 10min,
                .guessBucket = "guess",
                .clientBucket = "client",
                .clientRule = rule("3/1h"),
                .destinationBucket = "destination",
                .destinationRule = rule("2/1h"),
                .device = std::nullopt,
                .deviceGuessBucket = "guess-device",
                .deviceBucket = "device",
                .outboxId = {},
                .outboxAvailableAt = now_,
                .auditId = {},
                .client = {}};
    }
    std::optional<AddressOwner> owner(UserStatus status) { return AddressOwner{newId(), status, "de"}; }
    OtpRequestRuling ruleOn(const NewOtpRequest& request, const std::optional<AddressOwner>& owner = std::nullopt) {
        return ruleOnRequest(request, owner, {.destination = bucket_, .client = &client_});
    }

    void countsStrangersInTheLaneOfAll() {
        auto asked = request();
        asked.device = newId();  // that nobody knows
        for (const auto& each : {request(), asked}) {
            const OtpLane lane = laneOf(each, false);
            CPPUNIT_ASSERT(lane.id == kStrangersLane && lane.id == Uuid{});
            CPPUNIT_ASSERT_EQUAL(std::string{"destination"}, lane.bucket);
            CPPUNIT_ASSERT_EQUAL(std::string{"guess"}, lane.guessBucket);
            CPPUNIT_ASSERT(lane.countsForClient);
        }
    }

    void countsAKnownDeviceInItsOwnLane() {
        auto asked = request();
        asked.device = newId();
        const OtpLane lane = laneOf(asked, true);
        CPPUNIT_ASSERT(lane.id == asked.device);
        CPPUNIT_ASSERT_EQUAL(std::string{"device"}, lane.bucket);
        CPPUNIT_ASSERT_EQUAL(std::string{"guess-device"}, lane.guessBucket);
        CPPUNIT_ASSERT(!lane.countsForClient);
    }

    // The device's lane would keep the code from its owner: to everybody else a change code is Unknown.
    void countsAChangeInTheLaneOfItsUserWhateverTheDevice() {
        auto asked = request();
        asked.purpose = Purpose::Change;
        asked.ownerId = newId();
        asked.device = newId();
        for (const bool isKnown : {false, true}) {
            const OtpLane lane = laneOf(asked, isKnown);
            CPPUNIT_ASSERT(lane.id == asked.ownerId);
            CPPUNIT_ASSERT_EQUAL(std::string{"destination"}, lane.bucket);
            CPPUNIT_ASSERT_EQUAL(std::string{"guess"}, lane.guessBucket);
            CPPUNIT_ASSERT(lane.countsForClient);
        }
    }

    void acceptsAndCountsInBothBuckets() {
        const OtpRequestRuling ruling = ruleOn(request());
        CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(!ruling.isDiscarded);
        CPPUNIT_ASSERT(ruling.isToBeAudited);
        CPPUNIT_ASSERT(ruling.hits == packTime(now_));
        CPPUNIT_ASSERT(bucket_.hits() == packTime(now_));
        CPPUNIT_ASSERT(client_.hits() == packTime(now_));
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 1h);
    }

    void acceptsAndCountsNoClientWhereThereIsNone() {
        const OtpRequestRuling ruling = ruleOnRequest(request(), std::nullopt, {.destination = bucket_});
        CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(bucket_.hits() == packTime(now_));
    }

    // The destination's bucket remembers one time all the same, for as long as the code may live.
    void acceptsWithoutLimits() {
        auto asked = request();
        asked.clientRule = asked.destinationRule = {};
        for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(ruleOn(asked).outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(client_.hits().empty());
        CPPUNIT_ASSERT(bucket_.hits() == packTime(now_));
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 10min);
    }

    void refusesWhatTheClientHasSpent() {
        client_ = bucketWith(3);
        const OtpRequestRuling ruling = ruleOn(request());
        CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::ClientLimited);
        CPPUNIT_ASSERT(ruling.hits == client_.hits());
        CPPUNIT_ASSERT(!ruling.isDiscarded);
        CPPUNIT_ASSERT(ruling.isToBeAudited);
        // What is refused is counted nowhere.
        CPPUNIT_ASSERT(bucket_.hits().empty());
        CPPUNIT_ASSERT(client_.hits() == bucketWith(3).hits());
    }

    void refusesWhatTheDestinationHasSpent() {
        bucket_ = bucketWith(2);
        const OtpRequestRuling ruling = ruleOn(request());
        CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::DestinationLimited);
        CPPUNIT_ASSERT(ruling.hits == bucketWith(2).hits());
        CPPUNIT_ASSERT(ruling.isToBeAudited);
        CPPUNIT_ASSERT(client_.hits().empty());
    }

    void refusesTheClientFirst() {
        client_ = bucketWith(3);
        bucket_ = bucketWith(2);
        CPPUNIT_ASSERT(ruleOn(request()).outcome == RequestOutcome::ClientLimited);
        CPPUNIT_ASSERT(bucket_.refusedAt() == Timestamp{});
    }

    void countsForTheAccountThatAsks() {
        auto asked = request();
        asked.accountLimit = rule("1/1h");
        Bucket account;
        CPPUNIT_ASSERT(
            ruleOnRequest(asked, std::nullopt, {.destination = bucket_, .client = &client_, .account = &account})
                .outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(account.hits() == packTime(now_));
        const std::string before = bucket_.hits();
        const auto refused =
            ruleOnRequest(asked, std::nullopt, {.destination = bucket_, .client = &client_, .account = &account});
        CPPUNIT_ASSERT(refused.outcome == RequestOutcome::AccountLimited && refused.isToBeAudited);
        CPPUNIT_ASSERT(refused.hits == account.hits());
        CPPUNIT_ASSERT(bucket_.hits() == before && client_.hits() == before);
    }

    NewOtpRequest requestWith(AskForWork when, const Destination& to) {
        auto asked = request();
        asked.askForWork = when;
        asked.destination = to;
        return asked;
    }

    void asksForWorkWhereTheClientsLimitIsSpent() {
        const auto asked = requestWith(AskForWork::Limits, ada_);
        CPPUNIT_ASSERT(ruleOn(asked).outcome == RequestOutcome::Accepted);
        client_ = bucketWith(3);
        const std::string before = bucket_.hits();
        const auto ruling = ruleOn(asked);
        CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::WorkNeeded && ruling.isToBeAudited);
        CPPUNIT_ASSERT(ruling.hits == client_.hits());
        CPPUNIT_ASSERT(!ruleOn(asked).isToBeAudited && bucket_.hits() == before);
        Bucket work;
        CPPUNIT_ASSERT(
            ruleOnRequest(asked, std::nullopt, {.destination = bucket_, .client = &client_, .work = &work}).outcome ==
            RequestOutcome::Accepted);
        // What is worked for still counts for the destination.
        CPPUNIT_ASSERT(work.hits() == packTime(now_) && bucket_.hits() != before);
        Bucket more;
        CPPUNIT_ASSERT(
            ruleOnRequest(asked, std::nullopt, {.destination = bucket_, .client = &client_, .work = &more}).outcome ==
            RequestOutcome::DestinationLimited);
        CPPUNIT_ASSERT(more.hits().empty());
    }

    void asksForWorkBeforeWhatTheSettingsSay() {
        const Destination phone = Destination::parse("+4930123456").value();
        const std::pair<AskForWork, const Destination*> asked[] = {
            {AskForWork::Sms, &phone}, {AskForWork::Always, &ada_}, {AskForWork::Always, &phone}};
        for (const auto& [when, to] : asked)
            CPPUNIT_ASSERT(ruleOn(requestWith(when, *to)).outcome == RequestOutcome::WorkNeeded);
        CPPUNIT_ASSERT(client_.hits().empty() && bucket_.hits().empty());
        CPPUNIT_ASSERT(!ruleOn(requestWith(AskForWork::Always, ada_)).isToBeAudited);
        CPPUNIT_ASSERT(ruleOn(requestWith(AskForWork::Sms, ada_)).outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(ruleOn(requestWith(AskForWork::Limits, phone)).outcome == RequestOutcome::Accepted);
    }

    void takesNoWorkForTheLimitOfSms() {
        client_ = bucketWith(3);
        Bucket work;
        for (const AskForWork when : {AskForWork::Limits, AskForWork::Sms, AskForWork::Always}) {
            const auto asked = requestWith(when, Destination::parse("+4930123456").value());
            CPPUNIT_ASSERT(
                ruleOnRequest(asked, std::nullopt, {.destination = bucket_, .client = &client_, .work = &work})
                    .outcome == RequestOutcome::ClientLimited);
        }
        CPPUNIT_ASSERT(work.hits().empty());
        client_ = bucketWith(2);
        const auto asked = requestWith(AskForWork::Sms, Destination::parse("+4930123456").value());
        CPPUNIT_ASSERT(
            ruleOnRequest(asked, std::nullopt, {.destination = bucket_, .client = &client_, .work = &work}).outcome ==
            RequestOutcome::Accepted);
        CPPUNIT_ASSERT(client_.hits() != bucketWith(2).hits() && !work.hits().empty());
    }

    void takesWorkOnce() {
        const auto asked = requestWith(AskForWork::Always, ada_);
        Bucket work;
        const RequestBuckets buckets{.destination = bucket_, .work = &work};
        CPPUNIT_ASSERT(ruleOnRequest(asked, std::nullopt, buckets).outcome == RequestOutcome::Accepted);
        CPPUNIT_ASSERT(ruleOnRequest(asked, std::nullopt, buckets).outcome == RequestOutcome::WorkNeeded);
        CPPUNIT_ASSERT(work.expiresAt() >= now_ + kWorkFor);
    }

    void asksNoKnownDeviceForWork() {
        const auto asked = requestWith(AskForWork::Always, ada_);
        CPPUNIT_ASSERT(
            ruleOnRequest(asked, owner(UserStatus::Active), {.destination = bucket_, .isStrangers = false}).outcome ==
            RequestOutcome::Accepted);
    }

    void hasARefusalAuditedOnceAMinuteABucket() {
        client_ = bucketWith(3);
        bucket_ = bucketWith(2);
        auto asked = request();
        CPPUNIT_ASSERT(ruleOn(asked).isToBeAudited);
        CPPUNIT_ASSERT(!ruleOn(asked).isToBeAudited);
        // Of another bucket it is another refusal.
        client_ = {};
        CPPUNIT_ASSERT(ruleOn(asked).isToBeAudited);
        asked.now += 1min - 1us;
        CPPUNIT_ASSERT(!ruleOn(asked).isToBeAudited);
        asked.now += 1us;
        CPPUNIT_ASSERT(ruleOn(asked).isToBeAudited);
    }

    struct Case {
        AccountRule rule;
        bool lets;
    };
    // Each rule, with the accounts that there may be, and whether it lets through.
    template <typename Check>
    void forEachAccount(Check check) {
        for (const Disclosure disclosure : {Disclosure::Hide, Disclosure::Reveal}) {
            const auto checked = [&](std::initializer_list<Case> cases, const std::optional<AddressOwner>& who) {
                for (const Case& each : cases) {
                    auto asked = request();
                    asked.accountRule = each.rule;
                    asked.disclosure = disclosure;
                    client_ = bucket_ = {};
                    check(asked, who, each.lets, ruleOn(asked, who));
                }
            };
            checked({{AccountRule::Any, true}, {AccountRule::ActiveOrNew, true}, {AccountRule::Active, false}},
                    std::nullopt);
            checked({{AccountRule::Any, true}, {AccountRule::ActiveOrNew, true}, {AccountRule::Active, true}},
                    owner(UserStatus::Active));
            checked({{AccountRule::Any, true}, {AccountRule::ActiveOrNew, false}, {AccountRule::Active, false}},
                    owner(UserStatus::Disabled));
        }
    }

    // As nothing is sent to an account that is disabled, so that nobody is told what he cannot use.
    void sendsOnlyToWhomTheRuleLetsIn() {
        const SignInRule staff{{"staff"}};
        auto member = owner(UserStatus::Active);
        const auto isSent = [&](AccountRule rule) {
            auto asked = request();
            asked.accountRule = rule;
            asked.signIn = &staff;
            client_ = bucket_ = {};
            return !ruleOn(asked, member).isDiscarded;
        };
        CPPUNIT_ASSERT(!isSent(AccountRule::Active) && !isSent(AccountRule::ActiveOrNew) && isSent(AccountRule::Any));
        member->groups = {"staff"};
        CPPUNIT_ASSERT(isSent(AccountRule::Active) && isSent(AccountRule::ActiveOrNew));
        member->groups.clear();
        member->role = Role::Admin;
        CPPUNIT_ASSERT(isSent(AccountRule::Active));
        member->status = UserStatus::Disabled;
        CPPUNIT_ASSERT(!isSent(AccountRule::Active));
    }

    void letsThroughWhomTheRuleLets() {
        int times = 0;
        forEachAccount([&](const NewOtpRequest&, const auto&, bool lets, const OtpRequestRuling& ruling) {
            if (!lets) return;
            ++times;
            CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::Accepted);
            CPPUNIT_ASSERT(!ruling.isDiscarded);
            CPPUNIT_ASSERT(ruling.isToBeAudited);
        });
        CPPUNIT_ASSERT_EQUAL(12, times);
    }

    // To the outside it looks as if it were carried out.
    void hidesWhomItDoesNotLetThrough() {
        int times = 0;
        forEachAccount([&](const NewOtpRequest& asked, const auto&, bool lets, const OtpRequestRuling& ruling) {
            if (lets || asked.disclosure == Disclosure::Reveal) return;
            ++times;
            CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::Accepted);
            CPPUNIT_ASSERT(ruling.isDiscarded);
            CPPUNIT_ASSERT(ruling.isToBeAudited);
            CPPUNIT_ASSERT(ruling.hits == packTime(now_));
        });
        CPPUNIT_ASSERT_EQUAL(3, times);
    }

    void revealsWhyItDoesNotLetThrough() {
        int times = 0;
        forEachAccount([&](const NewOtpRequest& asked, const auto& who, bool lets, const OtpRequestRuling& ruling) {
            if (lets || asked.disclosure == Disclosure::Hide) return;
            ++times;
            CPPUNIT_ASSERT(ruling.outcome == (who ? RequestOutcome::AccountDisabled : RequestOutcome::UserNotFound));
            CPPUNIT_ASSERT(!ruling.isDiscarded);
            CPPUNIT_ASSERT(!ruling.isToBeAudited);
        });
        CPPUNIT_ASSERT_EQUAL(3, times);
    }

    // Or a list of addresses could be tried at will.
    void countsWhatItRefusesByName() {
        auto asked = request();
        asked.accountRule = AccountRule::Active;
        asked.disclosure = Disclosure::Reveal;
        const OtpRequestRuling ruling = ruleOn(asked);
        CPPUNIT_ASSERT(ruling.outcome == RequestOutcome::UserNotFound);
        CPPUNIT_ASSERT(ruling.hits == packTime(now_));
        CPPUNIT_ASSERT(bucket_.hits() == packTime(now_));
        CPPUNIT_ASSERT(client_.hits() == packTime(now_));
    }

    void tellsNoAccountBeyondALimit() {
        auto asked = request();
        asked.accountRule = AccountRule::Active;
        asked.disclosure = Disclosure::Reveal;
        bucket_ = bucketWith(2);
        CPPUNIT_ASSERT(ruleOn(asked).outcome == RequestOutcome::DestinationLimited);
        client_ = bucketWith(3);
        CPPUNIT_ASSERT(ruleOn(asked, owner(UserStatus::Disabled)).outcome == RequestOutcome::ClientLimited);
    }

    void remembersWhenACodeMayBeAlive() {
        const auto asked = request();
        CPPUNIT_ASSERT(!mayHaveLiveCode(asked, Bucket{}));
        const auto lastAt = [](Timestamp time) { return Bucket{packTime(time), time + 1h, {}}; };
        CPPUNIT_ASSERT(!mayHaveLiveCode(asked, lastAt(asked.oldestLive)));
        CPPUNIT_ASSERT(mayHaveLiveCode(asked, lastAt(asked.oldestLive + 1us)));
        CPPUNIT_ASSERT(mayHaveLiveCode(asked, lastAt(now_)));
    }

    Bucket client_;
    Bucket bucket_;
};

class OtpGuessRulesTest : public RulesTest {
    CPPUNIT_TEST_SUITE(OtpGuessRulesTest);
    CPPUNIT_TEST(countsATryBeforeItTells);
    CPPUNIT_TEST(triesNothingMoreAtAUsedCode);
    CPPUNIT_TEST(triesAsOftenAsTheCodeSays);
    CPPUNIT_TEST(refusesRightAndWrongOnesOnASpentBudget);
    CPPUNIT_TEST(takesNoPlaceForARightOne);
    CPPUNIT_TEST(countsNoPlacesWithoutABudget);
    CPPUNIT_TEST(namesTheFirstReasonOfSeveral);
    CPPUNIT_TEST(knowsNoCodeOfAnotherPurpose);
    CPPUNIT_TEST(knowsNoChangeOfAnotherUser);
    CPPUNIT_TEST(knowsTheOwnersChangeWhateverTheDevice);
    CPPUNIT_TEST(asksForNoOwnerOfOtherCodes);
    CPPUNIT_TEST(endsACodeAtItsTime);
    CPPUNIT_TEST(findsTheDeviceThatIsShown);
    CPPUNIT_TEST(findsTheNewestInstallationOfThatName);
    CPPUNIT_TEST(findsNoDeviceOfAnother);
    CPPUNIT_TEST(findsNoDeviceWithoutAName);
    CPPUNIT_TEST(knowsNothingOfNoCode);
    CPPUNIT_TEST(tellsChannelAndPurposeOfEveryCode);
    CPPUNIT_TEST(registersWhoIsNew);
    CPPUNIT_TEST(registersByPhone);
    CPPUNIT_TEST(signsInWhoIsKnown);
    CPPUNIT_TEST(signsInNobodyWhoMayNotRegister);
    CPPUNIT_TEST(signsUpOnlyWhomTheRuleAllows);
    CPPUNIT_TEST(signsInNobodyByACodeWhoHasAFactor);
    CPPUNIT_TEST(leavesTheRestToTheAppOfAnAccountThatHasOne);
    CPPUNIT_TEST(takesATrustedDeviceForTheSecondStep);
    CPPUNIT_TEST(opensNothingToWhoMustAddAFactorFirst);
    CPPUNIT_TEST(signsInNobodyWhoIsDisabled);
    CPPUNIT_TEST(signsInOnlyWhomTheRuleLetsIn);
    CPPUNIT_TEST(signsInOnAKnownDevice);
    CPPUNIT_TEST(answersAGuessAgainWhoseAnswerWasLost);
    CPPUNIT_TEST(makesAGuessThatWasLostItself);
    CPPUNIT_TEST(answersAgainNobodyElse);
    CPPUNIT_TEST(provesTheAddressForEveryPurposeButChange);
    CPPUNIT_TEST(provesAnAddressThatNobodyHas);
    CPPUNIT_TEST(touchesNobodyByAChange);
    CPPUNIT_TEST(auditsAWrongGuess);
    CPPUNIT_TEST(auditsASpentBudgetOnceAMinute);
    CPPUNIT_TEST(auditsNoGuessAtADeadCode);
    CPPUNIT_TEST(tellsWhoHasSignedInBefore);
    CPPUNIT_TEST(tellsTimesAsThoseClocksThatWereKnownBefore);
    CPPUNIT_TEST(tellsNobodyElse);
    CPPUNIT_TEST(tellsWhereTheUserIsTold);
    CPPUNIT_TEST(makesTheAccountOfAFormForWhoFilledItIn);
    CPPUNIT_TEST(makesABareAccountForWhoNamesTheAddressAlone);
    CPPUNIT_TEST(leavesAnAccountThatIsThereToItsOwner);
    CPPUNIT_TEST(makesNothingOfAFormThatIsNotThere);
    CPPUNIT_TEST(packsAForm);
    CPPUNIT_TEST(countsFailuresInARow);
    CPPUNIT_TEST(countsNoFailureWhereNobodyGetsIn);
    CPPUNIT_TEST(takesNoShortCodeAfterTooManyFailures);
    CPPUNIT_TEST(notesForRequestsWhatALaneTakes);
    CPPUNIT_TEST(tellsTheOwnerOfTheLastFailureAlone);
    CPPUNIT_TEST(signsInByLinkWhateverIsSpent);
    CPPUNIT_TEST(signsInByLinkOnceAndForItsAddressAlone);
    CPPUNIT_TEST_SUITE_END();

    void countsFailuresInARow() {
        for (const Purpose purpose : {Purpose::Login, Purpose::Reset}) {
            budget_ = Bucket{"", now_, {}, 7};
            auto otp = code(purpose);
            ruleOn(guessAt(otp, Guess::Wrong), otp);
            CPPUNIT_ASSERT_EQUAL(8U, budget_.failures());
            ruleOn(guessAt(otp), otp);
            CPPUNIT_ASSERT_EQUAL(0U, budget_.failures());
        }
    }

    void countsNoFailureWhereNobodyGetsIn() {
        for (const Purpose purpose : {Purpose::Register, Purpose::Verify, Purpose::Change}) {
            budget_ = Bucket{"", now_, {}, kMostFailures};
            auto otp = code(purpose);
            CPPUNIT_ASSERT(ruleOn(guessAt(otp, Guess::Wrong), otp).result.outcome == VerifyOutcome::WrongCode);
            CPPUNIT_ASSERT(ruleOn(guessAt(otp), otp).result.outcome == VerifyOutcome::Verified);
            CPPUNIT_ASSERT_EQUAL(kMostFailures, budget_.failures());
        }
    }

    void takesNoShortCodeAfterTooManyFailures() {
        user_ = user();
        for (const Guess guess : {Guess::Wrong, Guess::Right}) {
            budget_ = Bucket{"", now_, {}, kMostFailures};
            auto otp = code();
            const auto ruling = ruleOn(guessAt(otp, guess), otp);
            CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::AttemptsExhausted);
            CPPUNIT_ASSERT_EQUAL(0U, otp.tries.count);
            CPPUNIT_ASSERT_EQUAL(kMostFailures, budget_.failures());
        }
        budget_ = Bucket{};
        auto otp = code();
        auto guess = guessAt(otp);
        guess.linkUse = LinkUse::Instead;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.outcome == VerifyOutcome::AttemptsExhausted);
    }

    void notesForRequestsWhatALaneTakes() {
        user_ = user();
        const auto noted = [&](unsigned before, Guess verdict, GuessBy by, const Uuid& lane) {
            budget_ = Bucket{"", now_, {}, before};
            auto otp = code();
            otp.lane = lane;
            auto guess = guessAt(otp, verdict);
            guess.by = by;
            return ruleOn(guess, otp).failures;
        };
        const auto strangers = noted(kMostFailures - 1, Guess::Wrong, GuessBy::Code, kStrangersLane);
        CPPUNIT_ASSERT_EQUAL(kMostFailures, strangers.value().failures);
        CPPUNIT_ASSERT(strangers->requestBucket == requestBucketOf(code().destination));
        const auto device = noted(kMostFailures - 1, Guess::Wrong, GuessBy::Code, newId());
        CPPUNIT_ASSERT(device.value().requestBucket == deviceRequestBucketOf(code().destination));
        CPPUNIT_ASSERT_EQUAL(0U, noted(kMostFailures, Guess::Right, GuessBy::Link, kStrangersLane).value().failures);
        CPPUNIT_ASSERT(!noted(kMostFailures - 2, Guess::Wrong, GuessBy::Code, kStrangersLane));
        CPPUNIT_ASSERT(!noted(kMostFailures - 1, Guess::Right, GuessBy::Code, kStrangersLane));
        // Of those that are refused, once a minute.
        CPPUNIT_ASSERT(noted(kMostFailures, Guess::Right, GuessBy::Code, kStrangersLane));
        auto otp = code();
        CPPUNIT_ASSERT(!ruleOn(guessAt(otp), otp).failures);
        auto later = guessAt(otp);
        later.now += 1min;
        CPPUNIT_ASSERT(ruleOn(later, otp).failures);
    }

    void tellsTheOwnerOfTheLastFailureAlone() {
        user_ = user();
        user_->emailVerified = true;
        for (const unsigned before : {kMostFailures - 2, kMostFailures - 1}) {
            budget_ = Bucket{"", now_, {}, before};
            auto otp = code();
            auto guess = guessAt(otp, Guess::Wrong);
            guess.failuresNotice = guess.notice;
            guess.failuresNotice->kind = MessageKind::ManyFailures;
            const auto ruling = ruleOn(guess, otp);
            CPPUNIT_ASSERT_EQUAL(before + 1 == kMostFailures, ruling.result.notice.has_value());
            if (ruling.result.notice) CPPUNIT_ASSERT(ruling.result.notice->kind == MessageKind::ManyFailures);
        }
    }

    void signsInByLinkWhateverIsSpent() {
        user_ = user();
        budget_ = Bucket{packTime(now_) + packTime(now_), now_ + 1h, {}, kMostFailures};
        auto otp = code();
        otp.tries.count = otp.tries.most;
        auto guess = guessAt(otp);
        guess.by = GuessBy::Link;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.signIn);
        CPPUNIT_ASSERT(otp.tries.consumedAt == now_);
        CPPUNIT_ASSERT_EQUAL(0U, budget_.failures());
    }

    void signsInByLinkOnceAndForItsAddressAlone() {
        user_ = user();
        auto otp = code();
        auto guess = guessAt(otp);
        guess.by = GuessBy::Link;
        guess.typedAddress = Destination::parse("eve@example.org");
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.outcome == VerifyOutcome::Unknown);
        guess.typedAddress = ada_;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.signIn);
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.outcome == VerifyOutcome::Used);

        auto late = code();
        late.expiresAt = now_;
        guess = guessAt(late);
        guess.by = GuessBy::Link;
        CPPUNIT_ASSERT(ruleOn(guess, late).result.outcome == VerifyOutcome::Expired);
        auto reset = code(Purpose::Reset);
        guess = guessAt(reset);
        guess.by = GuessBy::Link;
        CPPUNIT_ASSERT(ruleOn(guess, reset).result.outcome == VerifyOutcome::Unknown);
    }

    static constexpr Purpose kPurposes[] = {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset,
                                            Purpose::Change};

    StoredOtp code(Purpose purpose = Purpose::Login) {
        return {.id = newId(),
                .destination = ada_,
                .purpose = purpose,
                .lane = purpose == Purpose::Change ? asker_ : kStrangersLane,
                .methods = "pwd otp",
                .guessBucket = "guess",
                .tries = {.count = 0, .most = 3, .consumedAt = std::nullopt},
                .expiresAt = now_ + 5min};
    }
    OtpVerification guessAt(const StoredOtp& otp, Guess guess = Guess::Right) {
        return {.otpId = otp.id,
                .purpose = std::nullopt,
                .ownerId = otp.purpose == Purpose::Change ? std::optional{otp.lane} : std::nullopt,
                .guess = guess,
                .guessRule = rule("2/1h"),
                .now = now_,
                .newUserId = newId(),
                .sessionId = newId(),
                .sessionExpiresAt = now_ + 168h,
                .newDeviceId = newId(),
                .device = {"install-1", "ios", "4.2", "Ada's phone"},
                .auditIds = {newId(), newId(), newId()},
                .notice = NoticeDraft{.id = newId(),
                                      .kind = MessageKind::NewSignIn,
                                      .facts = {.ipAddress = "192.0.2.7", .device = "x", .changedAddress = {}},
                                      .requestId = "request-1",
                                      .createdAt = now_,
                                      .expiresAt = now_ + 24h,
                                      .availableAt = now_ + 10s},
                .client = {"192.0.2.7", "192.0.2.7", "Browser/1.0", "request-1", "pt-BR,pt"}};
    }
    User user(UserStatus status = UserStatus::Active) {
        User user;
        user.id = newId();
        user.username = "ada";
        user.email = ada_.value();
        user.phoneNumber = phone_.value();
        user.locale = "de";
        user.status = status;
        user.joinedAt = now_ - 48h;
        user.lastLoginAt = now_ - 24h;
        return user;
    }
    GuessRuling ruleOn(const OtpVerification& guess, StoredOtp& otp) {
        return ruleOnGuess(guess, {&otp, &budget_, user_, devices_});
    }

    struct Expected {
        AuditEvent event;
        std::size_t id;
        std::optional<Uuid> user;
    };
    static void assertEvents(std::initializer_list<Expected> expected, const OtpVerification& guess,
                             const GuessRuling& ruling) {
        CPPUNIT_ASSERT_EQUAL(expected.size(), ruling.events.size());
        auto draft = ruling.events.begin();
        for (const Expected& each : expected) {
            CPPUNIT_ASSERT(draft->event == each.event);
            CPPUNIT_ASSERT(draft->id == guess.auditIds.at(each.id));
            CPPUNIT_ASSERT(draft->userId == each.user);
            ++draft;
        }
    }
    static void assertNobodySignedIn(const GuessRuling& ruling) {
        CPPUNIT_ASSERT(!ruling.result.signIn);
        CPPUNIT_ASSERT(!ruling.result.notice);
    }

    TryOutcome tryIt(Guess guess, const LimitRule& rule = {}) { return countTry(guess, rule, now_, tries_, budget_); }

    void countsATryBeforeItTells() {
        CPPUNIT_ASSERT(tryIt(Guess::Wrong) == TryOutcome::Wrong);
        CPPUNIT_ASSERT_EQUAL(1U, tries_.count);
        CPPUNIT_ASSERT(!tries_.consumedAt);
        CPPUNIT_ASSERT(tryIt(Guess::Right) == TryOutcome::Right);
        CPPUNIT_ASSERT_EQUAL(2U, tries_.count);
        CPPUNIT_ASSERT(tries_.consumedAt == now_);
    }

    void triesNothingMoreAtAUsedCode() {
        tryIt(Guess::Right);
        for (const Guess guess : {Guess::Right, Guess::Wrong}) {
            CPPUNIT_ASSERT(tryIt(guess, rule("1/1h")) == TryOutcome::Used);
        }
        CPPUNIT_ASSERT_EQUAL(1U, tries_.count);
        CPPUNIT_ASSERT(budget_.hits().empty());
    }

    void triesAsOftenAsTheCodeSays() {
        for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(tryIt(Guess::Wrong) == TryOutcome::Wrong);
        for (const Guess guess : {Guess::Right, Guess::Wrong}) {
            CPPUNIT_ASSERT(tryIt(guess, rule("9/1h")) == TryOutcome::TriesExhausted);
        }
        CPPUNIT_ASSERT_EQUAL(3U, tries_.count);
        CPPUNIT_ASSERT(budget_.hits().empty());
    }

    void refusesRightAndWrongOnesOnASpentBudget() {
        budget_ = bucketWith(2);
        for (const Guess guess : {Guess::Right, Guess::Wrong}) {
            CPPUNIT_ASSERT(tryIt(guess, rule("2/1h")) == TryOutcome::BudgetExhausted);
        }
        // It is no try, and spends nothing.
        CPPUNIT_ASSERT_EQUAL(0U, tries_.count);
        CPPUNIT_ASSERT(!tries_.consumedAt);
        CPPUNIT_ASSERT(budget_.hits() == bucketWith(2).hits());
        CPPUNIT_ASSERT(tryIt(Guess::Right, rule("3/1h")) == TryOutcome::Right);
    }

    void takesNoPlaceForARightOne() {
        CPPUNIT_ASSERT(tryIt(Guess::Wrong, rule("2/1h")) == TryOutcome::Wrong);
        CPPUNIT_ASSERT(budget_.hits() == packTime(now_));
        CPPUNIT_ASSERT(tryIt(Guess::Right, rule("2/1h")) == TryOutcome::Right);
        CPPUNIT_ASSERT(budget_.hits() == packTime(now_));
    }

    void countsNoPlacesWithoutABudget() {
        for (int i = 0; i < 3; ++i) tryIt(Guess::Wrong);
        CPPUNIT_ASSERT(budget_.hits().empty());
    }

    StoredOtp codeOfForm() {
        StoredOtp otp = code(Purpose::Verify);
        otp.registration = packRegistration(form_);
        return otp;
    }

    void makesTheAccountOfAFormForWhoFilledItIn() {
        StoredOtp otp = codeOfForm();
        auto guess = guessAt(otp);
        guess.namedBy = CodeNamedBy::Id;
        std::optional<User> user;
        const auto ruling = ruleOnGuess(guess, {&otp, &budget_, user, {}});
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified && !ruling.result.signIn);
        CPPUNIT_ASSERT(user && user->id == form_.userId && user->email == ada_.value());
        CPPUNIT_ASSERT(user->emailVerified && user->hasPassword && user->role == Role::User);
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada"}, user->firstName);
        CPPUNIT_ASSERT_EQUAL(std::string{"Lovelace"}, user->lastName);
        CPPUNIT_ASSERT_EQUAL(std::string{"en-GB"}, user->locale);
        CPPUNIT_ASSERT(ruling.passwordHash == form_.passwordHash);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, ruling.events.size());
        CPPUNIT_ASSERT(ruling.events[1].event == AuditEvent::UserRegistered);
        CPPUNIT_ASSERT(ruling.events[0].userId == form_.userId && ruling.events[1].userId == form_.userId);
    }

    // Anybody may have filled it in after the owner did, and the owner reads the newest code.
    void makesABareAccountForWhoNamesTheAddressAlone() {
        StoredOtp otp = codeOfForm();
        std::optional<User> user;
        const auto ruling = ruleOnGuess(guessAt(otp), {&otp, &budget_, user, {}});
        CPPUNIT_ASSERT(user && user->id == form_.userId && user->emailVerified);
        CPPUNIT_ASSERT(!user->hasPassword && !ruling.passwordHash);
        CPPUNIT_ASSERT(user->firstName.empty() && user->lastName.empty());
    }

    void leavesAnAccountThatIsThereToItsOwner() {
        StoredOtp otp = codeOfForm();
        auto guess = guessAt(otp);
        guess.namedBy = CodeNamedBy::Id;
        std::optional<User> user;
        user.emplace();
        user->id = newId();
        user->email = ada_.value();
        user->firstName = "Augusta";
        const auto ruling = ruleOnGuess(guess, {&otp, &budget_, user, {}});
        CPPUNIT_ASSERT(user->emailVerified && user->id != form_.userId);
        CPPUNIT_ASSERT_EQUAL(std::string{"Augusta"}, user->firstName);
        CPPUNIT_ASSERT(!ruling.passwordHash);
        CPPUNIT_ASSERT(ruling.events.at(1).event == AuditEvent::RegistrationRefused);
    }

    void makesNothingOfAFormThatIsNotThere() {
        for (const std::optional<std::string>& nothing : {std::optional<std::string>{}, std::optional{std::string{}}}) {
            StoredOtp otp = code(Purpose::Verify);
            otp.registration = nothing;
            std::optional<User> user;
            CPPUNIT_ASSERT(ruleOnGuess(guessAt(otp), {&otp, &budget_, user, {}}).result.outcome ==
                           VerifyOutcome::Verified);
            CPPUNIT_ASSERT(!user);
        }
    }

    void packsAForm() {
        const std::string packed = packRegistration(form_);
        CPPUNIT_ASSERT(unpackRegistration(packed).value().passwordHash == form_.passwordHash);
        PendingRegistration bare;
        bare.userId = newId();
        CPPUNIT_ASSERT(!unpackRegistration(packRegistration(bare)).value().passwordHash);
        for (std::size_t length = 0; length < packed.size(); ++length) {
            CPPUNIT_ASSERT(!unpackRegistration(std::string_view{packed}.substr(0, length)));
        }
        CPPUNIT_ASSERT(!unpackRegistration(packed + "x") && !unpackRegistration("\x02" + packed.substr(1)));
    }

    const PendingRegistration form_{newId(), "a hash", "Ada", "Lovelace", "en-GB"};

    // Purpose and owner, used, expired, tries, budget.
    void namesTheFirstReasonOfSeveral() {
        StoredOtp otp = code();
        otp.tries = {.count = 3, .most = 3, .consumedAt = now_ - 1s};
        otp.expiresAt = now_;
        budget_ = bucketWith(2);
        auto guess = guessAt(otp);
        guess.purpose = Purpose::Reset;
        const auto outcome = [&] { return countGuess(guess, otp, budget_); };
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::Unknown);
        guess.purpose = Purpose::Login;
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::Used);
        otp.tries.consumedAt.reset();
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::Expired);
        otp.expiresAt = now_ + 1us;
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::AttemptsExhausted);
        otp.tries.count = 2;
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::BudgetExhausted);
        budget_ = {};
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(outcome() == VerifyOutcome::Used);
    }

    void assertUntouched(const StoredOtp& otp) {
        CPPUNIT_ASSERT_EQUAL(0U, otp.tries.count);
        CPPUNIT_ASSERT(!otp.tries.consumedAt);
        CPPUNIT_ASSERT(budget_.hits().empty());
        CPPUNIT_ASSERT(budget_.refusedAt() == Timestamp{});
    }

    void knowsNoCodeOfAnotherPurpose() {
        for (const Purpose purpose : kPurposes) {
            for (const Purpose wanted : kPurposes) {
                for (const Guess right : {Guess::Right, Guess::Wrong}) {
                    StoredOtp otp = code(purpose);
                    auto guess = guessAt(otp, right);
                    guess.purpose = wanted;
                    budget_ = {};
                    const auto expected = right == Guess::Right ? VerifyOutcome::Verified : VerifyOutcome::WrongCode;
                    CPPUNIT_ASSERT(countGuess(guess, otp, budget_) ==
                                   (wanted == purpose ? expected : VerifyOutcome::Unknown));
                    if (wanted != purpose) assertUntouched(otp);
                }
            }
        }
    }

    void knowsNoChangeOfAnotherUser() {
        StoredOtp otp = code(Purpose::Change);
        for (const auto& owner : {std::optional<Uuid>{}, std::optional{newId()}, std::optional{kStrangersLane}}) {
            for (const auto& wanted : {std::optional<Purpose>{}, std::optional{Purpose::Change}}) {
                for (const Guess right : {Guess::Right, Guess::Wrong}) {
                    auto guess = guessAt(otp, right);
                    guess.ownerId = owner;
                    guess.purpose = wanted;
                    const GuessRuling ruling = ruleOn(guess, otp);
                    CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Unknown);
                    assertEvents({}, guess, ruling);
                    assertUntouched(otp);
                }
            }
        }
    }

    void knowsTheOwnersChangeWhateverTheDevice() {
        for (const auto& device : {ShownDevice{}, ShownDevice{newId()}}) {
            StoredOtp otp = code(Purpose::Change);
            auto guess = guessAt(otp);
            guess.shownDevice = device;
            CPPUNIT_ASSERT(countGuess(guess, otp, budget_) == VerifyOutcome::Verified);
        }
    }

    void asksForNoOwnerOfOtherCodes() {
        for (const Purpose purpose : {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            StoredOtp otp = code(purpose);
            otp.lane = newId();  // of a device
            auto guess = guessAt(otp);
            guess.ownerId = newId();
            CPPUNIT_ASSERT(countGuess(guess, otp, budget_) == VerifyOutcome::Verified);
        }
    }

    void endsACodeAtItsTime() {
        StoredOtp otp = code();
        otp.expiresAt = now_;
        for (const Guess right : {Guess::Right, Guess::Wrong}) {
            CPPUNIT_ASSERT(countGuess(guessAt(otp, right), otp, budget_) == VerifyOutcome::Expired);
        }
        assertUntouched(otp);
        otp.expiresAt = now_ + 1us;
        CPPUNIT_ASSERT(countGuess(guessAt(otp), otp, budget_) == VerifyOutcome::Verified);
    }

    void findsTheDeviceThatIsShown() {
        const Uuid user = newId();
        devices_ = {{newId(), user, "install-1"}, {newId(), user, ""}, {newId(), user, "install-1"}};
        auto guess = guessAt(code());
        // It wins over the name, and over the newest.
        for (const StoredDevice& device : devices_) {
            guess.shownDevice = device.id;
            CPPUNIT_ASSERT(findSameDevice(guess, user, devices_) == device.id);
        }
    }

    void findsTheNewestInstallationOfThatName() {
        const Uuid user = newId();
        const Uuid oldest = newId();
        const Uuid newest = newId();
        const Uuid other = newId();
        const auto guess = guessAt(code());
        for (const bool isOldestFirst : {true, false}) {
            devices_ = {{other, user, "install-2"},
                        {isOldestFirst ? oldest : newest, user, "install-1"},
                        {isOldestFirst ? newest : oldest, user, "install-1"}};
            CPPUNIT_ASSERT(findSameDevice(guess, user, devices_) == newest);
        }
        // One that is shown and not there (revoked, say) leaves the name.
        auto shown = guess;
        shown.shownDevice = newId();
        CPPUNIT_ASSERT(findSameDevice(shown, user, devices_) == newest);
    }

    void findsNoDeviceOfAnother() {
        const Uuid device = newId();
        devices_ = {{device, newId(), "install-1"}};
        auto guess = guessAt(code());
        guess.shownDevice = device;
        CPPUNIT_ASSERT(!findSameDevice(guess, newId(), devices_));
        CPPUNIT_ASSERT(!findSameDevice(guess, newId(), {}));
    }

    // Neither do two without a name have the same one.
    void findsNoDeviceWithoutAName() {
        const Uuid user = newId();
        devices_ = {{newId(), user, ""}, {newId(), user, "install-2"}};
        auto guess = guessAt(code());
        CPPUNIT_ASSERT(!findSameDevice(guess, user, devices_));
        guess.device.installId.clear();
        CPPUNIT_ASSERT(!findSameDevice(guess, user, devices_));
    }

    void knowsNothingOfNoCode() {
        StoredOtp otp = code();
        const auto guess = guessAt(otp);
        for (const GuessRuling& ruling : {ruleOnGuess(guess, {nullptr, &budget_, user_, devices_}),
                                          ruleOnGuess(guess, {&otp, nullptr, user_, devices_})}) {
            CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Unknown);
            CPPUNIT_ASSERT(!ruling.result.channel);
            assertEvents({}, guess, ruling);
        }
        assertUntouched(otp);
        CPPUNIT_ASSERT(!user_);
    }

    void tellsChannelAndPurposeOfEveryCode() {
        for (const Purpose purpose : kPurposes) {
            for (const Guess right : {Guess::Right, Guess::Wrong}) {
                StoredOtp otp = code(purpose);
                otp.destination = phone_;
                budget_ = {};
                user_.reset();
                const auto guess = guessAt(otp, right);
                for (int i = 0; i < 2; ++i) {
                    const GuessRuling ruling = ruleOn(guess, otp);
                    CPPUNIT_ASSERT(ruling.result.channel == Channel::Sms);
                    CPPUNIT_ASSERT(ruling.result.purpose == purpose);
                }
            }
        }
    }

    void registersWhoIsNew() {
        StoredOtp otp = code();
        const auto guess = guessAt(otp);
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(ruling.result.destination == ada_);
        const User& made = user_.value();
        CPPUNIT_ASSERT(made.id == guess.newUserId);
        CPPUNIT_ASSERT(!made.username && made.displayName.empty() && made.groups.empty());
        CPPUNIT_ASSERT(made.email == ada_.value());
        CPPUNIT_ASSERT(!made.phoneNumber);
        CPPUNIT_ASSERT(made.emailVerified && !made.phoneVerified);
        CPPUNIT_ASSERT_EQUAL(std::string{"pt-BR"}, made.locale);
        CPPUNIT_ASSERT(made.role == Role::User && made.status == UserStatus::Active);
        CPPUNIT_ASSERT(made.joinedAt == now_);
        CPPUNIT_ASSERT(made.lastLoginAt == now_);
        const SignIn& signIn = ruling.result.signIn.value();
        CPPUNIT_ASSERT(signIn.isNewUser);
        CPPUNIT_ASSERT(signIn.user.id == made.id);
        CPPUNIT_ASSERT(signIn.user.lastLoginAt == now_);
        CPPUNIT_ASSERT(signIn.sessionId == guess.sessionId);
        CPPUNIT_ASSERT(signIn.deviceId == guess.newDeviceId);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, signIn.methods);
        CPPUNIT_ASSERT(!ruling.result.notice);
        assertEvents({{AuditEvent::OtpVerified, 0, made.id},
                      {AuditEvent::UserRegistered, 1, made.id},
                      {AuditEvent::LoginSucceeded, 2, made.id}},
                     guess, ruling);
    }

    void registersByPhone() {
        StoredOtp otp = code();
        otp.destination = phone_;
        ruleOn(guessAt(otp), otp);
        CPPUNIT_ASSERT(user_.value().phoneNumber == phone_.value());
        CPPUNIT_ASSERT(!user_->email);
        CPPUNIT_ASSERT(user_->phoneVerified && !user_->emailVerified);
        CPPUNIT_ASSERT(!user_->username);
    }

    void signsInWhoIsKnown() {
        const User before = user();
        user_ = before;
        StoredOtp otp = code();
        const auto guess = guessAt(otp);
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(!ruling.result.signIn.value().isNewUser);
        CPPUNIT_ASSERT(ruling.result.signIn->user.id == before.id);
        CPPUNIT_ASSERT(ruling.result.signIn->user.lastLoginAt == now_);
        CPPUNIT_ASSERT(user_->emailVerified && !user_->phoneVerified);
        CPPUNIT_ASSERT(user_->lastLoginAt == now_);
        CPPUNIT_ASSERT(user_->joinedAt == before.joinedAt);
        CPPUNIT_ASSERT_EQUAL(std::string{"de"}, user_->locale);
        assertEvents({{AuditEvent::OtpVerified, 0, before.id}, {AuditEvent::LoginSucceeded, 2, before.id}}, guess,
                     ruling);
    }

    void signsInNobodyWhoMayNotRegister() {
        StoredOtp otp = code();
        auto guess = guessAt(otp);
        guess.mayRegister = false;
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Unknown);
        CPPUNIT_ASSERT(!ruling.result.destination);
        CPPUNIT_ASSERT(!user_);
        assertNobodySignedIn(ruling);
        CPPUNIT_ASSERT(otp.tries.consumedAt == now_);
        assertEvents({{AuditEvent::OtpVerified, 0, std::nullopt}, {AuditEvent::LoginFailed, 2, std::nullopt}}, guess,
                     ruling);
    }

    // The code may have been sent while there was an account.
    void signsUpOnlyWhomTheRuleAllows() {
        const SignUpRule others{{"elsewhere.example"}, {}};
        StoredOtp otp = code();
        auto guess = guessAt(otp);
        guess.signUp = &others;
        assertNobodySignedIn(ruleOn(guess, otp));
        CPPUNIT_ASSERT(!user_);
        const SignUpRule all{};
        otp = code();
        guess = guessAt(otp);
        guess.signUp = &all;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.outcome == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(user_);
    }

    // kratos#4317: whatever the code came with, it is one factor.
    void signsInNobodyByACodeWhoHasAFactor() {
        for (const char* methods : {"otp", "pwd otp", "otp otp"}) {
            User before = user();
            before.hasFactor = true;
            user_ = before;
            StoredOtp otp = code();
            otp.methods = methods;
            auto guess = guessAt(otp);
            const GuessRuling ruling = ruleOn(guess, otp);
            CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::NeedsFactor);
            CPPUNIT_ASSERT(!ruling.result.destination && !ruling.result.notice);
            assertNobodySignedIn(ruling);
            CPPUNIT_ASSERT(user_->lastLoginAt == before.lastLoginAt);
            CPPUNIT_ASSERT(otp.tries.consumedAt == now_);
            assertEvents({{AuditEvent::OtpVerified, 0, before.id}, {AuditEvent::LoginFailed, 2, before.id}}, guess,
                         ruling);
            guess.isRepeated = true;
            const GuessRuling repeated = ruleOn(guess, otp);
            CPPUNIT_ASSERT(repeated.result.outcome == VerifyOutcome::NeedsFactor && !repeated.result.signIn);
        }
        // Nor by the link of a message.
        user_->hasFactor = true;
        StoredOtp otp = code();
        auto guess = guessAt(otp);
        guess.by = GuessBy::Link;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.outcome == VerifyOutcome::NeedsFactor);
    }

    void signsInOnlyWhomTheRuleLetsIn() {
        const SignInRule staff{{"staff"}};
        user_ = user(UserStatus::Active);
        StoredOtp otp = code();
        auto guess = guessAt(otp);
        guess.signIn = &staff;
        const GuessRuling refused = ruleOn(guess, otp);
        CPPUNIT_ASSERT(refused.result.outcome == VerifyOutcome::AccountDisabled && !refused.result.destination);
        assertNobodySignedIn(refused);
        user_->groups = {"staff"};
        otp = code();
        guess = guessAt(otp);
        guess.signIn = &staff;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.outcome == VerifyOutcome::Verified);
    }

    // Half a sign-in: who it is and by what is told to the server's own second step, and nothing has failed.
    void leavesTheRestToTheAppOfAnAccountThatHasOne() {
        User before = user();
        before.hasFactor = before.hasTotp = true;
        user_ = before;
        StoredOtp otp = code();
        otp.methods = "pwd otp";
        auto guess = guessAt(otp);
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::NeedsFactor);
        assertNobodySignedIn(ruling);
        CPPUNIT_ASSERT(ruling.result.firstStep && ruling.result.firstStep->userId == before.id);
        CPPUNIT_ASSERT_EQUAL(otp.methods, ruling.result.firstStep->methods);
        CPPUNIT_ASSERT_EQUAL(otp.guessBucket, ruling.result.firstStep->guessBucket);
        assertEvents({{AuditEvent::OtpVerified, 0, before.id}}, guess, ruling);
        CPPUNIT_ASSERT(ruling.result.firstStep->takesTotp && !ruling.result.firstStep->takesRecoveryCode);
        guess.isRepeated = true;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.firstStep);
        // Recovery codes are no factor, and take the place of one.
        before.hasTotp = false;
        before.hasRecoveryCodes = true;
        user_ = before;
        StoredOtp another = code();
        const auto rest = ruleOn(guessAt(another), another).result.firstStep;
        CPPUNIT_ASSERT(rest && !rest->takesTotp && rest->takesRecoveryCode);
        before.hasFactor = false;
        user_ = before;
        StoredOtp last = code();
        CPPUNIT_ASSERT(ruleOn(guessAt(last), last).result.outcome == VerifyOutcome::Verified);
    }

    void takesATrustedDeviceForTheSecondStep() {
        User owner = user();
        owner.hasFactor = owner.hasTotp = true;
        const Uuid device = newId();
        const auto signIn = [&](std::optional<Timestamp> trustedSince, auto change) {
            user_ = owner;
            devices_ = {{device, owner.id, "install-1", trustedSince}};
            StoredOtp otp = code();
            otp.methods = "pwd otp";
            OtpVerification guess = guessAt(otp);
            guess.shownDevice = device;
            guess.deviceTrust = 24h;
            change(guess);
            const GuessRuling ruling = ruleOn(guess, otp);
            CPPUNIT_ASSERT(ruling.result.signIn.has_value() != ruling.result.firstStep.has_value());
            return ruling.result.signIn;
        };
        const auto asItIs = [](const OtpVerification&) {};
        const auto opened = signIn(now_ - 24h + 1us, asItIs);
        CPPUNIT_ASSERT(opened && opened->deviceId == device);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp device"}, opened->methods);
        CPPUNIT_ASSERT(!signIn(now_ - 24h, asItIs) && !signIn(std::nullopt, asItIs));
        // Where the settings, or the sign-in, do not let it.
        CPPUNIT_ASSERT(!signIn(now_, [](OtpVerification& guess) { guess.deviceTrust.reset(); }));
        // By its name alone, which is no secret; and of somebody else.
        CPPUNIT_ASSERT(!signIn(now_, [](OtpVerification& guess) { guess.shownDevice.reset(); }));
        CPPUNIT_ASSERT(!signIn(now_, [&](OtpVerification&) { devices_[0].userId = newId(); }));
        // An account without a factor has no second step.
        owner.hasFactor = owner.hasTotp = false;
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, signIn(now_, asItIs)->methods);
    }

    void opensNothingToWhoMustAddAFactorFirst() {
        SignInRule rule;
        rule.factors = {.whom = FactorRule::Whom::Everybody, .grace = 24h};
        user_ = user();
        StoredOtp otp = code();
        auto guess = guessAt(otp);
        guess.signIn = &rule;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.signIn && user_->factorWantedSince == now_);
        user_->factorWantedSince = now_ - 24h;
        user_->hasRecoveryCodes = true;  // of a factor that is gone
        otp = code();
        guess = guessAt(otp);
        guess.signIn = &rule;
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::NeedsFactor);
        assertNobodySignedIn(ruling);
        const auto rest = ruling.result.firstStep;
        CPPUNIT_ASSERT(rest && rest->addsFactor && !rest->takesTotp && !rest->takesRecoveryCode);
        CPPUNIT_ASSERT(user_->factorWantedSince == now_ - 24h);
        // Who registers is asked at once where there is no grace.
        rule.factors.grace = 0s;
        user_.reset();
        otp = code();
        guess = guessAt(otp);
        guess.signIn = &rule;
        CPPUNIT_ASSERT(ruleOn(guess, otp).result.firstStep->addsFactor && user_);
    }

    void signsInNobodyWhoIsDisabled() {
        const User before = user(UserStatus::Disabled);
        user_ = before;
        StoredOtp otp = code();
        const auto guess = guessAt(otp);
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::AccountDisabled);
        CPPUNIT_ASSERT(!ruling.result.destination);
        assertNobodySignedIn(ruling);
        CPPUNIT_ASSERT(user_->lastLoginAt == before.lastLoginAt);
        // The address is proved all the same, and the code is spent.
        CPPUNIT_ASSERT(user_->emailVerified);
        CPPUNIT_ASSERT(otp.tries.consumedAt == now_);
        assertEvents({{AuditEvent::OtpVerified, 0, before.id}, {AuditEvent::LoginFailed, 2, before.id}}, guess, ruling);
    }

    void signsInOnAKnownDevice() {
        user_ = user();
        const Uuid device = newId();
        devices_ = {{device, user_->id, "install-1"}};
        StoredOtp otp = code();
        const GuessRuling ruling = ruleOn(guessAt(otp), otp);
        CPPUNIT_ASSERT(ruling.result.signIn.value().deviceId == device);
        CPPUNIT_ASSERT(!ruling.result.notice);
    }

    // The commit was made, and its answer was lost on the way.
    void answersAGuessAgainWhoseAnswerWasLost() {
        StoredOtp otp = code();
        OtpVerification guess = guessAt(otp);
        const GuessRuling first = ruleOn(guess, otp);
        devices_ = {{guess.newDeviceId, user_->id, "install-1"}};
        const User before = user_.value();
        guess.isRepeated = true;
        const GuessRuling second = ruleOn(guess, otp);
        CPPUNIT_ASSERT(second.result.outcome == VerifyOutcome::Verified);
        CPPUNIT_ASSERT(second.result.isSignInRepeated && !first.result.isSignInRepeated);
        const SignIn& signIn = second.result.signIn.value();
        CPPUNIT_ASSERT(signIn.sessionId == guess.sessionId && signIn.deviceId == guess.newDeviceId);
        CPPUNIT_ASSERT(signIn.isNewUser && signIn.methods == "pwd otp");
        CPPUNIT_ASSERT(second.result.destination == ada_);
        // Nothing is done or told twice.
        CPPUNIT_ASSERT(second.events.empty() && !second.result.notice && !second.passwordHash);
        CPPUNIT_ASSERT(user_->lastLoginAt == before.lastLoginAt);
        CPPUNIT_ASSERT_EQUAL(1U, otp.tries.count);

        for (const Purpose purpose : {Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            StoredOtp other = code(purpose);
            OtpVerification again = guessAt(other);
            ruleOn(again, other);
            again.isRepeated = true;
            const GuessRuling ruling = ruleOn(again, other);
            CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified && ruling.result.destination == ada_);
            CPPUNIT_ASSERT(ruling.events.empty());
        }
    }

    // The commit was not made.
    void makesAGuessThatWasLostItself() {
        StoredOtp otp = code();
        OtpVerification guess = guessAt(otp);
        guess.isRepeated = true;
        const GuessRuling ruling = ruleOn(guess, otp);
        CPPUNIT_ASSERT(ruling.result.signIn && !ruling.result.isSignInRepeated);
        CPPUNIT_ASSERT(otp.tries.consumedAt == now_);
        CPPUNIT_ASSERT(!ruling.events.empty());
    }

    void answersAgainNobodyElse() {
        StoredOtp otp = code();
        ruleOn(guessAt(otp), otp);
        const auto outcomeOf = [&](const auto& change) {
            OtpVerification guess = guessAt(otp);
            guess.isRepeated = true;
            change(guess);
            return ruleOn(guess, otp).result.outcome;
        };
        CPPUNIT_ASSERT(outcomeOf([](OtpVerification& guess) { guess.isRepeated = false; }) == VerifyOutcome::Used);
        // Another guess won.
        CPPUNIT_ASSERT(outcomeOf([](OtpVerification& guess) { guess.now += 1us; }) == VerifyOutcome::Used);
        CPPUNIT_ASSERT(outcomeOf([](OtpVerification& guess) { guess.guess = Guess::Wrong; }) == VerifyOutcome::Used);
        CPPUNIT_ASSERT(outcomeOf([](OtpVerification& guess) { guess.purpose = Purpose::Reset; }) ==
                       VerifyOutcome::Unknown);
        user_->status = UserStatus::Disabled;
        CPPUNIT_ASSERT(outcomeOf([](OtpVerification&) {}) == VerifyOutcome::AccountDisabled);
    }

    void provesTheAddressForEveryPurposeButChange() {
        for (const Purpose purpose : {Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            for (const Destination& address : {ada_, phone_}) {
                const User before = user(UserStatus::Disabled);
                user_ = before;
                StoredOtp otp = code(purpose);
                otp.destination = address;
                const auto guess = guessAt(otp);
                const GuessRuling ruling = ruleOn(guess, otp);
                CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified);
                CPPUNIT_ASSERT(ruling.result.destination == address);
                CPPUNIT_ASSERT(user_->emailVerified == (address == ada_));
                CPPUNIT_ASSERT(user_->phoneVerified == (address == phone_));
                CPPUNIT_ASSERT(user_->lastLoginAt == before.lastLoginAt);
                assertNobodySignedIn(ruling);
                assertEvents({{AuditEvent::OtpVerified, 0, before.id}}, guess, ruling);
            }
        }
    }

    void provesAnAddressThatNobodyHas() {
        for (const Purpose purpose : {Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            StoredOtp otp = code(purpose);
            const auto guess = guessAt(otp);
            const GuessRuling ruling = ruleOn(guess, otp);
            CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified);
            CPPUNIT_ASSERT(ruling.result.destination == ada_);
            CPPUNIT_ASSERT(!user_);
            assertNobodySignedIn(ruling);
            assertEvents({{AuditEvent::OtpVerified, 0, std::nullopt}}, guess, ruling);
        }
    }

    // Whoever has the address now is another one.
    void touchesNobodyByAChange() {
        for (const bool isTaken : {false, true}) {
            user_.reset();
            if (isTaken) user_ = user();
            StoredOtp otp = code(Purpose::Change);
            const auto guess = guessAt(otp);
            const GuessRuling ruling = ruleOn(guess, otp);
            CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::Verified);
            CPPUNIT_ASSERT(ruling.result.destination == ada_);
            CPPUNIT_ASSERT(user_.has_value() == isTaken);
            if (isTaken) CPPUNIT_ASSERT(!user_->emailVerified && user_->lastLoginAt == now_ - 24h);
            assertNobodySignedIn(ruling);
            assertEvents({{AuditEvent::OtpVerified, 0, asker_}}, guess, ruling);
        }
    }

    void auditsAWrongGuess() {
        for (const Purpose purpose : kPurposes) {
            user_ = user();
            StoredOtp otp = code(purpose);
            budget_ = {};
            const auto guess = guessAt(otp, Guess::Wrong);
            for (const unsigned left : {2U, 1U}) {
                const GuessRuling ruling = ruleOn(guess, otp);
                CPPUNIT_ASSERT(ruling.result.outcome == VerifyOutcome::WrongCode);
                CPPUNIT_ASSERT_EQUAL(left, ruling.result.attemptsLeft);
                CPPUNIT_ASSERT(!ruling.result.destination);
                assertNobodySignedIn(ruling);
                // Nobody is known by guessing wrong, but who has signed in to change an address.
                const auto who = purpose == Purpose::Change ? std::optional{asker_} : std::nullopt;
                assertEvents({{AuditEvent::OtpFailed, 0, who}}, guess, ruling);
            }
            CPPUNIT_ASSERT(!user_->emailVerified);
        }
    }

    void auditsASpentBudgetOnceAMinute() {
        for (const Purpose purpose : kPurposes) {
            const auto who = purpose == Purpose::Change ? std::optional{asker_} : std::nullopt;
            StoredOtp otp = code(purpose);
            budget_ = bucketWith(2);
            auto guess = guessAt(otp, Guess::Right);
            const GuessRuling first = ruleOn(guess, otp);
            CPPUNIT_ASSERT(first.result.outcome == VerifyOutcome::BudgetExhausted);
            CPPUNIT_ASSERT(first.result.hits == bucketWith(2).hits());
            CPPUNIT_ASSERT_EQUAL(0U, first.result.attemptsLeft);
            assertEvents({{AuditEvent::OtpLocked, 0, who}}, guess, first);
            guess.now += 1min - 1us;
            assertEvents({}, guess, ruleOn(guess, otp));
            guess.now += 1us;
            guess.guess = Guess::Wrong;
            assertEvents({{AuditEvent::OtpLocked, 0, who}}, guess, ruleOn(guess, otp));
            CPPUNIT_ASSERT_EQUAL(0U, otp.tries.count);
        }
    }

    void auditsNoGuessAtADeadCode() {
        StoredOtp used = code();
        used.tries.consumedAt = now_ - 1s;
        StoredOtp late = code();
        late.expiresAt = now_;
        StoredOtp exhausted = code();
        exhausted.tries.count = 3;
        for (StoredOtp* otp : {&used, &late, &exhausted}) {
            for (const Guess right : {Guess::Right, Guess::Wrong}) {
                const auto guess = guessAt(*otp, right);
                const GuessRuling ruling = ruleOn(guess, *otp);
                assertEvents({}, guess, ruling);
                assertNobodySignedIn(ruling);
                CPPUNIT_ASSERT(!ruling.result.destination);
                CPPUNIT_ASSERT(ruling.result.hits.empty());
            }
        }
        CPPUNIT_ASSERT(budget_.hits().empty());
        CPPUNIT_ASSERT(!user_);
    }

    void tellsWhoHasSignedInBefore() {
        user_ = user();
        StoredOtp otp = code();
        const auto guess = guessAt(otp);
        const GuessRuling ruling = ruleOn(guess, otp);
        const OutboxMessage& notice = ruling.result.notice.value();
        CPPUNIT_ASSERT(notice.id == guess.notice->id);
        CPPUNIT_ASSERT(notice.kind == MessageKind::NewSignIn);
        CPPUNIT_ASSERT(notice.destination == ada_);
        CPPUNIT_ASSERT_EQUAL(std::string{"de"}, notice.locale);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, notice.notice.ipAddress);
        CPPUNIT_ASSERT(notice.otpId == Uuid{});
    }

    // A stranger's clocks are no matter of who is told of him.
    void tellsTimesAsThoseClocksThatWereKnownBefore() {
        user_ = user();
        user_->timeZone = "Europe/Berlin";
        StoredOtp otp = code();
        auto guess = guessAt(otp);
        guess.device.timeZone = "Asia/Kathmandu";
        CPPUNIT_ASSERT_EQUAL(std::string{"Europe/Berlin"}, ruleOn(guess, otp).result.notice.value().notice.timeZone);
        CPPUNIT_ASSERT_EQUAL(std::string{"Asia/Kathmandu"}, user_->timeZone);
        otp = code();
        ruleOn(guessAt(otp), otp);
        CPPUNIT_ASSERT_EQUAL(std::string{"Asia/Kathmandu"}, user_->timeZone);
    }

    void tellsNobodyElse() {
        const auto isTold = [&](const OtpVerification& guess, StoredOtp& otp) {
            return ruleOn(guess, otp).result.notice.has_value();
        };
        user_ = user();
        user_->lastLoginAt.reset();  // made by an administrator: this is the first sign-in
        StoredOtp first = code();
        CPPUNIT_ASSERT(!isTold(guessAt(first), first));
        // And the second one is not.
        StoredOtp second = code();
        CPPUNIT_ASSERT(isTold(guessAt(second), second));

        StoredOtp unwanted = code();
        auto guess = guessAt(unwanted);
        guess.notice.reset();
        CPPUNIT_ASSERT(!isTold(guess, unwanted));
        StoredOtp known = code();
        guess = guessAt(known);
        guess.shownDevice = newId();
        devices_ = {{*guess.shownDevice, user_->id, ""}};
        CPPUNIT_ASSERT(!isTold(guess, known));
        StoredOtp foreign = code();
        guess = guessAt(foreign);
        guess.shownDevice = newId();
        devices_ = {{*guess.shownDevice, newId(), "install-1"}};
        CPPUNIT_ASSERT(isTold(guess, foreign));
    }

    void tellsWhereTheUserIsTold() {
        const auto recipient = [&](bool emailVerified, NoticeBySms bySms) {
            user_ = user();
            user_->emailVerified = emailVerified;
            StoredOtp otp = code();
            otp.destination = phone_;
            auto guess = guessAt(otp);
            guess.notice->bySms = bySms;
            const auto notice = ruleOn(guess, otp).result.notice;
            return notice ? notice->destination.value() : "nobody";
        };
        CPPUNIT_ASSERT_EQUAL(ada_.value(), recipient(true, NoticeBySms::Never));
        CPPUNIT_ASSERT_EQUAL(ada_.value(), recipient(true, NoticeBySms::WhereNoMail));
        CPPUNIT_ASSERT_EQUAL(std::string{"nobody"}, recipient(false, NoticeBySms::Never));
        CPPUNIT_ASSERT_EQUAL(phone_.value(), recipient(false, NoticeBySms::WhereNoMail));
        // This very code proves the address.
        user_ = user();
        StoredOtp otp = code();
        CPPUNIT_ASSERT(ruleOn(guessAt(otp), otp).result.notice->destination == ada_);
    }

    const Uuid asker_ = newId();  // of a change of address
    Tries tries_{.count = 0, .most = 3, .consumedAt = std::nullopt};
    Bucket budget_;
    std::optional<User> user_;
    std::vector<StoredDevice> devices_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OtpRequestRulesTest);
CPPUNIT_TEST_SUITE_REGISTRATION(OtpGuessRulesTest);

}  // namespace otp_rules_test
}  // namespace otpgate::domain
