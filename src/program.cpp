#include "program.h"

#include "heartbeat.h"
#include "otpgate/base/log.h"
#include "signals.h"
#include "start_notes.h"

#include <utility>

namespace otpgate {

namespace {

constexpr std::chrono::seconds kTendEvery{1};

}  // namespace

Runner::Runner(const Settings& settings, Load load, Make make, Overseer& overseer)
    : settings_(settings),
      log_(std::make_unique<Logger>(settings.logFormat, settings.logLevel, clock_)),
      load_(std::move(load)),
      make_(std::move(make)),
      overseer_(overseer) {}

void Runner::run() {
    program_ = make_(settings_);
    program_->start();
    overseer_.ready();
    const Heartbeat heartbeat(overseer_, [this](std::chrono::milliseconds patience) { return answers(patience); });
    for (;;) {
        switch (waitForSignal(*log_, kTendEvery)) {
        case Signal::None:
        case Signal::ChildEnded: program_->tend(); break;
        case Signal::Reload: reload(); break;
        case Signal::Stop:
            overseer_.stopping();
            program_->stop();
            log_->info("stopped");
            return;
        }
    }
}

void Runner::reload() {
    overseer_.reloading();
    try {
        const Settings settings = load_();
        auto next = make_(settings);
        next->start();
        {
            const std::lock_guard lock(mutex_);
            std::swap(program_, next);
        }
        next->handOver();
        for (const std::string& name : readAtTheStartOnly(settings_, settings)) {
            log_->warning("setting unchanged until a restart", {{"setting", name}});
        }
        settings_ = settings;
        log_ = std::make_unique<Logger>(settings.logFormat, settings.logLevel, clock_);
        log_->info("settings read anew");
    } catch (const std::exception& error) {
        log_->error("settings unchanged", {{"reason", error.what()}});
    }
    overseer_.ready();
}

bool Runner::answers(std::chrono::milliseconds patience) {
    const std::lock_guard lock(mutex_);
    return program_->answers(patience);
}

}  // namespace otpgate
