#include "notice_posters.h"

#include "logout_notices.h"
#include "webhook_notices.h"

namespace otpgate {

NoticePosters::NoticePosters(const Settings& settings, db::Database& database, const crypto::KeyRing& ring,
                             const Clock& clock, Random& random, AllNoticeCounts& counts, Logger& log)
    : logouts_(std::make_unique<LogoutNotices>(settings, database, ring, clock, random, log), counts.logouts, log),
      webhooks_(std::make_unique<WebhookNotices>(settings, database, ring, clock, random, log), counts.webhooks, log) {}

void NoticePosters::start() {
    logouts_.start();
    webhooks_.start();
}

void NoticePosters::stop() {
    logouts_.stop();
    webhooks_.stop();
}

}  // namespace otpgate
