// What posts notices: each is posted once and finished, one receiver holds up no other, and nothing is forgotten at a
// stop.
#include "notice_poster.h"

#include "support_cpp/fake_clock.h"
#include "support_cpp/http_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

namespace otpgate::test {
namespace notice_poster_test {

using namespace std::chrono_literals;

const std::string kTaken = "HTTP/1.1 204 No Content\r\n\r\n";
const std::string kRefused = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";

// What became of the notices: a status, 0 for no answer, -1 for what was not tried.
class Ends {
public:
    void put(const std::string& id, int status) {
        const std::lock_guard lock(mutex_);
        ends_[id] = status;
        changed_.notify_all();
    }
    std::map<std::string, int> await(std::size_t count) {
        std::unique_lock lock(mutex_);
        CPPUNIT_ASSERT(changed_.wait_for(lock, 20s, [&] { return ends_.size() >= count; }));
        return ends_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, int> ends_;
};

class FakeSource final : public NoticeSource {
public:
    FakeSource(std::vector<Notice> notices, delivery::HttpReach reach, Ends& ends)
        : notices_(std::move(notices)),
          reach_(reach),
          ends_(ends) {}
    std::string_view name() const override { return "a test"; }
    delivery::HttpSettings http() const override {
        delivery::HttpSettings settings;
        settings.timeout = 1s;
        settings.reach = reach_;
        return settings;
    }
    std::vector<Notice> take(const std::set<std::string>&) override { return std::exchange(notices_, {}); }
    void finish(const Notice& notice, const std::optional<PostAnswer>& answer) override {
        ends_.put(notice.id, answer ? answer->status : -1);
    }

private:
    std::vector<Notice> notices_;
    delivery::HttpReach reach_;
    Ends& ends_;
};

Notice notice(const std::string& id, const std::string& receiver, const HttpServer& server) {
    return {id, receiver, {delivery::HttpMethod::Post, server.url(), {}, id}};
}

class NoticePosterTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(NoticePosterTest);
    CPPUNIT_TEST(postsAllOfAReceiverOverOneConnection);
    CPPUNIT_TEST(triesNothingBehindWhatWasNotTaken);
    CPPUNIT_TEST(letsNobodyWaitForWhoHangs);
    CPPUNIT_TEST(connectsToPublicAddressesAlone);
    CPPUNIT_TEST(countsWhatCameOfThem);
    CPPUNIT_TEST_SUITE_END();

    std::unique_ptr<NoticePoster> start(std::vector<Notice> notices,
                                        delivery::HttpReach reach = delivery::HttpReach::Anywhere) {
        auto poster = std::make_unique<NoticePoster>(std::make_unique<FakeSource>(std::move(notices), reach, ends_),
                                                     counts_, log_);
        poster->start();
        return poster;
    }

    void postsAllOfAReceiverOverOneConnection() {
        HttpServer server({{kTaken, kTaken}});
        const auto poster = start({notice("1", "shop", server), notice("2", "shop", server)});
        CPPUNIT_ASSERT((ends_.await(2) == std::map<std::string, int>{{"1", 204}, {"2", 204}}));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, server.requests().size());
    }

    void triesNothingBehindWhatWasNotTaken() {
        HttpServer server({{kTaken, kRefused}});
        const auto poster =
            start({notice("1", "shop", server), notice("2", "shop", server), notice("3", "shop", server)});
        CPPUNIT_ASSERT((ends_.await(3) == std::map<std::string, int>{{"1", 204}, {"2", 500}, {"3", -1}}));
    }

    void countsWhatCameOfThem() {
        for (const int status : {0, 204, 200, 302, 404, 410, 500, 199}) counts_.count(status);
        MetricsText text;
        text.begin(MetricKind::Counter, "n", "Notices.");
        counts_.write(text, "shop");
        const std::string told = text.take();
        for (const char* line :
             {"no_answer\"} 1", "taken\"} 2", "redirected\"} 1", "refused\"} 1", "gone\"} 1", "failed\"} 2"})
            CPPUNIT_ASSERT_MESSAGE(told,
                                   told.find(std::string{"n{receiver=\"shop\",result=\""} + line) != std::string::npos);
    }

    void letsNobodyWaitForWhoHangs() {
        HttpServer silent({{kStall}});
        HttpServer server({{kTaken}});
        const auto poster = start({notice("1", "silent", silent), notice("2", "shop", server)});
        CPPUNIT_ASSERT((ends_.await(1) == std::map<std::string, int>{{"2", 204}}));
    }

    void connectsToPublicAddressesAlone() {
        HttpServer server({{kTaken}});
        {
            const auto poster = start({notice("1", "shop", server)}, delivery::HttpReach::PublicAddresses);
            CPPUNIT_ASSERT((ends_.await(1) == std::map<std::string, int>{{"1", 0}}));
        }
        CPPUNIT_ASSERT(server.requests().empty());
    }

    FakeClock clock_;
    Logger log_{LogFormat::Text, LogLevel::Error, clock_};
    NoticeCounts counts_;
    Ends ends_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(NoticePosterTest);

}  // namespace notice_poster_test
}  // namespace otpgate::test
