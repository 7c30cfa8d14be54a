#include "otpgate/crypto/password_gate.h"

#include "otpgate/base/errors.h"
#include "otpgate/crypto/password_costs.h"

#include <algorithm>
#include <exception>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace otpgate::crypto {
namespace {

constexpr int kLowestPriority = 19;

// Linux knows priorities by thread. Both are only wishes: a hash at normal priority is no reason not to start.
void yieldToAllOthers() {
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowestPriority));
    const sched_param none{};
    static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));
}

PasswordGateOptions withSlots(PasswordGateOptions options) {
    if (options.slots == 0) options.slots = std::max(1U, std::thread::hardware_concurrency());
    return options;
}

}  // namespace

// Lives on the stack of the thread that waits for it; all but `work` is guarded by the gate's mutex.
struct PasswordGate::Job {
    std::function<void()> work;
    std::condition_variable done;
    bool isDone = false;
    std::string failure;
};

PasswordGate::PasswordGate(const PasswordGateOptions& options, Random& random)
    : options_(withSlots(options)),
      random_(random),
      costs_{costOf(makeUnmatchableHash(options.cost, random)).value()} {
    threads_.reserve(options_.slots);
    for (unsigned i = 0; i < options_.slots; ++i) threads_.emplace_back(&PasswordGate::serve, this);
}

PasswordGate::~PasswordGate() {
    {
        std::unique_lock lock(mutex_);
        isEnding_ = true;
        work_.notify_all();
        left_.wait(lock, [this] { return calls_ == 0; });
    }
    for (std::thread& thread : threads_) thread.join();
}

std::string PasswordGate::hash(std::string_view password) {
    std::string result;
    run([&] { result = hashPassword(password, options_.cost, random_); });
    return result;
}

PasswordMatch PasswordGate::verify(std::string_view password, std::string_view storedHash) {
    PasswordMatch result = PasswordMatch::Unusable;
    const std::set<std::string> costs = knownCosts();
    run([&] {
        result = verifyPassword(password, storedHash);
        if (result == PasswordMatch::Right) return;
        const auto done = result == PasswordMatch::Unusable ? std::nullopt : costOf(storedHash);
        for (const std::string& decoy : decoysAfter(done, costs)) verifyPassword(password, decoy);
    });
    return result;
}

void PasswordGate::verifyNobody(std::string_view password) {
    const std::set<std::string> costs = knownCosts();
    run([&] {
        for (const std::string& decoy : decoysAfter(std::nullopt, costs)) verifyPassword(password, decoy);
    });
}

void PasswordGate::learn(const std::vector<std::string>& costs) {
    const std::lock_guard lock(mutex_);
    costs_.insert(costs.begin(), costs.end());
}

bool PasswordGate::knows(const std::string& cost) const {
    const std::lock_guard lock(mutex_);
    return costs_.contains(cost);
}

std::set<std::string> PasswordGate::knownCosts() const {
    const std::lock_guard lock(mutex_);
    return costs_;
}

PasswordGate::Load PasswordGate::load() const {
    const std::lock_guard lock(mutex_);
    Load load = load_;
    load.waiting = queue_.size();
    return load;
}

void PasswordGate::run(std::function<void()> work) {
    Job job;
    job.work = std::move(work);
    std::unique_lock lock(mutex_);
    if (isEnding_) throw ServiceUnavailable("the password queue is closed");
    if (load_.running + queue_.size() >= std::size_t{options_.slots} + options_.queue) {
        ++load_.refused;
        throw ServiceUnavailable("the password queue is full: " + std::to_string(load_.running) + " running, " +
                                 std::to_string(queue_.size()) + " waiting");
    }
    ++calls_;
    queue_.push_back(&job);
    work_.notify_one();
    job.done.wait(lock, [&] { return job.isDone; });
    if (--calls_ == 0 && isEnding_) left_.notify_all();  // under the lock: the gate may be gone right after it
    if (!job.failure.empty()) throw ServiceUnavailable("cannot hash a password: " + job.failure);
}

// A slot.
void PasswordGate::serve() {
    yieldToAllOthers();
    HashMemory memory(options_.cost.memoryKib);
    std::unique_lock lock(mutex_);
    const auto isAwaited = [this] { return !queue_.empty() || isEnding_; };
    std::size_t counted = 0;
    const auto count = [&] { load_.heldBytes += memory.heldBytes() - std::exchange(counted, memory.heldBytes()); };
    while (true) {
        if (memory.heldBytes() == 0) {
            work_.wait(lock, isAwaited);
        } else if (!work_.wait_for(lock, options_.keepMemory, isAwaited)) {
            memory.release();
            count();
            continue;
        }
        if (queue_.empty()) break;
        finishOne(lock);
        count();
    }
}

void PasswordGate::finishOne(std::unique_lock<std::mutex>& lock) {
    Job& job = *queue_.front();
    queue_.pop_front();
    ++load_.running;
    lock.unlock();
    // Not thrown again in the other thread: what() is all that is wanted of it there.
    std::string failure;
    try {
        job.work();
    } catch (const std::exception& error) {
        failure = error.what();
        if (failure.empty()) failure = "unknown";
    }
    lock.lock();
    --load_.running;
    job.failure = std::move(failure);
    job.isDone = true;
    job.done.notify_one();  // under the lock, for `job` lives on the stack of the thread that it wakes
}

}  // namespace otpgate::crypto
