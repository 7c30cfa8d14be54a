#include "logout_courier.h"

#include "delivery/sms/http_client.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <future>
#include <vector>

namespace otpgate {

namespace {

using namespace std::chrono_literals;

// Who is disabled is out of every application within two seconds of that.
constexpr std::chrono::milliseconds kLookEvery{500};
constexpr std::chrono::milliseconds kRestEvery{2000};
constexpr unsigned kBatch = 20;
// Longer than the application may take to answer.
constexpr auto kLease = 30s;
constexpr auto kTimeout = 5s;
constexpr auto kFirstWait = 2s;
constexpr auto kLongestWait = 10min;
// From then on its own sessions are over as well, mostly.
constexpr auto kGiveUpAfter = 24h;

std::chrono::seconds waitAfter(std::int64_t attempts) {
    const auto doublings = std::min<std::int64_t>(attempts, 10);
    return std::min<std::chrono::seconds>(kFirstWait * (std::int64_t{1} << doublings), kLongestWait);
}

// Why the application has not taken the token; empty: it has.
std::string post(const std::string& uri, const std::string& token) {
    try {
        delivery::HttpSettings settings;
        settings.timeout = kTimeout;
        delivery::HttpClient client(settings);
        const auto reply = client.post(uri, {{"logout_token", token}});
        // Section 2.8: 200, or 204 where its session was over already.
        return reply.status / 100 == 2 ? std::string{} : "status " + std::to_string(reply.status);
    } catch (const delivery::HttpError& error) {
        return error.what();
    }
}

}  // namespace

LogoutCourier::LogoutCourier(const Settings& settings, db::Database& database, const crypto::KeyRing& ring,
                             const Clock& clock, Random& random, Logger& log)
    : connection_(database.connect()),
      store_(store::makeOidcStore(*connection_)),
      accessKeyStore_(store::makeSigningKeyStore(*connection_)),
      idKeyStore_(store::makeIdTokenKeyStore(*connection_)),
      accessKeys_(ring, settings.tokens.accessLifetime),
      idKeys_(ring, settings.tokens.accessLifetime, crypto::SigningAlgorithm::Rs256),
      provider_(*store_, idKeys_, accessKeys_, ring, counts_, clock, random, {.issuer = settings.publicUrl}),
      clock_(clock),
      random_(random),
      log_(log) {}

LogoutCourier::~LogoutCourier() {
    stop();
}

void LogoutCourier::start() {
    thread_ = std::thread([this] { run(); });
}

void LogoutCourier::stop() {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void LogoutCourier::run() {
    // One line for an outage of the database, however long it is.
    bool isDown = false;
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, isDown ? kRestEvery : kLookEvery, [this] { return isStopping_; })) {
        lock.unlock();
        try {
            sendWaiting();
            isDown = false;
        } catch (const std::exception& error) {
            if (!isDown) log_.warning("applications are not told of ended sessions", {{"detail", error.what()}});
            isDown = true;
        }
        lock.lock();
    }
}

void LogoutCourier::sendWaiting() {
    const Timestamp now = clock_.now();
    const auto notices = store_->takeLogouts(now, now + kLease, kBatch);
    if (notices.empty()) return;
    // The keys of this moment: this process may have no other use for them.
    accessKeys_.reload(*accessKeyStore_, random_, now);
    idKeys_.reload(*idKeyStore_, random_, now);
    // All at once, so that an application which does not answer holds up none of the others.
    std::vector<std::future<std::string>> faults;
    faults.reserve(notices.size());
    for (const domain::LogoutNotice& notice : notices)
        faults.push_back(std::async(std::launch::async, post, notice.uri, provider_.logoutToken(notice)));
    for (std::size_t i = 0; i < notices.size(); ++i) finish(notices[i], faults[i].get());
}

void LogoutCourier::finish(const domain::LogoutNotice& notice, const std::string& fault) {
    if (fault.empty()) {
        store_->removeLogout(notice.id);
        return;
    }
    const Timestamp now = clock_.now();
    const bool isGivenUp = notice.createdAt + kGiveUpAfter <= now;
    log_.warning(isGivenUp ? "an application was never told that a session ended"
                           : "an application was not told yet that a session ended",
                 {{"client", notice.clientId}, {"detail", fault}});
    if (isGivenUp)
        store_->removeLogout(notice.id);
    else
        store_->postponeLogout(notice.id, now + waitAfter(notice.attempts));
}

}  // namespace otpgate
