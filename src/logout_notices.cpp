#include "logout_notices.h"

#include "otpgate/base/encoding.h"
#include "otpgate/store/stores.h"

#include <algorithm>

namespace otpgate {

namespace {

using namespace std::chrono_literals;

constexpr unsigned kBatch = 20;
constexpr auto kTimeout = 5s;
// Longer than an application may take to answer all of a batch: one that does not answer is asked once.
constexpr auto kLease = 30s;
constexpr auto kFirstWait = 2s;
constexpr auto kLongestWait = 10min;
// From then on its own sessions are over as well, mostly.
constexpr auto kGiveUpAfter = 24h;

std::chrono::seconds waitAfter(std::int64_t attempts) {
    const auto doublings = std::min<std::int64_t>(attempts, 10);
    return std::min<std::chrono::seconds>(kFirstWait * (std::int64_t{1} << doublings), kLongestWait);
}

std::string faultOfAnswer(const PostAnswer& answer) {
    return answer.status == 0 ? answer.fault : "status " + std::to_string(answer.status);
}

}  // namespace

LogoutNotices::LogoutNotices(const Settings& settings, db::Database& database, const crypto::KeyRing& ring,
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

delivery::HttpSettings LogoutNotices::http() const {
    delivery::HttpSettings settings;
    settings.timeout = kTimeout;
    return settings;
}

// A busy one is asked all the same: what it is asked now it might answer.
std::vector<Notice> LogoutNotices::take(const std::set<std::string>& /*busy*/) {
    const Timestamp now = clock_.now();
    auto logouts = store_->takeLogouts(now, now + kLease, kBatch);
    std::vector<Notice> notices;
    if (logouts.empty()) return notices;
    // The keys of this moment: this process may have no other use for them.
    accessKeys_.reload(*accessKeyStore_, random_, now);
    idKeys_.reload(*idKeyStore_, random_, now);
    for (domain::LogoutNotice& logout : logouts) {
        notices.push_back({logout.id.toString(),
                           logout.clientId,
                           {delivery::HttpMethod::Post,
                            logout.uri,
                            {"Content-Type: application/x-www-form-urlencoded"},
                            "logout_token=" + percentEncoded(provider_.logoutToken(logout))}});
        taken_.insert_or_assign(notices.back().id, std::move(logout));
    }
    return notices;
}

void LogoutNotices::finish(const Notice& notice, const std::optional<PostAnswer>& answer) {
    const auto node = taken_.extract(notice.id);
    if (node.empty()) return;
    const domain::LogoutNotice& logout = node.mapped();
    const Timestamp now = clock_.now();
    if (!answer) {
        store_->postponeLogout(logout.id, now);
        return;
    }
    // Section 2.8: 200, or 204 where its session was over already.
    if (answer->status / 100 == 2) {
        store_->removeLogout(logout.id);
        return;
    }
    const bool isGivenUp = logout.createdAt + kGiveUpAfter <= now;
    log_.warning(isGivenUp ? "an application was never told that a session ended"
                           : "an application was not told yet that a session ended",
                 {{"client", logout.clientId}, {"detail", faultOfAnswer(*answer)}});
    if (isGivenUp)
        store_->removeLogout(logout.id);
    else
        store_->postponeLogout(logout.id, now + waitAfter(logout.attempts));
}

}  // namespace otpgate
