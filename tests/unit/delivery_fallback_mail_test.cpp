#include "delivery/mail/fallback_mail_transport.h"
#include "delivery/mail/smtp_transport.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/scripted_smtp_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <cstdio>
#include <deque>
#include <unistd.h>
#include <vector>

namespace otpgate::delivery {
namespace delivery_fallback_mail_test {

using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

const SendResult kDown{Outcome::TryLater, "connect: refused", Cause::Provider};
const SendResult kLater{Outcome::TryLater, "RCPT TO: 451 later", Cause::Message};
const SendResult kRefused{Outcome::Refused, "RCPT TO: 550 no", Cause::Message};

// Answers as it is told, and as if all went well after that; writes its name into `calls`.
class NamedTransport final : public MailTransport {
public:
    NamedTransport(std::string name, std::vector<std::string>& calls, std::deque<SendResult>& answers)
        : name_(std::move(name)),
          calls_(calls),
          answers_(answers) {}

    SendResult send(const MailMessage&) override {
        calls_.push_back(name_);
        if (answers_.empty()) return {};
        SendResult answer = answers_.front();
        answers_.pop_front();
        return answer;
    }
    void idle() override { calls_.push_back(name_ + " idle"); }
    seconds longestSend() const override { return name_ == "first" ? seconds(20) : seconds(3); }

private:
    std::string name_;
    std::vector<std::string>& calls_;
    std::deque<SendResult>& answers_;
};

class FallbackMailTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(FallbackMailTest);
    CPPUNIT_TEST(usesTheFirstWhileItWorks);
    CPPUNIT_TEST(givesToTheSecondWhatTheFirstCannotTake);
    CPPUNIT_TEST(keepsToTheSecondForAWhile);
    CPPUNIT_TEST(leavesARefusedMessageWithWhoRefusedIt);
    CPPUNIT_TEST(asksTheFirstAtOnceWhenTheSecondFailsToo);
    CPPUNIT_TEST(logsOnlyWhenItSwitches);
    CPPUNIT_TEST(promisesTheTimeOfBoth);
    CPPUNIT_TEST(restsBoth);
    CPPUNIT_TEST(isMadeWhereTheSettingsNameASecondServer);
    CPPUNIT_TEST_SUITE_END();

    std::vector<std::string> calls_;
    std::deque<SendResult> firstAnswers_;
    std::deque<SendResult> secondAnswers_;
    FallbackMailTransport::SteadyTime now_{seconds(1000)};
    std::FILE* logFile_ = std::tmpfile();
    test::FakeClock clock_;
    Logger log_{LogFormat::Text, LogLevel::Debug, clock_, ::fileno(logFile_)};
    FallbackMailTransport transport_{std::make_unique<NamedTransport>("first", calls_, firstAnswers_),
                                     std::make_unique<NamedTransport>("second", calls_, secondAnswers_), &log_,
                                     [this] { return now_; }};

public:
    ~FallbackMailTest() override { std::fclose(logFile_); }

private:
    void assertCalls(const std::vector<std::string>& expected) {
        std::string text;
        for (const auto& call : calls_) text += call + ", ";
        CPPUNIT_ASSERT_MESSAGE(text, calls_ == expected);
        calls_.clear();
    }
    SendResult send() { return transport_.send(test::shortMessage()); }
    std::string logged() {
        std::string text(4096, '\0');
        const ssize_t count = ::pread(::fileno(logFile_), text.data(), text.size(), 0);
        text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return text;
    }
    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
        return found;
    }

    void usesTheFirstWhileItWorks() {
        for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        assertCalls({"first", "first", "first"});
        CPPUNIT_ASSERT_EQUAL(std::string(), logged());
    }

    void givesToTheSecondWhatTheFirstCannotTake() {
        firstAnswers_ = {kDown};
        CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        assertCalls({"first", "second"});
    }

    void keepsToTheSecondForAWhile() {
        firstAnswers_ = {kDown, kDown};
        send();
        now_ += FallbackMailTransport::kPause - seconds(1);
        send();
        assertCalls({"first", "second", "second"});
        now_ += seconds(1);
        send();  // still down: another pause
        assertCalls({"first", "second"});
        send();
        assertCalls({"second"});
        now_ += FallbackMailTransport::kPause;
        send();
        send();
        assertCalls({"first", "first"});
    }

    void leavesARefusedMessageWithWhoRefusedIt() {
        firstAnswers_ = {kLater, kRefused};
        CPPUNIT_ASSERT_EQUAL(kLater.reason, send().reason);
        CPPUNIT_ASSERT_EQUAL(kRefused.reason, send().reason);
        assertCalls({"first", "first"});
        firstAnswers_ = {kDown};
        secondAnswers_ = {kRefused, kLater};
        CPPUNIT_ASSERT(send().outcome == Outcome::Refused);
        CPPUNIT_ASSERT_EQUAL(kLater.reason, send().reason);
        assertCalls({"first", "second", "second"});
    }

    void asksTheFirstAtOnceWhenTheSecondFailsToo() {
        firstAnswers_ = {kDown};
        secondAnswers_ = {kDown, kDown};
        const SendResult both = send();
        CPPUNIT_ASSERT(both.outcome == Outcome::TryLater && both.cause == Cause::Provider);
        assertCalls({"first", "second"});
        CPPUNIT_ASSERT(send().outcome == Outcome::Sent);
        assertCalls({"second", "first"});
        send();
        assertCalls({"first"});
    }

    void logsOnlyWhenItSwitches() {
        firstAnswers_ = {kDown, kDown, kDown};
        for (int i = 0; i < 4; ++i) {
            send();
            now_ += FallbackMailTransport::kPause;
        }
        send();
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count(logged(), "warning mail goes to the fallback server"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count(logged(), "reason=\"connect: refused\""));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count(logged(), "info mail goes to the first server again"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, count(logged(), "\n"));
    }

    void promisesTheTimeOfBoth() { CPPUNIT_ASSERT(transport_.longestSend() == seconds(23)); }

    void restsBoth() {
        transport_.idle();
        assertCalls({"first idle", "second idle"});
    }

    void isMadeWhereTheSettingsNameASecondServer() {
        test::ScriptedServer first({test::Script{{"", "554 5.3.2 no service"}}});
        test::ScriptedServer second({test::operator+(test::kOpening, test::kMessage)});
        MailSettings settings;
        settings.from = "from@a.example";
        settings.smtp.host = "127.0.0.1";
        settings.smtp.port = first.port();
        settings.fallback.host = "127.0.0.1";
        settings.fallback.port = second.port();
        const auto transport = makeMailTransport(settings, &log_);
        CPPUNIT_ASSERT(transport->send(test::shortMessage()).outcome == Outcome::Sent);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, second.contents().size());
        CPPUNIT_ASSERT(logged().find(":" + std::to_string(first.port()) + ": greeting: 554 5.3.2 no service") !=
                       std::string::npos);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FallbackMailTest);

}  // namespace delivery_fallback_mail_test
}  // namespace otpgate::delivery
