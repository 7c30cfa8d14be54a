// Tells applications that a session has ended (OpenID Connect Back-Channel Logout 1.0): posts what waits in
// oidc_logouts. A thread of its own, of `otpgate serve` where that sends messages, else of `otpgate deliver`; of
// several processes, one takes each notice.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/oidc_provider.h"
#include "otpgate/domain/oidc_store.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/stores.h"
#include "settings.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace otpgate {

class LogoutCourier {
public:
    // What it is given outlives it.
    LogoutCourier(const Settings& settings, db::Database& database, const crypto::KeyRing& ring, const Clock& clock,
                  Random& random, Logger& log);
    ~LogoutCourier();
    LogoutCourier(const LogoutCourier&) = delete;
    LogoutCourier& operator=(const LogoutCourier&) = delete;

    void start();
    // After the one that is under way.
    void stop();

private:
    void run();
    void sendWaiting();
    // `fault`: why the application has not taken it; empty: it has.
    void finish(const domain::LogoutNotice& notice, const std::string& fault);

    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::OidcStore> store_;
    std::unique_ptr<domain::SigningKeyStore> accessKeyStore_;
    std::unique_ptr<domain::SigningKeyStore> idKeyStore_;
    domain::SigningKeys accessKeys_;
    domain::SigningKeys idKeys_;
    domain::ProcessCounts counts_;  // it makes no grants
    domain::OidcProvider provider_;
    const Clock& clock_;
    Random& random_;
    Logger& log_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool isStopping_ = false;
    std::thread thread_;
};

}  // namespace otpgate
