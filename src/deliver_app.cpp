#include "deliver_app.h"

#include "otpgate/base/errors.h"
#include "readiness.h"
#include "start_notes.h"

namespace otpgate {

namespace {

constexpr std::chrono::minutes kNoteEvery{1};

// A message that only we send must not wait for long.
delivery::CourierSettings alone(delivery::CourierSettings settings) {
    settings.lookEvery = std::chrono::milliseconds{250};
    return settings;
}

}  // namespace

DeliverApp::DeliverApp(const Settings& settings)
    : settings_(settings),
      log_(settings.logFormat, settings.logLevel, clock_),
      keyRing_(crypto::KeyRing::load(settings.masterKeyFile)),
      database_(db::openDatabase(settings.database)),
      startConnection_(database_->connect()),
      signingKeys_(keyRing_, settings.tokens.accessLifetime),
      idTokenKeys_(keyRing_, settings.tokens.accessLifetime, crypto::SigningAlgorithm::Rs256),
      codes_(keyRing_, settings.otp.format, settings.otp.fixedCode),
      dispatch_(settings_, alone(settings_.courier), codes_, *database_, nullptr, clock_, random_, log_, metrics_),
      posters_(settings_, *database_, keyRing_, clock_, random_, noticeCounts_, log_),
      witness_(*startConnection_, keyRing_, clock_, random_) {
    checkStart(*database_, *startConnection_, signingKeys_, idTokenKeys_, clock_, random_);
}

void DeliverApp::start() {
    dispatch_.courier().start();
    posters_.start();
    for (const std::string& note : startNotes(settings_)) log_.info(note);
    log_.info("ready", {{"delivers", "what waits in the outbox"},
                        {"mail_senders", std::int64_t{settings_.courier.mailSenders}},
                        {"sms_senders", std::int64_t{settings_.courier.smsSenders}},
                        {"database", database_->describe()}});
    tend();
}

void DeliverApp::stop() {
    posters_.stop();
    dispatch_.courier().stop(Dispatch::kPatience);
}

void DeliverApp::tend() {
    const auto now = std::chrono::steady_clock::now();
    if (now < nextNote_) return;
    nextNote_ = now + kNoteEvery;
    try {
        witness_.note();
    } catch (const ServiceUnavailable& error) {
        log_.warning("other processes were not told of our keys", {{"detail", error.what()}});
    }
}

}  // namespace otpgate
