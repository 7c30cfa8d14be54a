// The composition root of `otpgate deliver`: a process that sends what waits in the outbox, and does nothing else.
#pragma once

#include "dispatch.h"
#include "key_witness.h"
#include "notice_posters.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/signing_keys.h"
#include "program.h"
#include "settings.h"

#include <chrono>
#include <memory>

namespace otpgate {

class DeliverApp : public Program {
public:
    // Checks what `otpgate serve` checks; throws as App does.
    explicit DeliverApp(const Settings& settings);

    void start() override;
    // Both send what is in hand.
    void handOver() override { stop(); }
    void stop() override;
    void tend() override;
    // It is asked nothing by anybody.
    bool answers(std::chrono::milliseconds) const override { return true; }

private:
    const Settings settings_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    Logger log_;
    crypto::KeyRing keyRing_;
    std::unique_ptr<db::Database> database_;
    std::unique_ptr<db::Connection> startConnection_;
    domain::SigningKeys signingKeys_;  // neither is used, but that they open says that codes are the same as everywhere
    domain::SigningKeys idTokenKeys_;
    domain::OtpCodes codes_;
    domain::OtpMetrics metrics_;  // asked of nobody, as the next: it listens nowhere
    AllNoticeCounts noticeCounts_;
    Dispatch dispatch_;
    NoticePosters posters_;
    KeyWitness witness_;
    std::chrono::steady_clock::time_point nextNote_;
};

}  // namespace otpgate
