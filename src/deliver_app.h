// The composition root of `otpgate deliver`: a process that sends what waits in the outbox, and does nothing else.
#pragma once

#include "dispatch.h"
#include "key_witness.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/signing_keys.h"
#include "settings.h"

#include <memory>

namespace otpgate {

class DeliverApp {
public:
    // Checks what `otpgate serve` checks; throws as App does.
    explicit DeliverApp(const Settings& settings);

    // Sends until SIGTERM or SIGINT, then what is in hand. The caller has blocked both signals in this thread before
    // any other was started.
    void run();

private:
    const Settings settings_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    Logger log_;
    crypto::KeyRing keyRing_;
    std::unique_ptr<db::Database> database_;
    std::unique_ptr<db::Connection> startConnection_;
    domain::SigningKeys signingKeys_;  // not used, but that they open says that codes are the same as everywhere
    domain::OtpCodes codes_;
    domain::OtpMetrics metrics_;  // asked of nobody: it listens nowhere
    Dispatch dispatch_;
    KeyWitness witness_;
};

}  // namespace otpgate
