// The composition root: what the service is made of, and in which order it starts and ends. Knows every layer; nothing
// else does.
#pragma once

#include "dispatch.h"
#include "examination.h"
#include "housekeeper.h"
#include "human_checks.h"
#include "notice_posters.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/password_gate.h"
#include "otpgate/crypto/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/delivery/outbox_messenger.h"
#include "otpgate/delivery/templates.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/password_policy.h"
#include "otpgate/domain/process_counts.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/statistics.h"
#include "otpgate/domain/unanswered_guesses.h"
#include "otpgate/domain/webhook_store.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/cors.h"
#include "otpgate/http/fcgi_server.h"
#include "otpgate/http/sentences.h"
#include "otpgate/store/groups.h"
#include "program.h"
#include "readiness.h"
#include "service_metrics.h"
#include "settings.h"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>

namespace otpgate {

class App : public Program {
public:
    // Opens and checks everything that can be checked before the first request. Throws ConfigurationError for what the
    // administrator must correct, and ServiceUnavailable for a database that does not answer; where a web server has
    // started us, who would start one after the other in vain, it is waited for, and requests get 503 meanwhile. The
    // socket is that of all that follow each other; the first to start opens it.
    App(const Settings& settings, std::optional<http::ListeningSocket>& socket);
    ~App() override;

    void start() override;
    // Both answer what is in flight, then send the messages in hand.
    void handOver() override;
    void stop() override;
    void tend() override;
    bool answers(std::chrono::milliseconds patience) const override;

private:
    class Worker;
    void begin();
    domain::Messenger* makeMessenger();
    http::Handler makeHandler();
    void end();

    const Settings settings_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    Logger log_;
    crypto::KeyRing keyRing_;
    http::TrustedProxies trustedProxies_;
    http::Cors cors_;
    http::Sentences sentences_;
    http::AddressList metricsReaders_;
    http::AddressList adminAddresses_;
    std::unique_ptr<db::Database> database_;
    store::Groups groups_;
    std::unique_ptr<db::Connection> startConnection_;  // and of tend()
    std::unique_ptr<domain::WebhookStore> webhookStore_;
    domain::SigningKeys signingKeys_;
    domain::SigningKeys idTokenKeys_;
    domain::OtpCodes codes_;
    domain::PasswordPolicy passwordPolicy_;
    domain::ProcessCounts unknownGuesses_;
    domain::ProcessCounts grants_;
    domain::UnfinishedHours unfinishedHours_;
    domain::UnansweredGuesses unansweredGuesses_;
    crypto::PasswordGate passwordGate_;
    ServiceMetrics metrics_;
    std::unique_ptr<HumanChecks> humanChecks_;  // null where no service is asked
    const domain::NoticeSettings notices_;
    delivery::OutboxMessenger outboxMessenger_;
    std::unique_ptr<Dispatch> dispatch_;      // null where this process sends nothing
    std::unique_ptr<NoticePosters> posters_;  // null there, too
    domain::Messenger* messenger_;            // one of the two
    Readiness readiness_;
    Examiner examiner_;
    std::mutex testing_;  // whose turn it is to send a test message
    Housekeeper housekeeper_;
    std::atomic<bool> hasBegun_ = false;
    std::optional<http::ListeningSocket>& socket_;
    std::unique_ptr<http::FcgiServer> server_;
    std::future<void> run_;  // of the server
};

}  // namespace otpgate
