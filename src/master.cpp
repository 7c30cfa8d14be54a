#include "master.h"

#include "otpgate/base/errors.h"
#include "signals.h"
#include "start_notes.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <new>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace otpgate {

using namespace std::chrono_literals;

namespace {

constexpr auto kLookEvery = 1s;
constexpr auto kLookEveryWhileWaiting = 50ms;
// Who has worked for so long has not died again, but anew.
constexpr auto kSteadyAfter = 60s;
constexpr auto kHangsAfter = 30s;
// The server's and the courier's patience with what has begun, and some more.
constexpr auto kStopWithin = 20s;
constexpr auto kLongestRest = 30s;

std::int64_t ticks(std::chrono::steady_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

std::chrono::milliseconds restAfter(unsigned deathsInARow) {
    if (deathsInARow <= 1) return 0ms;
    return std::min<std::chrono::milliseconds>(1s * (1U << std::min(deathsInARow - 2, 5U)), kLongestRest);
}

// What a process tells its master, in memory that both see. The clock is the same for both.
struct Master::Shared : Overseer {
    void ready() override {
        alive();
        ++timesReady;
    }
    void reloading() override {}
    void stopping() override {}
    void alive() override { answeredAt = ticks(SteadyClock::now()); }
    std::optional<std::chrono::milliseconds> patience() const override { return kHangsAfter; }

    std::atomic<std::uint32_t> timesReady = 0;
    std::atomic<std::int64_t> answeredAt = 0;
};

struct Master::Child {
    Child() {
        void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        shared = new (memory) Shared;
    }
    ~Child() { munmap(shared, sizeof(Shared)); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    bool isRunning() const { return pid > 0; }
    bool works() const { return isRunning() && shared->timesReady > 0; }

    Shared* shared = nullptr;
    pid_t pid = 0;
    SteadyClock::time_point startAt;  // the next start, or the last one
    unsigned deathsInARow = 0;
    std::uint32_t timesReadyBefore = 0;  // the reload
    bool isLeaving = false;
};

Master::Master(const Settings& settings, Runner::Load load, const http::ListeningSocket& socket, Overseer& overseer,
               Work work)
    : settings_(settings),
      log_(std::make_unique<Logger>(settings.logFormat, settings.logLevel, clock_)),
      load_(std::move(load)),
      socket_(socket),
      overseer_(overseer),
      work_(std::move(work)) {}

Master::~Master() = default;

int Master::run() {
    resize(settings_.server.processes);
    while (!failure_) {
        startWhatIsDue();
        switch (waitForSignal(*log_, isWaiting() ? kLookEveryWhileWaiting : std::chrono::milliseconds{kLookEvery})) {
        case Signal::None:
        case Signal::ChildEnded: break;
        case Signal::Reload: reload(); break;
        case Signal::Stop:
            overseer_.stopping();
            stopAll();
            log_->info("stopped", {{"processes", std::int64_t{settings_.server.processes}}});
            return 0;
        }
        noteEnds();
        killWhatHangs();
        tell();
    }
    stopAll();
    return *failure_;
}

void Master::startWhatIsDue() {
    for (const auto& child : children_) {
        if (!child->isRunning() && !child->isLeaving && child->startAt <= SteadyClock::now()) start(*child);
    }
}

void Master::start(Child& child) {
    child.shared->timesReady = 0;
    child.timesReadyBefore = 0;
    child.startAt = SteadyClock::now();
    const pid_t master = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        log_->error("cannot start a process", {{"reason", std::generic_category().message(errno)}});
        child.startAt += restAfter(++child.deathsInARow);
        return;
    }
    if (pid == 0) {
        // Where the master is killed, nobody would start this one again: it ends in order, too.
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        // Neither destructors nor what runs at an exit: they are the master's.
        _exit(getppid() == master ? work_(settings_, *child.shared) : 1);
    }
    child.pid = pid;
}

void Master::noteEnds() {
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
        const auto found = std::ranges::find_if(children_, [pid](const auto& child) { return child->pid == pid; });
        if (found == children_.end()) continue;
        if ((*found)->isLeaving)
            children_.erase(found);
        else
            noteEnd(**found, status);
    }
}

void Master::noteEnd(Child& child, int status) {
    const auto now = SteadyClock::now();
    const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                                : "exit code " + std::to_string(WEXITSTATUS(status));
    if (!isReady_) failure_ = WIFEXITED(status) ? std::max(1, WEXITSTATUS(status)) : 1;
    if (child.works() && now - child.startAt >= kSteadyAfter) child.deathsInARow = 0;
    const auto rest = restAfter(++child.deathsInARow);
    log_->error("a process has ended",
                {{"pid", std::int64_t{child.pid}}, {"how", how}, {"started_again_in_ms", std::int64_t{rest.count()}}});
    child.pid = 0;
    child.startAt = now + rest;
}

void Master::killWhatHangs() {
    const std::int64_t now = ticks(SteadyClock::now());
    for (const auto& child : children_) {
        if (!child->works() || child->isLeaving) continue;
        if (now - child->shared->answeredAt < std::chrono::milliseconds{kHangsAfter}.count()) continue;
        log_->error("a process does not answer", {{"pid", std::int64_t{child->pid}}});
        kill(child->pid, SIGKILL);
        child->shared->alive();  // its end comes in a moment
    }
}

void Master::reload() {
    try {
        const Settings settings = load_();
        for (const std::string& name : readAtTheStartOnly(settings_, settings)) {
            if (name != "server.processes") log_->warning("setting unchanged until a restart", {{"setting", name}});
        }
        overseer_.reloading();
        isReloading_ = true;
        settings_ = settings;
        log_ = std::make_unique<Logger>(settings.logFormat, settings.logLevel, clock_);
        for (const auto& child : children_) {
            child->timesReadyBefore = child->shared->timesReady;
            if (child->isRunning()) kill(child->pid, SIGHUP);
        }
        resize(settings.server.processes);
    } catch (const std::exception& error) {
        log_->error("settings unchanged", {{"reason", error.what()}});
    }
}

void Master::resize(std::size_t count) {
    for (std::size_t i = count; i < children_.size(); ++i) {
        children_[i]->isLeaving = true;
        if (children_[i]->isRunning()) kill(children_[i]->pid, SIGTERM);
    }
    std::erase_if(children_, [](const auto& child) { return child->isLeaving && !child->isRunning(); });
    while (children_.size() < count) children_.push_back(std::make_unique<Child>());
}

// Whether something is about to happen that we want to see soon.
bool Master::isWaiting() const {
    return isReloading_ ||
           std::ranges::any_of(children_, [](const auto& child) { return !child->works() || child->isLeaving; });
}

void Master::tell() {
    const auto works = [](const auto& child) { return child->works(); };
    if (!isReady_ && !failure_ && std::ranges::all_of(children_, works)) {
        isReady_ = true;
        log_->info("all processes are ready", {{"processes", std::int64_t{settings_.server.processes}}});
        overseer_.ready();
    }
    const auto isDone = [](const auto& child) {
        return !child->isRunning() || child->shared->timesReady > child->timesReadyBefore;
    };
    if (isReloading_ && std::ranges::all_of(children_, isDone)) {
        isReloading_ = false;
        overseer_.ready();
    }
    // One that answers is enough: the others are killed and started again here.
    if (isReady_ && overseer_.patience() && std::ranges::any_of(children_, works)) overseer_.alive();
}

// Nobody comes any more, and each answers what has come.
void Master::stopAll() {
    socket_.closeDoor();
    resize(0);
    const auto end = SteadyClock::now() + kStopWithin;
    while (!children_.empty()) {
        if (SteadyClock::now() > end) {
            for (const auto& child : children_) kill(child->pid, SIGKILL);
        }
        waitForSignal(*log_, kLookEveryWhileWaiting);
        noteEnds();
    }
}

}  // namespace otpgate
