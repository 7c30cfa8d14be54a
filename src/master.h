// Several processes that answer on one socket, and the one that has started them, which answers nothing: it starts
// again whichever dies or hangs, and passes on what it is told.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/http/fcgi_server.h"
#include "overseer.h"
#include "program.h"
#include "settings.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace otpgate {

// How long a process that has died so many times in a row is left alone: the first time not at all, then 1 s, and twice
// as long each time, up to 30 s.
std::chrono::milliseconds restAfter(unsigned deathsInARow);

class Master {
public:
    // What a process does, from its start to its end; it returns its exit code.
    using Work = std::function<int(const Settings&, Overseer&)>;

    // There is no other thread yet, and the signals are blocked. What it is given outlives it.
    Master(const Settings& settings, Runner::Load load, const http::ListeningSocket& socket, Overseer& overseer,
           Work work);
    ~Master();
    Master(const Master&) = delete;
    Master& operator=(const Master&) = delete;

    // Until SIGTERM or SIGINT, when all have ended: 0. Where one of the first ones ends before it works, that one's
    // exit code. At a SIGHUP the settings are read anew, and where they are right all processes are told to.
    int run();

private:
    struct Shared;
    struct Child;
    using SteadyClock = std::chrono::steady_clock;

    void start(Child& child);
    void startWhatIsDue();
    void noteEnds();
    void noteEnd(Child& child, int status);
    void killWhatHangs();
    void reload();
    void resize(std::size_t count);
    void tell();
    void stopAll();
    bool isWaiting() const;

    SystemClock clock_;
    Settings settings_;
    std::unique_ptr<Logger> log_;
    const Runner::Load load_;
    const http::ListeningSocket& socket_;
    Overseer& overseer_;
    const Work work_;
    std::vector<std::unique_ptr<Child>> children_;
    bool isReady_ = false;
    bool isReloading_ = false;
    std::optional<int> failure_;  // of the start
};

}  // namespace otpgate
