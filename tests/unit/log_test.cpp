#include "otpgate/base/log.h"

#include "support_cpp/fake_clock.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

namespace otpgate {
namespace log_test {

class LogTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(LogTest);
    CPPUNIT_TEST(writesTextWithFields);
    CPPUNIT_TEST(writesJsonWithFields);
    CPPUNIT_TEST(quotesWhatIsNotOneWord);
    CPPUNIT_TEST(letsNoValueForgeALine);
    CPPUNIT_TEST(letsNoMessageForgeALine);
    CPPUNIT_TEST(leavesOutWhatIsBelowTheLevel);
    CPPUNIT_TEST(ignoresThatNobodyReads);
    CPPUNIT_TEST(keepsLinesOfManyThreadsWhole);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        file_ = ::open(directory_.path("log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
        if (file_ < 0) throw std::runtime_error(std::strerror(errno));
    }
    void tearDown() override { ::close(file_); }

private:
    std::string written() const { return directory_.read("log"); }

    void writesTextWithFields() {
        Logger(LogFormat::Text, LogLevel::Info, clock_, file_).info("started", {{"threads", 16}, {"mode", "sync"}});
        CPPUNIT_ASSERT_EQUAL(std::string("2026-11-20T05:12:00Z info started threads=16 mode=sync\n"), written());
    }

    void writesJsonWithFields() {
        Logger(LogFormat::Json, LogLevel::Info, clock_, file_)
            .error("it \"broke\"", {{"errno", -5}, {"why", "no\nidea"}});
        CPPUNIT_ASSERT_EQUAL(std::string(R"({"time":"2026-11-20T05:12:00Z","level":"error","message":"it \"broke\"",)"
                                         R"("errno":-5,"why":"no\nidea"})"
                                         "\n"),
                             written());
    }

    void quotesWhatIsNotOneWord() {
        Logger(LogFormat::Text, LogLevel::Info, clock_, file_)
            .warning("odd values", {{"a", "two words"}, {"b", ""}, {"c", "x=y"}, {"d", "say \"hi\""}, {"e", "c:\\d"}});
        CPPUNIT_ASSERT_EQUAL(std::string("2026-11-20T05:12:00Z warning odd values a=\"two words\" b=\"\" c=\"x=y\" "
                                         "d=\"say \\\"hi\\\"\" e=\"c:\\\\d\"\n"),
                             written());
    }

    void letsNoValueForgeALine() {
        Logger(LogFormat::Text, LogLevel::Info, clock_, file_)
            .info("request", {{"agent", "x\n2026-11-20T05:12:00Z info forged\x1b[2J\xff"}});
        CPPUNIT_ASSERT_EQUAL(std::string("2026-11-20T05:12:00Z info request "
                                         R"(agent="x\n2026-11-20T05:12:00Z info forged\u001b[2J\\xff")"
                                         "\n"),
                             written());
    }

    void letsNoMessageForgeALine() {
        Logger(LogFormat::Text, LogLevel::Info, clock_, file_).info("one\r\ntwo");
        CPPUNIT_ASSERT_EQUAL(std::string("2026-11-20T05:12:00Z info one\\u000d\\ntwo\n"), written());
    }

    void leavesOutWhatIsBelowTheLevel() {
        Logger logger(LogFormat::Text, LogLevel::Warning, clock_, file_);
        logger.debug("no");
        logger.info("no");
        CPPUNIT_ASSERT_EQUAL(std::string(), written());
        logger.warning("yes");
        logger.error("yes");
        CPPUNIT_ASSERT_EQUAL(std::string("2026-11-20T05:12:00Z warning yes\n2026-11-20T05:12:00Z error yes\n"),
                             written());
    }

    void ignoresThatNobodyReads() {
        Logger(LogFormat::Text, LogLevel::Info, clock_, -1).info("lost");
        const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
        CPPUNIT_ASSERT(full >= 0);
        Logger(LogFormat::Text, LogLevel::Info, clock_, full).info("lost");
        ::close(full);
    }

    void keepsLinesOfManyThreadsWhole() {
        Logger logger(LogFormat::Text, LogLevel::Info, clock_, file_);
        const std::string filling(300, 'x');
        {
            std::vector<std::jthread> threads;
            threads.reserve(8);
            for (int t = 0; t < 8; ++t) {
                threads.emplace_back([&] {
                    for (int i = 0; i < 100; ++i) logger.info("line", {{"filling", filling}});
                });
            }
        }
        std::istringstream lines(written());
        int count = 0;
        for (std::string line; std::getline(lines, line); ++count) {
            CPPUNIT_ASSERT_EQUAL("2026-11-20T05:12:00Z info line filling=" + filling, line);
        }
        CPPUNIT_ASSERT_EQUAL(800, count);
    }

    const test::TemporaryDirectory directory_;
    const test::FakeClock clock_;
    int file_ = -1;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LogTest);

}  // namespace log_test
}  // namespace otpgate
