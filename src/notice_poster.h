// Posts notices to other servers over HTTP: of sessions that have ended to applications, of events to webhooks. What is
// posted, and what becomes of it, is its source's business. A thread of its own, of `otpgate serve` where that sends
// messages, else of `otpgate deliver`; of several processes, one takes each notice.
#pragma once

#include "delivery/sms/http_client.h"
#include "notice_counts.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"

#include <condition_variable>
#include <cstddef>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace otpgate {

struct Notice {
    std::string id;        // as its source knows it
    std::string receiver;  // those of one are posted over one connection
    delivery::HttpRequest request;
};

// What the receiver said.
struct PostAnswer {
    int status = 0;       // 0: there was none
    std::string fault{};  // why there was none
    std::optional<std::chrono::seconds> retryAfter{};
};

// Asked by the poster's thread alone.
class NoticeSource {
public:
    virtual ~NoticeSource() = default;
    virtual std::string_view name() const = 0;  // for the log
    virtual delivery::HttpSettings http() const = 0;
    // Those that are due, in this process's hands from now on. `busy`: receivers that something is being posted to.
    virtual std::vector<Notice> take(const std::set<std::string>& busy) = 0;
    // nullopt: it was not tried, because one before it was not taken, or the process ends.
    virtual void finish(const Notice& notice, const std::optional<PostAnswer>& answer) = 0;
};

class NoticePoster {
public:
    // What it is given outlives it.
    NoticePoster(std::unique_ptr<NoticeSource> source, NoticeCounts& counts, Logger& log);
    ~NoticePoster();
    NoticePoster(const NoticePoster&) = delete;
    NoticePoster& operator=(const NoticePoster&) = delete;

    void start();
    // After the posts that are under way.
    void stop();

private:
    // Those of one receiver, one after the other, by a thread of theirs: who hangs holds up no other.
    struct Round {
        std::string receiver;
        std::size_t left = 0;  // that are not finished
        std::future<void> posting{};
    };
    struct Posted {
        Round* round;
        Notice notice;
        std::optional<PostAnswer> answer;
    };

    void run();
    void look();
    void post(Round& round, std::vector<Notice>& notices);
    void finishPosted();
    bool isStopping();

    std::unique_ptr<NoticeSource> source_;
    NoticeCounts& counts_;
    Logger& log_;
    std::list<Round> rounds_;  // of run()

    std::mutex mutex_;
    std::condition_variable wake_;
    bool isStopping_ = false;
    std::vector<Posted> posted_;
    std::thread thread_;
};

}  // namespace otpgate
