// All that posts notices to other servers: of `otpgate serve` and of `otpgate deliver`.
#pragma once

#include "notice_poster.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/connection.h"
#include "settings.h"

namespace otpgate {

class NoticePosters {
public:
    // What it is given outlives it.
    NoticePosters(const Settings& settings, db::Database& database, const crypto::KeyRing& ring, const Clock& clock,
                  Random& random, AllNoticeCounts& counts, Logger& log);

    void start();
    void stop();

private:
    NoticePoster logouts_;
    NoticePoster webhooks_;
};

}  // namespace otpgate
