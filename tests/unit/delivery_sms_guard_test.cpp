#include "otpgate/base/errors.h"
#include "otpgate/delivery/sms_guard.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace otpgate::delivery {
namespace delivery_sms_guard_test {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

class FakeBudgets final : public domain::SmsBudgetStore {
public:
    bool take(const std::string& prefix, std::int64_t day, std::int64_t limit) override {
        if (isDown) throw ServiceUnavailable("no database");
        if (sent[{prefix, day}] >= limit) return false;
        ++sent[{prefix, day}];
        return true;
    }
    void giveBack(const std::string& prefix, std::int64_t day) override {
        if (isDown) throw ServiceUnavailable("no database");
        --sent[{prefix, day}];
    }
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> sent;
    bool isDown = false;
};

// Answers as it is told.
class FakeProvider final : public SmsTransport {
public:
    struct State {
        SendResult answer;
        int asked = 0;
        std::function<void()> meanwhile = [] {};
    };
    explicit FakeProvider(State& state) : state_(state) {}
    SendResult send(const SmsMessage& /*message*/) override {
        ++state_.asked;
        state_.meanwhile();
        return state_.answer;
    }
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(7); }

private:
    State& state_;
};

class SmsGuardTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SmsGuardTest);
    CPPUNIT_TEST(leavesNoProviderAsItIs);
    CPPUNIT_TEST(sendsWithoutCountingWhereThereIsNoRule);
    CPPUNIT_TEST(refusesNumbersThatAreNotAllowed);
    CPPUNIT_TEST(sendsAsManyAsTheBudgetHas);
    CPPUNIT_TEST(beginsAnewAtMidnightUtc);
    CPPUNIT_TEST(saysOnceADayThatABudgetIsSpent);
    CPPUNIT_TEST(givesBackWhatTheProviderDidNotTake);
    CPPUNIT_TEST(countsWhatMayBeOnItsWay);
    CPPUNIT_TEST(givesBackToTheDayItWasTakenFrom);
    CPPUNIT_TEST(sendsNothingThatItCannotCount);
    CPPUNIT_TEST(saysOnceWhatToChange);
    CPPUNIT_TEST_SUITE_END();

    static constexpr const char* kBerlin = "+4930123456";
    static constexpr const char* kVienna = "+431123456";

    test::FakeClock clock_;
    test::TemporaryDirectory files_;
    FakeBudgets budgets_;
    FakeProvider::State provider_;
    int file_ = -1;
    std::unique_ptr<Logger> log_;
    std::unique_ptr<SmsGuard> guard_;
    std::unique_ptr<SmsTransport> transport_;

    void use(const std::vector<std::string>& allowed, const std::vector<std::string>& daily) {
        guard_ = std::make_unique<SmsGuard>(
            SmsRules{domain::AllowedPrefixes::parse(allowed).value(), domain::DailyBudgets::parse(daily).value()},
            budgets_, clock_, *log_);
        transport_ = guard_->wrap(std::make_unique<FakeProvider>(provider_));
    }
    SendResult send(const char* number = kBerlin) { return transport_->send({number, "x"}); }
    std::int64_t sentOn(const std::string& prefix, int daysLater = 0) {
        const auto day = std::chrono::floor<std::chrono::days>(clock_.now()).time_since_epoch().count();
        return budgets_.sent[{prefix, day + daysLater}];
    }
    // How many lines of the log hold the text.
    int logged(const std::string& text) {
        std::ifstream log(files_.path("log"));
        int count = 0;
        for (std::string line; std::getline(log, line);) count += line.find(text) == std::string::npos ? 0 : 1;
        return count;
    }

public:
    void setUp() override {
        file_ = ::open(files_.path("log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CPPUNIT_ASSERT(file_ >= 0);
        log_ = std::make_unique<Logger>(LogFormat::Text, LogLevel::Debug, clock_, file_);
        provider_ = {};
    }
    void tearDown() override { ::close(file_); }

private:
    void leavesNoProviderAsItIs() {
        use({}, {});
        CPPUNIT_ASSERT(guard_->wrap(nullptr) == nullptr);
        CPPUNIT_ASSERT(transport_->longestSend() == std::chrono::seconds(7));
    }

    void sendsWithoutCountingWhereThereIsNoRule() {
        use({}, {"+43:1"});
        budgets_.isDown = true;
        for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        CPPUNIT_ASSERT_EQUAL(3, provider_.asked);
    }

    void refusesNumbersThatAreNotAllowed() {
        use({"+43"}, {"*:10"});
        const SendResult refused = send(kBerlin);
        CPPUNIT_ASSERT(refused.outcome == Outcome::Refused);
        CPPUNIT_ASSERT_EQUAL(std::string("number is not covered by sms.allowed_prefixes"), refused.reason);
        CPPUNIT_ASSERT_EQUAL(0, provider_.asked);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, sentOn("*"));
        CPPUNIT_ASSERT(send(kVienna).outcome == Outcome::Sent);
    }

    void sendsAsManyAsTheBudgetHas() {
        use({}, {"+49:2", "*:1"});
        for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        const SendResult refused = send();
        CPPUNIT_ASSERT(refused.outcome == Outcome::Refused);
        CPPUNIT_ASSERT_EQUAL(std::string("daily SMS budget of +49 (2) is spent"), refused.reason);
        CPPUNIT_ASSERT_EQUAL(2, provider_.asked);
        CPPUNIT_ASSERT(send(kVienna).outcome == Outcome::Sent);
        CPPUNIT_ASSERT_EQUAL(std::string("daily SMS budget of * (1) is spent"), send("+12025550123").reason);
    }

    void beginsAnewAtMidnightUtc() {
        use({}, {"+49:1"});
        clock_.set(std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + std::chrono::hours(24) -
                   std::chrono::microseconds(1));
        CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        CPPUNIT_ASSERT(send().outcome == Outcome::Refused);
        clock_.advance(std::chrono::microseconds(1));
        CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
    }

    void saysOnceADayThatABudgetIsSpent() {
        use({}, {"+49:0", "+43:0"});
        const std::string warning = "warning daily SMS budget is spent";
        for (int i = 0; i < 5; ++i) CPPUNIT_ASSERT(send().isLogged);
        CPPUNIT_ASSERT_EQUAL(1, logged(warning));
        CPPUNIT_ASSERT_EQUAL(5, logged("prefix=+49 messages=0 setting=sms.daily_budgets"));
        send(kVienna);
        CPPUNIT_ASSERT_EQUAL(2, logged(warning));
        clock_.advance(std::chrono::hours(24));
        send();
        CPPUNIT_ASSERT_EQUAL(3, logged(warning));
        CPPUNIT_ASSERT_EQUAL(0, logged(kBerlin));
    }

    void givesBackWhatTheProviderDidNotTake() {
        use({}, {"+49:1"});
        for (const Outcome outcome : {Outcome::TryLater, Outcome::Refused}) {
            provider_.answer.outcome = outcome;
            for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(send().outcome == outcome);
        }
        CPPUNIT_ASSERT_EQUAL(6, provider_.asked);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, sentOn("+49"));
        provider_.answer = {};
        CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, sentOn("+49"));
    }

    void countsWhatMayBeOnItsWay() {
        use({}, {"+49:1"});
        provider_.answer.outcome = Outcome::TryLater;
        provider_.answer.mayHaveBeenTaken = true;
        CPPUNIT_ASSERT(send().outcome == Outcome::TryLater);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, sentOn("+49"));
        CPPUNIT_ASSERT(send().outcome == Outcome::Refused);
    }

    void givesBackToTheDayItWasTakenFrom() {
        use({}, {"+49:5"});
        provider_.answer.outcome = Outcome::TryLater;
        provider_.meanwhile = [this] { clock_.advance(std::chrono::hours(24)); };
        send();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, sentOn("+49", -1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, sentOn("+49"));
    }

    void sendsNothingThatItCannotCount() {
        use({}, {"+49:5"});
        budgets_.isDown = true;
        const SendResult result = send();
        CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
        CPPUNIT_ASSERT_EQUAL(std::string("SMS budget cannot be counted: no database"), result.reason);
        CPPUNIT_ASSERT_EQUAL(0, provider_.asked);
        // Down after it was counted: the place is lost, the result is not.
        budgets_.isDown = false;
        provider_.answer = {Outcome::TryLater, "busy"};
        provider_.meanwhile = [this] { budgets_.isDown = true; };
        CPPUNIT_ASSERT_EQUAL(std::string("busy"), send().reason);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, sentOn("+49"));
    }

    void saysOnceWhatToChange() {
        use({}, {});
        SendResult refused{Outcome::TryLater, "twilio: 401 authentication", Cause::Provider};
        refused.advice = "check sms.twilio_auth_token";
        provider_.answer = refused;
        for (int i = 0; i < 4; ++i) send();
        CPPUNIT_ASSERT_EQUAL(1, logged("change=\"check sms.twilio_auth_token\""));
        provider_.answer = {};
        send();
        provider_.answer = refused;
        send();
        CPPUNIT_ASSERT_EQUAL(2, logged("change=\"check sms.twilio_auth_token\""));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmsGuardTest);

}  // namespace delivery_sms_guard_test
}  // namespace otpgate::delivery
