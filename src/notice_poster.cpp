#include "notice_poster.h"

#include <algorithm>
#include <map>
#include <utility>

namespace otpgate {

namespace {

using namespace std::chrono_literals;

// Who is disabled is out of every application within two seconds of that.
constexpr std::chrono::milliseconds kPostEvery{500};
constexpr std::chrono::milliseconds kRestEvery{2000};
// Receivers at a time, each of which has a thread.
constexpr std::size_t kMostRounds = 32;

bool isTaken(const PostAnswer& answer) {
    return answer.status / 100 == 2;
}

PostAnswer send(delivery::HttpClient& client, const delivery::HttpRequest& request) {
    try {
        const auto reply = client.send(request);
        return {reply.status, {}, reply.retryAfter};
    } catch (const delivery::HttpError& error) {
        return {0, error.what(), std::nullopt};
    }
}

}  // namespace

NoticePoster::NoticePoster(std::unique_ptr<NoticeSource> source, NoticeCounts& counts, Logger& log)
    : source_(std::move(source)),
      counts_(counts),
      log_(log) {}

NoticePoster::~NoticePoster() {
    stop();
}

void NoticePoster::start() {
    thread_ = std::thread([this] { run(); });
}

void NoticePoster::stop() {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool NoticePoster::isStopping() {
    const std::lock_guard lock(mutex_);
    return isStopping_;
}

void NoticePoster::run() {
    // One line for an outage of the database, however long it is.
    bool isDown = false;
    const auto doing = [&](auto work) {
        try {
            work();
            isDown = false;
        } catch (const std::exception& error) {
            // What was posted and could not be noted is posted again when it is nobody's any more.
            if (!isDown) log_.warning("notices are not sent", {{"of", source_->name()}, {"detail", error.what()}});
            isDown = true;
        }
    };
    while (!isStopping()) {
        doing([this] {
            finishPosted();
            look();
        });
        std::unique_lock lock(mutex_);
        const auto rest = isDown ? kRestEvery : kPostEvery;
        wake_.wait_for(lock, rest, [&] { return isStopping_ || (!posted_.empty() && !isDown); });
    }
    for (Round& round : rounds_) round.posting.wait();
    doing([this] { finishPosted(); });
}

void NoticePoster::look() {
    if (rounds_.size() >= kMostRounds) return;
    std::set<std::string> busy;
    for (const Round& round : rounds_) busy.insert(round.receiver);
    std::map<std::string, std::vector<Notice>> byReceiver;
    for (Notice& notice : source_->take(busy)) byReceiver[notice.receiver].push_back(std::move(notice));
    for (auto& [receiver, notices] : byReceiver) {
        rounds_.push_back({receiver, notices.size()});
        Round& round = rounds_.back();
        round.posting = std::async(std::launch::async,
                                   [this, &round, taken = std::move(notices)]() mutable { post(round, taken); });
    }
}

void NoticePoster::post(Round& round, std::vector<Notice>& notices) {
    std::optional<delivery::HttpClient> client;
    bool isOpen = true;
    for (Notice& notice : notices) {
        std::optional<PostAnswer> answer;
        if (isOpen && !isStopping()) {
            if (!client) client.emplace(source_->http());
            answer = send(*client, notice.request);
            counts_.count(answer->status);
            isOpen = isTaken(*answer);
        }
        {
            const std::lock_guard lock(mutex_);
            posted_.push_back({&round, std::move(notice), std::move(answer)});
        }
        wake_.notify_all();
    }
}

void NoticePoster::finishPosted() {
    std::vector<Posted> posted;
    {
        const std::lock_guard lock(mutex_);
        posted.swap(posted_);
    }
    for (const Posted& each : posted) --each.round->left;
    // Nothing is left to be done by their threads, so none is waited for.
    std::erase_if(rounds_, [](const Round& round) { return round.left == 0; });
    for (const Posted& each : posted) source_->finish(each.notice, each.answer);
}

}  // namespace otpgate
