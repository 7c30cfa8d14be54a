#include "delivery/mail/null_transport.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/message_composer.h"
#include "support_cpp/counted.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_random.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <functional>
#include <map>
#include <set>
#include <unistd.h>

namespace otpgate::delivery {
namespace delivery_courier_test {

using domain::FinishedMessage;
using domain::MessageEnd;
using domain::OutboxMessage;
using domain::PostponedMessage;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// An outbox in memory that can be down, lose leases, and choke on one row.
class FakeOutbox final : public domain::OutboxStore {
public:
    std::vector<OutboxMessage> claimAvailable(domain::Channel channel, Timestamp /*now*/, Timestamp leaseUntil,
                                              unsigned limit) override {
        const std::lock_guard lock(mutex_);
        ++claims_[channel];
        answer();
        std::vector<OutboxMessage> claimed;
        for (auto at = waiting_.begin(); at != waiting_.end() && claimed.size() < limit;) {
            const bool isOfChannel = at->destination.channel() == channel;
            if (isOfChannel) {
                claimed.push_back(*at);
                claimed.back().availableAt = leaseUntil;
            }
            at = isOfChannel ? waiting_.erase(at) : at + 1;
        }
        return claimed;
    }
    std::vector<bool> renewLeases(std::span<OutboxMessage> messages, Timestamp leaseUntil) override {
        const std::lock_guard lock(mutex_);
        answer();
        for (OutboxMessage& message : messages) {
            renewed_.push_back(leaseUntil);
            if (!othersHaveIt) message.availableAt = leaseUntil;
        }
        return std::vector<bool>(messages.size(), !othersHaveIt);
    }
    std::vector<domain::CodeState> codeStates(std::span<const OutboxMessage> messages, Timestamp /*now*/) override {
        const std::lock_guard lock(mutex_);
        answer();
        std::vector<domain::CodeState> states;
        for (const OutboxMessage& message : messages) {
            const auto state = states_.find(message.id);
            states.push_back(state == states_.end() ? domain::CodeState::Good : state->second);
        }
        ++looks_;
        return states;
    }
    void finish(std::span<const FinishedMessage> messages, Timestamp /*now*/) override {
        const std::lock_guard lock(mutex_);
        answer();
        for (const auto& done : messages) {
            if (done.message.id == indigestible) throw std::runtime_error("no");
        }
        ++finishCalls_;
        for (const auto& done : messages) finished_.push_back(done);
    }
    void postpone(std::span<const PostponedMessage> messages) override {
        const std::lock_guard lock(mutex_);
        answer();
        postponed_.insert(postponed_.end(), messages.begin(), messages.end());
    }

    void wait(const OutboxMessage& message) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(message);
    }
    std::vector<FinishedMessage> finished() {
        const std::lock_guard lock(mutex_);
        return finished_;
    }
    int finishCalls() {
        const std::lock_guard lock(mutex_);
        return finishCalls_;
    }
    std::vector<PostponedMessage> postponed() {
        const std::lock_guard lock(mutex_);
        return postponed_;
    }
    void noteCode(const Uuid& id, domain::CodeState state) {
        const std::lock_guard lock(mutex_);
        states_[id] = state;
    }
    std::vector<Timestamp> renewed() {
        const std::lock_guard lock(mutex_);
        return renewed_;
    }
    int looks() {
        const std::lock_guard lock(mutex_);
        return looks_;
    }
    int claims(domain::Channel channel = domain::Channel::Email) {
        const std::lock_guard lock(mutex_);
        return claims_[channel];
    }

    std::atomic<bool> isDown = false;
    std::atomic<bool> isBroken = false;
    std::atomic<bool> othersHaveIt = false;
    Uuid indigestible = Uuid::fromBytes("not in the table");

private:
    void answer() const {
        if (isDown) throw ServiceUnavailable("database gone");
        if (isBroken) throw std::runtime_error("odd");
    }
    std::mutex mutex_;
    std::vector<OutboxMessage> waiting_;
    std::vector<FinishedMessage> finished_;
    std::vector<PostponedMessage> postponed_;
    std::vector<Timestamp> renewed_;
    std::map<Uuid, domain::CodeState> states_;
    int looks_ = 0;
    int finishCalls_ = 0;
    std::map<domain::Channel, int> claims_;
};

class FakeTransport final : public MailTransport {
public:
    SendResult send(const MailMessage& message) override {
        std::function<SendResult(const MailMessage&)> answer;
        {
            const std::lock_guard lock(mutex_);
            sent_.push_back(message.recipient);
            answer = answer_;
        }
        return answer ? answer(message) : SendResult{};
    }
    void idle() override { ++idles; }
    seconds longestSend() const override { return longest.load(); }

    void answerWith(std::function<SendResult(const MailMessage&)> answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }
    void answerWith(const SendResult& result) {
        answerWith([result](const MailMessage&) { return result; });
    }
    std::vector<std::string> sent() {
        const std::lock_guard lock(mutex_);
        return sent_;
    }

    std::atomic<seconds> longest = seconds(1);
    std::atomic<int> idles = 0;

private:
    std::mutex mutex_;
    std::vector<std::string> sent_;
    std::function<SendResult(const MailMessage&)> answer_;
};

class FakeSmsTransport final : public SmsTransport {
public:
    SendResult send(const SmsMessage& message) override {
        std::function<SendResult(const SmsMessage&)> answer;
        {
            const std::lock_guard lock(mutex_);
            sent_.push_back(message);
            answer = answer_;
        }
        return answer ? answer(message) : SendResult{};
    }
    void idle() override { ++idles; }
    seconds longestSend() const override { return longest.load(); }

    void answerWith(std::function<SendResult(const SmsMessage&)> answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }
    void answerWith(const SendResult& result) {
        answerWith([result](const SmsMessage&) { return result; });
    }
    std::vector<SmsMessage> sent() {
        const std::lock_guard lock(mutex_);
        return sent_;
    }

    std::atomic<seconds> longest = seconds(1);
    std::atomic<int> idles = 0;

private:
    std::mutex mutex_;
    std::vector<SmsMessage> sent_;
    std::function<SendResult(const SmsMessage&)> answer_;
};

// A sender's own transport, which hands on to one that all senders of a test share.
template <class Transport, class Message>
class Shared final : public Transport {
public:
    explicit Shared(Transport& shared) : shared_(shared) {}
    SendResult send(const Message& message) override { return shared_.send(message); }
    void idle() override { shared_.idle(); }
    seconds longestSend() const override { return shared_.longestSend(); }

private:
    Transport& shared_;
};

class CourierTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(CourierTest);
    CPPUNIT_TEST(sendsOnceAndFinishes);
    CPPUNIT_TEST(sendsWhatWaitsInTheOutbox);
    CPPUNIT_TEST(looksAgainAtOnceWhenMoreIsWaiting);
    CPPUNIT_TEST(postponesWhatFailed);
    CPPUNIT_TEST(postponesLongerAfterEachFailure);
    CPPUNIT_TEST(givesUpWhenTheNextTryWouldComeTooLate);
    CPPUNIT_TEST(finishesWhatWasRefused);
    CPPUNIT_TEST(neverSendsWhatHasExpired);
    CPPUNIT_TEST(refusesSmsAsLongAsThereIsNoProvider);
    CPPUNIT_TEST(sendsEachMessageOverItsChannel);
    CPPUNIT_TEST(sendsMailWhileTheSmsProviderHangs);
    CPPUNIT_TEST(sendsSmsWhileTheMailServerHangs);
    CPPUNIT_TEST(postponesTheMessagesOfOneChannelOnly);
    CPPUNIT_TEST(waitsAsLongAsTheProviderAsksFor);
    CPPUNIT_TEST(waitsFiveMinutesAtMost);
    CPPUNIT_TEST(looksAgainAtOnceOnlyWhileProvidersAnswer);
    CPPUNIT_TEST(letsTheSmsTransportRestWhenNothingWaits);
    CPPUNIT_TEST(keepsALeaseThatIsLongEnough);
    CPPUNIT_TEST(renewsALeaseThatIsTooShort);
    CPPUNIT_TEST(renewsTheLeaseOfWhatIsBeingSent);
    CPPUNIT_TEST(renewsTheLeasesOfWhatWaits);
    CPPUNIT_TEST(renewsLeasesUntilTheLastSendingEnds);
    CPPUNIT_TEST(sendsNoneThatIsVoidWhenItIsClaimed);
    CPPUNIT_TEST(sendsACodeOnceThatWasAskedForOften);
    CPPUNIT_TEST(sendsNoneThatHasBecomeVoidWhileItWaited);
    CPPUNIT_TEST(asksNothingAboutAMessageThatIsFresh);
    CPPUNIT_TEST(asksAboutAFreshMessageThatANewerOneFollows);
    CPPUNIT_TEST(tellsWhoeverWaitsForAVoidMessage);
    CPPUNIT_TEST(leavesAMessageWhoseLeaseIsLost);
    CPPUNIT_TEST(doesNotSendTwiceWhenTheDatabaseFailsBetweenSendingAndFinishing);
    CPPUNIT_TEST(goesOnSendingWhileTheDatabaseIsDown);
    CPPUNIT_TEST(tellsOfADatabaseOutageOnce);
    CPPUNIT_TEST(finishesTheOthersWhenOneRowCannotBeFinished);
    CPPUNIT_TEST(outlivesUnexpectedErrors);
    CPPUNIT_TEST(postponesTheBatchWhenTheProviderIsDown);
    CPPUNIT_TEST(goesOnAfterAConnectionThatBreaks);
    CPPUNIT_TEST(sendsAsManyAtATimeAsItHasSenders);
    CPPUNIT_TEST(givesEachSenderATransportOfItsOwn);
    CPPUNIT_TEST(usesNoMoreConnectionsThanItNeeds);
    CPPUNIT_TEST(triesAProviderThatIsDownWithOneSender);
    CPPUNIT_TEST(finishesAMessageThatComesAloneAtOnce);
    CPPUNIT_TEST(finishesManyInFewTransactions);
    CPPUNIT_TEST(finishesWhatIsDiscardedWithoutADeadLetter);
    CPPUNIT_TEST(countsTheAttemptOfWhatItGivesUp);
    CPPUNIT_TEST(letsAWorkersMessageRest);
    CPPUNIT_TEST(waitsForTheFirstSendingInSyncMode);
    CPPUNIT_TEST(letsOnlySoManyWaitInSyncMode);
    CPPUNIT_TEST(letsEverybodyInWhereNobodyWaits);
    CPPUNIT_TEST(givesUpWhatFailsWhileSomebodyWaits);
    CPPUNIT_TEST(waitsForNothingInAsyncMode);
    CPPUNIT_TEST(takesWhatSomebodyWaitsForBeforeAllOthers);
    CPPUNIT_TEST(waitsNoLongerThanThereIsASender);
    CPPUNIT_TEST(answersWhatIsDiscardedAsItAnsweredTheLast);
    CPPUNIT_TEST(leavesWhatDoesNotFitToTheOutbox);
    CPPUNIT_TEST(sendsWhatIsInMemoryBeforeItStops);
    CPPUNIT_TEST(stopsWhenPatienceEnds);
    CPPUNIT_TEST(letsTheTransportRestWhenNothingWaits);
    CPPUNIT_TEST(takesMessagesFromManyThreads);
    CPPUNIT_TEST(logsNeitherAddressNorCode);
    CPPUNIT_TEST(countsCodesThatWereSentOrGivenUp);
    CPPUNIT_TEST_SUITE_END();

    test::TemporaryDirectory files_;
    int logFile_ = ::open(files_.write("log", "").c_str(), O_WRONLY | O_APPEND);
    test::FakeClock clock_;
    test::FakeRandom random_;
    Logger log_{LogFormat::Text, LogLevel::Debug, clock_, logFile_};
    crypto::KeyRing ring_ = crypto::KeyRing::parse("otpgate1:" + std::string(64, 'a') + "\n", "test");
    domain::OtpCodes codes_{ring_, {domain::CodeAlphabet::Digits, 6}, "918273"};
    const Templates templates_{TemplateSettings{}};
    MessageComposer composer_{codes_, templates_, "no-reply@example.org", {"https://login.example.org"}};
    domain::OtpMetrics metrics_;
    FakeOutbox outbox_;
    FakeTransport transport_;
    FakeSmsTransport sms_;
    std::atomic<bool> go_ = false;
    std::atomic<int> atATime_ = 0;
    std::unique_ptr<Courier> courier_;

public:
    ~CourierTest() override {
        courier_.reset();
        ::close(logFile_);
    }

private:
    void start(std::size_t queueLength = 1000, milliseconds lookEvery = milliseconds(20)) {
        start(CourierSettings{.queueLength = queueLength, .lookEvery = lookEvery});
    }
    void start(const CourierSettings& settings) {
        startWith({.mail = [this] { return std::make_unique<Shared<MailTransport, MailMessage>>(transport_); },
                   .sms = [this] { return std::make_unique<Shared<SmsTransport, SmsMessage>>(sms_); }},
                  settings);
    }
    void startWith(const Transports& transports, const CourierSettings& settings) {
        courier_ = std::make_unique<Courier>(settings, outbox_, composer_, transports, clock_, random_, log_, metrics_);
        courier_->start();
    }

    static Uuid idOf(int number) {
        std::string bytes(16, '\0');
        bytes[14] = static_cast<char>(number / 256);
        bytes[15] = static_cast<char>(number % 256);
        return Uuid::fromBytes(bytes);
    }
    OutboxMessage message(int number = 1) const {
        return {.id = idOf(number),
                .otpId = idOf(1000 + number),
                .purpose = domain::Purpose::Login,
                .destination = *domain::Destination::parseEmail("user" + std::to_string(number) + "@example.com"),
                .locale = "",
                .requestId = "r",
                .attempts = 0,
                .expiresAt = clock_.now() + minutes(10),
                .availableAt = clock_.now() + kHandOverLease};
    }
    OutboxMessage smsMessage(int number = 1) const {
        OutboxMessage sms = message(number);
        sms.destination = *domain::Destination::parsePhoneNumber("+1202555" + std::to_string(1000 + number));
        return sms;
    }

    static bool becomesTrue(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + seconds(10);
        while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(milliseconds(1));
        return condition();
    }
    FinishedMessage firstFinished() {
        CPPUNIT_ASSERT(becomesTrue([this] { return !outbox_.finished().empty(); }));
        return outbox_.finished().front();
    }
    PostponedMessage firstPostponed() {
        CPPUNIT_ASSERT(becomesTrue([this] { return !outbox_.postponed().empty(); }));
        return outbox_.postponed().front();
    }
    void letLookAgain(int times = 3) {
        const int before = outbox_.claims();
        CPPUNIT_ASSERT(becomesTrue([&] { return outbox_.claims() >= before + times; }));
    }
    std::size_t countInLog(std::string_view text) const {
        const std::string log = files_.read("log");
        std::size_t count = 0;
        for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
        return count;
    }

    void sendsOnceAndFinishes() {
        start();
        courier_->handOver(message());
        const FinishedMessage done = firstFinished();
        letLookAgain();
        CPPUNIT_ASSERT(done.message.id == idOf(1));
        CPPUNIT_ASSERT(done.end == MessageEnd::Sent);
        CPPUNIT_ASSERT(done.auditId != Uuid());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outbox_.finished().size());
        CPPUNIT_ASSERT(transport_.sent() == std::vector<std::string>{"user1@example.com"});
    }

    void sendsWhatWaitsInTheOutbox() {
        outbox_.wait(message(1));
        outbox_.wait(message(2));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 2; }));
        CPPUNIT_ASSERT(outbox_.finished().back().message.availableAt == clock_.now() + seconds(20));
        CPPUNIT_ASSERT(outbox_.renewed().empty());
    }

    void looksAgainAtOnceWhenMoreIsWaiting() {
        for (int i = 0; i < 350; ++i) outbox_.wait(message(i));
        start(1000, minutes(1));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 350; }));
    }

    void postponesWhatFailed() {
        transport_.answerWith({SendResult::Outcome::TryLater, "451 later", SendResult::Cause::Message});
        start();
        courier_->handOver(message());
        const auto postponed = firstPostponed();
        CPPUNIT_ASSERT(postponed.until >= clock_.now() + milliseconds(1500));
        CPPUNIT_ASSERT(postponed.until <= clock_.now() + milliseconds(2000));
        CPPUNIT_ASSERT_EQUAL(std::string("451 later"), postponed.reason);
        CPPUNIT_ASSERT(outbox_.finished().empty());
    }

    void postponesLongerAfterEachFailure() {
        transport_.answerWith({SendResult::Outcome::TryLater, "451 later", SendResult::Cause::Message});
        start();
        OutboxMessage failed = message();
        failed.attempts = 3;
        courier_->handOver(failed);
        CPPUNIT_ASSERT(firstPostponed().until >= clock_.now() + seconds(12));
        CPPUNIT_ASSERT(firstPostponed().until <= clock_.now() + seconds(16));
    }

    void givesUpWhenTheNextTryWouldComeTooLate() {
        transport_.answerWith({SendResult::Outcome::TryLater, "451 later", SendResult::Cause::Message});
        start();
        OutboxMessage late = message();
        late.expiresAt = clock_.now() + milliseconds(1400);
        courier_->handOver(late);
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::GivenUp);
        CPPUNIT_ASSERT_EQUAL(std::string("451 later"), firstFinished().reason);
        CPPUNIT_ASSERT(outbox_.postponed().empty());
    }

    void finishesWhatWasRefused() {
        transport_.answerWith({SendResult::Outcome::Refused, "550 no", SendResult::Cause::Message});
        start();
        courier_->handOver(message());
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::GivenUp);
        CPPUNIT_ASSERT_EQUAL(std::string("550 no"), firstFinished().reason);
    }

    void neverSendsWhatHasExpired() {
        start();
        OutboxMessage old = message();
        old.expiresAt = clock_.now();
        courier_->handOver(old);
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::GivenUp);
        CPPUNIT_ASSERT_EQUAL(std::string("expired"), firstFinished().reason);
        CPPUNIT_ASSERT(transport_.sent().empty());
    }

    void refusesSmsAsLongAsThereIsNoProvider() {
        startWith({.mail = [] { return std::make_unique<NullTransport>(); }, .sms = {}}, {});
        courier_->handOver(smsMessage());
        CPPUNIT_ASSERT_EQUAL(std::string("no SMS provider"), firstFinished().reason);
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::GivenUp);
    }

    void sendsEachMessageOverItsChannel() {
        outbox_.wait(smsMessage(1));
        outbox_.wait(message(2));
        start();
        courier_->handOver(smsMessage(3));
        courier_->handOver(message(4));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 4; }));
        auto mails = transport_.sent();
        std::sort(mails.begin(), mails.end());
        CPPUNIT_ASSERT((mails == std::vector<std::string>{"user2@example.com", "user4@example.com"}));
        auto texts = sms_.sent();
        std::sort(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.recipient < b.recipient; });
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, texts.size());
        CPPUNIT_ASSERT_EQUAL(std::string("+12025551001"), texts[0].recipient);
        CPPUNIT_ASSERT_EQUAL(std::string("+12025551003"), texts[1].recipient);
        CPPUNIT_ASSERT(texts[0].text.ends_with("\n@login.example.org #918273"));
        for (const auto& done : outbox_.finished()) CPPUNIT_ASSERT(done.end == MessageEnd::Sent);
    }

    void sendsMailWhileTheSmsProviderHangs() {
        sms_.answerWith([this](const SmsMessage&) {
            becomesTrue([this] { return go_.load(); });
            return SendResult{};
        });
        outbox_.wait(smsMessage(1));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return sms_.sent().size() == 1; }));
        courier_->handOver(message(2));
        outbox_.wait(message(3));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 2; }));
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 3; }));
    }

    void sendsSmsWhileTheMailServerHangs() {
        transport_.answerWith([this](const MailMessage&) {
            becomesTrue([this] { return go_.load(); });
            return SendResult{};
        });
        // More than are claimed at once, and more than the hanging queue takes.
        for (int i = 0; i < 350; ++i) outbox_.wait(message(i));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return transport_.sent().size() == 1; }));
        courier_->handOver(smsMessage(500));
        outbox_.wait(smsMessage(501));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 2; }));
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() >= 102; }));
    }

    void postponesTheMessagesOfOneChannelOnly() {
        sms_.answerWith({SendResult::Outcome::TryLater, "twilio: 503", SendResult::Cause::Provider});
        for (int i = 0; i < 20; ++i) outbox_.wait(i % 2 == 0 ? smsMessage(i) : message(i));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.postponed().size() == 10; }));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 10; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, sms_.sent().size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{10}, transport_.sent().size());
        sms_.answerWith(nullptr);
        courier_->handOver(smsMessage(40));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 11; }));
    }

    void waitsAsLongAsTheProviderAsksFor() {
        sms_.answerWith({SendResult::Outcome::TryLater, "twilio: 429", SendResult::Cause::Provider, seconds(90)});
        start();
        courier_->handOver(smsMessage(1));
        CPPUNIT_ASSERT(firstPostponed().until == clock_.now() + seconds(90));
        sms_.answerWith(nullptr);
        clock_.advance(seconds(80));
        courier_->handOver(smsMessage(2));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.postponed().size() == 2; }));
        CPPUNIT_ASSERT_EQUAL(std::string("twilio: 429"), outbox_.postponed()[1].reason);
        CPPUNIT_ASSERT(outbox_.postponed()[1].until == clock_.now() + seconds(10));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sms_.sent().size());
        clock_.advance(seconds(10));
        courier_->handOver(smsMessage(3));
        CPPUNIT_ASSERT(firstFinished().message.id == idOf(3));
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Sent);
    }

    void waitsFiveMinutesAtMost() {
        sms_.answerWith({SendResult::Outcome::TryLater, "twilio: 429", SendResult::Cause::Provider, seconds(86400)});
        start();
        courier_->handOver(smsMessage(1));
        CPPUNIT_ASSERT(firstPostponed().until == clock_.now() + minutes(5));
        sms_.answerWith(nullptr);
        clock_.advance(minutes(5));
        courier_->handOver(smsMessage(2));
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Sent);
    }

    void looksAgainAtOnceOnlyWhileProvidersAnswer() {
        sms_.answerWith({SendResult::Outcome::TryLater, "twilio: 503", SendResult::Cause::Provider});
        for (int i = 0; i < 350; ++i) outbox_.wait(smsMessage(i));
        start(1000, minutes(1));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.postponed().size() >= 100; }));
        std::this_thread::sleep_for(milliseconds(100));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, sms_.sent().size());
        CPPUNIT_ASSERT_EQUAL(1, outbox_.claims(domain::Channel::Sms));
    }

    void letsTheSmsTransportRestWhenNothingWaits() {
        start();
        courier_->handOver(smsMessage());
        firstFinished();
        CPPUNIT_ASSERT(becomesTrue([this] { return sms_.idles > 0; }));
        std::this_thread::sleep_for(milliseconds(60));
        CPPUNIT_ASSERT_EQUAL(1, sms_.idles.load());
        CPPUNIT_ASSERT_EQUAL(0, transport_.idles.load());
    }

    void keepsALeaseThatIsLongEnough() {
        transport_.longest = seconds(60);
        start();
        courier_->handOver(message());
        firstFinished();
        CPPUNIT_ASSERT(outbox_.renewed().empty());
    }

    void renewsALeaseThatIsTooShort() {
        std::atomic<bool> isRenewedBefore = false;
        transport_.answerWith([&](const MailMessage&) {
            isRenewedBefore = !outbox_.renewed().empty();
            return SendResult{};
        });
        start();
        OutboxMessage old = message();
        old.availableAt = clock_.now() + seconds(4);
        courier_->handOver(old);
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Sent);
        CPPUNIT_ASSERT(isRenewedBefore);
        CPPUNIT_ASSERT(outbox_.renewed().front() == clock_.now() + seconds(20));
    }

    // Sendings hang until go_.
    void letSendersHang(const SendResult& result = {}) {
        transport_.answerWith([this, result](const MailMessage&) {
            ++atATime_;
            becomesTrue([this] { return go_.load(); });
            return result;
        });
    }

    void renewsTheLeaseOfWhatIsBeingSent() {
        letSendersHang({SendResult::Outcome::Refused, "550 no", SendResult::Cause::Message});
        start();
        courier_->handOver(message());
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        letLookAgain();
        CPPUNIT_ASSERT(outbox_.renewed().empty());
        for (std::size_t times = 1; times <= 3; ++times) {
            clock_.advance(seconds(times == 1 ? 4 : 14));
            CPPUNIT_ASSERT(becomesTrue([&] { return outbox_.renewed().size() == times; }));
            CPPUNIT_ASSERT(outbox_.renewed().back() == clock_.now() + seconds(20));
        }
        go_ = true;
        // Else the row would not be known again.
        CPPUNIT_ASSERT(firstFinished().message.availableAt == clock_.now() + seconds(20));
    }

    void renewsTheLeasesOfWhatWaits() {
        letSendersHang();
        start();
        for (int i = 0; i < 250; ++i) courier_->handOver(message(i));
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        clock_.advance(seconds(4));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.renewed().size() == 250; }));
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 250; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{250}, outbox_.renewed().size());
    }

    void renewsLeasesUntilTheLastSendingEnds() {
        letSendersHang();
        start();
        courier_->handOver(message());
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        std::thread stopping([this] { courier_->stop(milliseconds(0)); });
        clock_.advance(seconds(4));
        const bool isRenewed = becomesTrue([this] { return outbox_.renewed().size() == 1; });
        go_ = true;
        stopping.join();
        CPPUNIT_ASSERT(isRenewed);
    }

    void assertDiscarded(const FinishedMessage& done, domain::CodeState state) {
        CPPUNIT_ASSERT(done.end == MessageEnd::Discarded);
        CPPUNIT_ASSERT_EQUAL(std::string(toString(state)), done.reason);
    }

    void sendsNoneThatIsVoidWhenItIsClaimed() {
        outbox_.noteCode(idOf(1), domain::CodeState::Voided);
        outbox_.noteCode(idOf(2), domain::CodeState::Used);
        for (int i = 1; i <= 3; ++i) outbox_.wait(message(i));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 3; }));
        CPPUNIT_ASSERT(transport_.sent() == std::vector<std::string>{"user3@example.com"});
        assertDiscarded(outbox_.finished()[0], domain::CodeState::Voided);
        assertDiscarded(outbox_.finished()[1], domain::CodeState::Used);
    }

    void sendsACodeOnceThatWasAskedForOften() {
        for (int i = 1; i <= 3; ++i) {
            OutboxMessage same = message(i);
            same.otpId = idOf(1000);
            outbox_.wait(same);
        }
        OutboxMessage notice = message(4);
        notice.kind = domain::MessageKind::PasswordChanged;
        notice.otpId = Uuid();
        outbox_.wait(notice);
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 4; }));
        const std::vector<std::string> sent{"user3@example.com", "user4@example.com"};
        CPPUNIT_ASSERT(transport_.sent() == sent);
    }

    void sendsNoneThatHasBecomeVoidWhileItWaited() {
        letSendersHang();
        start(1000, minutes(1));
        for (int i = 0; i < 5; ++i) courier_->handOver(message(i));
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        for (int i = 1; i < 4; ++i) outbox_.noteCode(idOf(i), domain::CodeState::Voided);
        clock_.advance(seconds(4));
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 5; }));
        const std::vector<std::string> sent{"user0@example.com", "user4@example.com"};
        CPPUNIT_ASSERT(transport_.sent() == sent);
    }

    void asksNothingAboutAMessageThatIsFresh() {
        start(1000, minutes(1));
        letLookAgain(0);
        const int before = outbox_.looks();
        for (int i = 0; i < 5; ++i) courier_->handOver(message(i));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 5; }));
        CPPUNIT_ASSERT(outbox_.renewed().empty());
        CPPUNIT_ASSERT(outbox_.looks() <= before + 2);  // those of the first look for the two queues
    }

    void asksAboutAFreshMessageThatANewerOneFollows() {
        letSendersHang();
        start(CourierSettings{.mailSenders = 1, .queueLength = 1000, .lookEvery = minutes(1)});
        courier_->handOver(message(0));
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        const auto another = [this](int number, domain::Purpose purpose, domain::MessageKind kind) {
            OutboxMessage next = message(number);
            next.destination = message(1).destination;
            next.purpose = purpose;
            next.kind = kind;
            return next;
        };
        using domain::MessageKind;
        using domain::Purpose;
        courier_->handOver(message(1));
        courier_->handOver(message(2));
        courier_->handOver(another(3, Purpose::Reset, MessageKind::Code));
        courier_->handOver(another(4, Purpose::Login, MessageKind::NewSignIn));
        courier_->handOver(another(5, Purpose::Login, MessageKind::Code));
        for (const int number : {1, 2, 3, 4}) outbox_.noteCode(idOf(number), domain::CodeState::Voided);
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 6; }));
        // Of another address, for another purpose, and what is no code was not asked about: nothing has followed it.
        const std::string user1 = "user1@example.com";
        const std::vector<std::string> sent{"user0@example.com", "user2@example.com", user1, user1, user1};
        CPPUNIT_ASSERT(transport_.sent() == sent);
        assertDiscarded(outbox_.finished()[1], domain::CodeState::Voided);
    }

    void tellsWhoeverWaitsForAVoidMessage() {
        letSendersHang();
        startInSyncMode();
        courier_->handOver(message(1));
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        outbox_.noteCode(idOf(2), domain::CodeState::Voided);
        std::thread later([this] {
            std::this_thread::sleep_for(milliseconds(100));
            clock_.advance(seconds(4));
        });
        const auto delivery = courier_->deliver(message(2));
        later.join();
        go_ = true;
        CPPUNIT_ASSERT(delivery == domain::Delivery::Failed);
        CPPUNIT_ASSERT(transport_.sent() == std::vector<std::string>{"user1@example.com"});
    }

    void leavesAMessageWhoseLeaseIsLost() {
        outbox_.othersHaveIt = true;
        start();
        OutboxMessage lost = message(1);
        lost.availableAt = clock_.now();
        courier_->handOver(lost);
        courier_->handOver(message(2));
        CPPUNIT_ASSERT(firstFinished().message.id == idOf(2));
        CPPUNIT_ASSERT(transport_.sent() == std::vector<std::string>{"user2@example.com"});
        CPPUNIT_ASSERT(outbox_.postponed().empty());
    }

    void doesNotSendTwiceWhenTheDatabaseFailsBetweenSendingAndFinishing() {
        transport_.answerWith([this](const MailMessage&) {
            outbox_.isDown = true;
            return SendResult{};
        });
        start();
        courier_->handOver(message());
        CPPUNIT_ASSERT(becomesTrue([this] { return countInLog("courier waits for the database") == 1; }));
        courier_->handOver(message());  // as it would come back when its lease is over
        std::this_thread::sleep_for(milliseconds(100));
        CPPUNIT_ASSERT(outbox_.finished().empty());
        transport_.answerWith(nullptr);
        outbox_.isDown = false;
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Sent);
        letLookAgain();
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outbox_.finished().size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transport_.sent().size());
    }

    void goesOnSendingWhileTheDatabaseIsDown() {
        outbox_.isDown = true;
        start();
        for (int i = 0; i < 5; ++i) courier_->handOver(message(i));
        CPPUNIT_ASSERT(becomesTrue([this] { return transport_.sent().size() == 5; }));
        outbox_.isDown = false;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 5; }));
    }

    void tellsOfADatabaseOutageOnce() {
        outbox_.isDown = true;
        start();
        letLookAgain();
        outbox_.isDown = false;
        CPPUNIT_ASSERT(becomesTrue([this] { return countInLog("info courier has the database back") == 1; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, countInLog("courier waits for the database reason=\"database gone\""));
    }

    void finishesTheOthersWhenOneRowCannotBeFinished() {
        outbox_.indigestible = idOf(3);
        for (int i = 0; i < 6; ++i) outbox_.wait(message(i));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 5; }));
        outbox_.wait(message(3));
        outbox_.wait(message(9));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 6; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{7}, transport_.sent().size());
    }

    void outlivesUnexpectedErrors() {
        outbox_.isBroken = true;
        transport_.answerWith([](const MailMessage&) -> SendResult { throw std::logic_error("bug"); });
        start();
        letLookAgain();
        outbox_.isBroken = false;
        courier_->handOver(message(1));
        CPPUNIT_ASSERT_EQUAL(std::string("internal error: bug"), firstPostponed().reason);
        transport_.answerWith(nullptr);
        courier_->handOver(message(2));
        CPPUNIT_ASSERT(firstFinished().message.id == idOf(2));
    }

    void postponesTheBatchWhenTheProviderIsDown() {
        transport_.answerWith({SendResult::Outcome::TryLater, "connect: refused", SendResult::Cause::Provider});
        for (int i = 0; i < 20; ++i) outbox_.wait(message(i));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.postponed().size() == 20; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, transport_.sent().size());
        CPPUNIT_ASSERT(becomesTrue([this] { return countInLog("messages postponed count=17") == 1; }));
        // What was not tried has not failed.
        const auto postponed = outbox_.postponed();
        const auto tried = std::count_if(postponed.begin(), postponed.end(),
                                         [](const PostponedMessage& one) { return one.message.attempts == 1; });
        CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{3}, tried);
    }

    void goesOnAfterAConnectionThatBreaks() {
        std::atomic<int> calls = 0;
        transport_.answerWith([&calls](const MailMessage&) -> SendResult {
            if (++calls % 3 == 0) return {};
            return {SendResult::Outcome::TryLater, "connection reset", SendResult::Cause::Provider};
        });
        for (int i = 0; i < 30; ++i) outbox_.wait(message(i));
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 10; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{30}, transport_.sent().size());
    }

    // The sending hangs until so many hang, or for good.
    void letSendersMeet(int count) {
        transport_.answerWith([this, count](const MailMessage&) {
            ++atATime_;
            becomesTrue([this, count] { return atATime_ >= count || go_; });
            return SendResult{};
        });
    }

    void sendsAsManyAtATimeAsItHasSenders() {
        letSendersMeet(5);
        for (int i = 0; i < 10; ++i) outbox_.wait(message(i));
        start({.mailSenders = 4, .lookEvery = milliseconds(20)});
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 4; }));
        std::this_thread::sleep_for(milliseconds(60));
        CPPUNIT_ASSERT_EQUAL(4, atATime_.load());
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 10; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{10}, transport_.sent().size());
    }

    void givesEachSenderATransportOfItsOwn() {
        std::atomic<int> mails = 0;
        std::atomic<int> texts = 0;
        startWith({.mail =
                       [&] {
                           ++mails;
                           return std::make_unique<NullTransport>();
                       },
                   .sms =
                       [&] {
                           ++texts;
                           return std::make_unique<Shared<SmsTransport, SmsMessage>>(sms_);
                       }},
                  {.mailSenders = 5, .smsSenders = 3});
        CPPUNIT_ASSERT_EQUAL(5, mails.load());
        CPPUNIT_ASSERT_EQUAL(3, texts.load());
    }

    void usesNoMoreConnectionsThanItNeeds() {
        std::mutex mutex;
        std::set<std::thread::id> senders;
        transport_.answerWith([&](const MailMessage&) {
            const std::lock_guard lock(mutex);
            senders.insert(std::this_thread::get_id());
            return SendResult{};
        });
        start({.mailSenders = 4, .lookEvery = minutes(1)});
        for (std::size_t i = 1; i <= 10; ++i) {
            courier_->handOver(message(static_cast<int>(i)));
            CPPUNIT_ASSERT(becomesTrue([&] { return outbox_.finished().size() == i; }));
        }
        CPPUNIT_ASSERT(senders.size() <= 2);  // the first may not be back when the next message comes
    }

    void triesAProviderThatIsDownWithOneSender() {
        transport_.answerWith({SendResult::Outcome::TryLater, "connect: refused", SendResult::Cause::Provider});
        for (int i = 0; i < 20; ++i) outbox_.wait(message(i));
        start({.mailSenders = 4, .lookEvery = minutes(1)});
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.postponed().size() == 20; }));
        letSendersMeet(2);
        for (int i = 20; i < 40; ++i) courier_->handOver(message(i));
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        std::this_thread::sleep_for(milliseconds(60));
        CPPUNIT_ASSERT_EQUAL(1, atATime_.load());
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 20; }));
    }

    void finishesAMessageThatComesAloneAtOnce() {
        transport_.answerWith([this](const MailMessage& mail) {
            if (mail.recipient == "user2@example.com") becomesTrue([this] { return go_.load(); });
            return SendResult{};
        });
        start();
        courier_->handOver(message(1));
        courier_->handOver(message(2));
        // While the second one is being sent.
        CPPUNIT_ASSERT(firstFinished().message.id == idOf(1));
        go_ = true;
    }

    void finishesManyInFewTransactions() {
        for (int i = 0; i < 1000; ++i) outbox_.wait(message(i));
        start({.mailSenders = 4, .lookEvery = milliseconds(20)});
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 1000; }));
        CPPUNIT_ASSERT(outbox_.finishCalls() < 100);
    }

    void finishesWhatIsDiscardedWithoutADeadLetter() {
        start();
        OutboxMessage nobodys = message();
        nobodys.isDiscarded = true;
        courier_->handOver(nobodys);
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Discarded);
        CPPUNIT_ASSERT(transport_.sent().empty());
    }

    void countsTheAttemptOfWhatItGivesUp() {
        transport_.answerWith({SendResult::Outcome::Refused, "550 no", SendResult::Cause::Message});
        start();
        OutboxMessage failed = message();
        failed.attempts = 2;
        courier_->handOver(failed);
        CPPUNIT_ASSERT_EQUAL(3U, firstFinished().message.attempts);
    }

    void letsAWorkersMessageRest() {
        start({.lookEvery = minutes(1), .rest = milliseconds(50)});
        for (int i = 0; i < 20; ++i) {
            const auto handedOver = std::chrono::steady_clock::now();
            courier_->handOver(message(13 * i));
            const std::size_t wanted = static_cast<std::size_t>(i) + 1;
            CPPUNIT_ASSERT(becomesTrue([&] { return transport_.sent().size() == wanted; }));
            CPPUNIT_ASSERT(std::chrono::steady_clock::now() - handedOver >= milliseconds(50));
        }
    }

    void startInSyncMode(unsigned senders = 1) {
        start({.mode = DeliveryMode::Sync,
               .mailSenders = senders,
               .lookEvery = milliseconds(20),
               .rest = milliseconds(25)});
    }

    void waitsForTheFirstSendingInSyncMode() {
        startInSyncMode();
        CPPUNIT_ASSERT(courier_->deliver(message()) == domain::Delivery::Sent);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transport_.sent().size());
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Sent);
    }

    void letsOnlySoManyWaitInSyncMode() {
        start({.mode = DeliveryMode::Sync, .maxWaiting = 2});
        const auto first = courier_->takePlace();
        {
            const auto second = courier_->takePlace();
            CPPUNIT_ASSERT_THROW(courier_->takePlace(), ServiceUnavailable);
            CPPUNIT_ASSERT_THROW(courier_->takePlace(), ServiceUnavailable);
        }
        CPPUNIT_ASSERT(courier_->takePlace());
    }

    void letsEverybodyInWhereNobodyWaits() {
        start({.mode = DeliveryMode::Async, .maxWaiting = 1});
        const auto first = courier_->takePlace();
        CPPUNIT_ASSERT(!courier_->takePlace());
    }

    void givesUpWhatFailsWhileSomebodyWaits() {
        startInSyncMode();
        for (const auto outcome : {SendResult::Outcome::TryLater, SendResult::Outcome::Refused}) {
            const std::size_t before = outbox_.finished().size();
            transport_.answerWith({outcome, "450 no", SendResult::Cause::Message});
            CPPUNIT_ASSERT(courier_->deliver(message(static_cast<int>(before))) == domain::Delivery::Failed);
            // The database knows it before the one who waits.
            CPPUNIT_ASSERT_EQUAL(before + 1, outbox_.finished().size());
            CPPUNIT_ASSERT(outbox_.finished().back().end == MessageEnd::GivenUp);
            CPPUNIT_ASSERT_EQUAL(std::string("450 no"), outbox_.finished().back().reason);
        }
        CPPUNIT_ASSERT(outbox_.postponed().empty());
    }

    void waitsForNothingInAsyncMode() {
        transport_.answerWith([this](const MailMessage&) {
            becomesTrue([this] { return go_.load(); });
            return SendResult{};
        });
        start();
        CPPUNIT_ASSERT(courier_->deliver(message()) == domain::Delivery::UnderWay);
        CPPUNIT_ASSERT(outbox_.finished().empty());
        go_ = true;
        CPPUNIT_ASSERT(firstFinished().end == MessageEnd::Sent);
    }

    void takesWhatSomebodyWaitsForBeforeAllOthers() {
        transport_.answerWith([](const MailMessage&) {
            std::this_thread::sleep_for(milliseconds(2));
            return SendResult{};
        });
        startInSyncMode();
        for (int i = 1; i <= 100; ++i) outbox_.wait(message(i));
        CPPUNIT_ASSERT(becomesTrue([this] { return !transport_.sent().empty(); }));
        CPPUNIT_ASSERT(courier_->deliver(message(200)) == domain::Delivery::Sent);
        CPPUNIT_ASSERT(transport_.sent().size() < 50);
    }

    void waitsNoLongerThanThereIsASender() {
        letSendersMeet(2);
        transport_.longest = seconds(0);
        start({.mode = DeliveryMode::Sync, .lookEvery = milliseconds(20), .patience = milliseconds(200)});
        courier_->handOver(message(1));
        CPPUNIT_ASSERT(becomesTrue([this] { return atATime_ == 1; }));
        const auto begin = std::chrono::steady_clock::now();
        CPPUNIT_ASSERT(courier_->deliver(message(2)) == domain::Delivery::Failed);
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - begin >= milliseconds(200));
        go_ = true;  // the sender was busy all the time
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 2; }));
        CPPUNIT_ASSERT(transport_.sent() == std::vector<std::string>{"user1@example.com"});
    }

    void answersWhatIsDiscardedAsItAnsweredTheLast() {
        transport_.answerWith([](const MailMessage&) -> SendResult {
            std::this_thread::sleep_for(milliseconds(80));
            return {SendResult::Outcome::Refused, "550 no", SendResult::Cause::Message};
        });
        startInSyncMode();
        CPPUNIT_ASSERT(courier_->deliver(message(1)) == domain::Delivery::Failed);
        OutboxMessage nobodys = message(2);
        nobodys.isDiscarded = true;
        const auto begin = std::chrono::steady_clock::now();
        CPPUNIT_ASSERT(courier_->deliver(nobodys) == domain::Delivery::Failed);
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - begin >= milliseconds(80));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 2; }));
        CPPUNIT_ASSERT(outbox_.finished().back().end == MessageEnd::Discarded);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transport_.sent().size());
    }

    void leavesWhatDoesNotFitToTheOutbox() {
        transport_.answerWith([this](const MailMessage&) {
            becomesTrue([this] { return go_.load(); });
            return SendResult{};
        });
        start(2);
        courier_->handOver(message(0));
        CPPUNIT_ASSERT(becomesTrue([this] { return transport_.sent().size() == 1; }));
        for (int i = 1; i <= 5; ++i) courier_->handOver(message(i));
        go_ = true;
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 3; }));
        letLookAgain();
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, transport_.sent().size());
    }

    void sendsWhatIsInMemoryBeforeItStops() {
        transport_.answerWith([](const MailMessage&) {
            std::this_thread::sleep_for(milliseconds(1));
            return SendResult{};
        });
        start();
        for (int i = 0; i < 250; ++i) courier_->handOver(message(i));
        courier_->stop(seconds(10));
        CPPUNIT_ASSERT_EQUAL(std::size_t{250}, outbox_.finished().size());
        CPPUNIT_ASSERT(transport_.idles > 0);
        courier_->handOver(message(900));
        courier_->stop(seconds(10));
        CPPUNIT_ASSERT_EQUAL(std::size_t{250}, transport_.sent().size());
    }

    void stopsWhenPatienceEnds() {
        transport_.answerWith([](const MailMessage&) {
            std::this_thread::sleep_for(milliseconds(20));
            return SendResult{};
        });
        start();
        for (int i = 0; i < 500; ++i) courier_->handOver(message(i));
        courier_->stop(milliseconds(100));
        const auto sent = transport_.sent().size();
        CPPUNIT_ASSERT(sent < 100);
        CPPUNIT_ASSERT_EQUAL(sent, outbox_.finished().size());
    }

    void letsTheTransportRestWhenNothingWaits() {
        start();
        courier_->handOver(message());
        firstFinished();
        CPPUNIT_ASSERT(becomesTrue([this] { return transport_.idles > 0; }));
    }

    void takesMessagesFromManyThreads() {
        start();
        std::vector<std::thread> workers;
        workers.reserve(8);
        for (int worker = 0; worker < 8; ++worker) {
            workers.emplace_back([this, worker] {
                for (int i = 0; i < 100; ++i) courier_->handOver(message(100 * worker + i));
            });
        }
        for (auto& worker : workers) worker.join();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 800; }));
        std::map<Uuid, int> count;
        for (const auto& done : outbox_.finished()) ++count[done.message.id];
        CPPUNIT_ASSERT_EQUAL(std::size_t{800}, count.size());
    }

    void countsCodesThatWereSentOrGivenUp() {
        OutboxMessage nobodys = message(3);
        nobodys.isDiscarded = true;
        OutboxMessage notice = message(4);
        notice.kind = domain::MessageKind::PasswordChanged;
        OutboxMessage late = message(5);
        late.purpose = domain::Purpose::Reset;
        late.expiresAt = clock_.now();
        for (const auto& waiting : {message(1), message(2), nobodys, notice, late, smsMessage(6)})
            outbox_.wait(waiting);
        start();
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 6; }));
        const std::vector<std::string> expected{R"(otpgate_otp_sent_total{channel="email",purpose="login"} 2)",
                                                R"(otpgate_otp_sent_total{channel="sms",purpose="login"} 1)",
                                                R"(otpgate_otp_send_failed_total{channel="email",purpose="reset"} 1)"};
        CPPUNIT_ASSERT_EQUAL(test::lines(expected), test::counted(metrics_));
    }

    void logsNeitherAddressNorCode() {
        start();
        courier_->handOver(message(1));
        firstFinished();
        transport_.answerWith({SendResult::Outcome::Refused, "550 no", SendResult::Cause::Message});
        courier_->handOver(message(2));
        courier_->handOver(smsMessage(3));
        CPPUNIT_ASSERT(becomesTrue([this] { return outbox_.finished().size() == 3; }));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1},
                             countInLog("debug message sent outbox_id=" + idOf(3).toString() + " channel=sms ms="));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countInLog("202555"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1},
                             countInLog("debug message sent outbox_id=" + idOf(1).toString() + " channel=email ms="));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, countInLog("warning message refused outbox_id=" + idOf(2).toString()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countInLog("user"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countInLog("918273"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CourierTest);

}  // namespace delivery_courier_test
}  // namespace otpgate::delivery
