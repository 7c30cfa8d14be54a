// Calls by many threads that are made together, in one transaction: while one group is under way the next one gathers,
// so that a busy server shares round trips and commits, and an idle one waits for nothing. A call that finds nobody is
// made by the thread that wants it; what gathers, by a thread of ours. What a call is, and what a group of them does,
// is the user's: in store/.
#pragma once

#include "otpgate/base/metrics.h"
#include "otpgate/db/error.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace otpgate::db {

// More would hold locks for longer and gain little.
constexpr std::size_t kMaxGroup = 32;

template <typename Call, typename Answer>
class GroupedCalls {
public:
    // Makes the calls and answers each in its place; what it throws means that none of them was made, but for
    // DbError{Gone} and what is no DbError, after which nobody can know.
    using Execute = std::function<std::vector<Answer>(std::span<const Call* const> calls)>;

    // At most `groups` are under way at once, each by an Execute of its own.
    GroupedCalls(unsigned groups, const std::function<Execute()>& makeExecute, SizeHistogram& sizes) : sizes_(sizes) {
        for (unsigned i = 0; i < groups; ++i) free_.push_back(makeExecute());
        for (unsigned i = 0; i < groups; ++i) threads_.emplace_back([this] { run(); });
    }
    // No call may be under way.
    ~GroupedCalls() {
        {
            const std::lock_guard lock(mutex_);
            isStopping_ = true;
        }
        arrival_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }
    GroupedCalls(const GroupedCalls&) = delete;
    GroupedCalls& operator=(const GroupedCalls&) = delete;

    // The answer to `call`. Any thread. Where a group fails, each of its calls is made by `alone`, on the thread that
    // wants it: what is wrong with one must not fail the others. But a database that has gone has gone for all: that
    // DbError is thrown to the group and to everyone who waits, because each would find out as slowly. Who waits goes
    // on where there is another host to go to.
    //
    // A patient call first waits so long for company: it goes with the next group of others, and makes one itself only
    // where none came.
    template <typename Alone>
    Answer call(const Call& call, Alone&& alone, std::chrono::milliseconds patience = {}) {
        const auto self = std::make_shared<Member>(call);
        {
            std::unique_lock lock(mutex_);
            if (patience.count() > 0) waitForCompany(self, patience, lock);
            if (!self->isTaken && impatient_ == 0 && !free_.empty()) {
                makeGroup({self}, lock);
            } else if (!self->isTaken) {
                self->isImpatient = true;
                ++impatient_;
                waiting_.push_back(self);
            }
            self->wake.wait(lock, [&] { return self->isSettled; });
        }
        if (self->error) std::rethrow_exception(std::exchange(self->error, nullptr));
        if (self->answer) return std::move(*self->answer);
        return alone(call);
    }

    // Calls that are in no group yet.
    std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }

private:
    // Shared, because who wakes it may still be at it when the call has returned.
    struct Member {
        explicit Member(const Call& itsCall) : call(itsCall) {}

        const Call& call;  // until it is settled
        bool isImpatient = false;
        bool isTaken = false;
        bool isSettled = false;
        std::condition_variable wake;
        // Settled with neither: it is made alone.
        std::optional<Answer> answer;
        std::exception_ptr error;
    };
    using Group = std::vector<std::shared_ptr<Member>>;

    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            arrival_.wait(lock, [&] { return isStopping_ || (impatient_ > 0 && !free_.empty()); });
            if (isStopping_) return;
            makeGroup({}, lock);
        }
    }

    void waitForCompany(const std::shared_ptr<Member>& self, std::chrono::milliseconds patience,
                        std::unique_lock<std::mutex>& lock) {
        waiting_.push_back(self);
        self->wake.wait_for(lock, patience, [&] { return self->isTaken; });
        if (!self->isTaken) std::erase(waiting_, self);
    }

    // Of `group` and those who wait. With the mutex held, which is free meanwhile.
    void makeGroup(Group group, std::unique_lock<std::mutex>& lock) {
        Execute execute = std::move(free_.back());
        free_.pop_back();
        while (!waiting_.empty() && group.size() < kMaxGroup) {
            group.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
            group.back()->isTaken = true;
            if (group.back()->isImpatient) --impatient_;
        }
        lock.unlock();
        answer(group, execute);
        settle(group, std::unique_lock{mutex_});
        lock.lock();
        free_.push_back(std::move(execute));
        if (impatient_ > 0) arrival_.notify_one();
    }

    void answer(const Group& group, const Execute& execute) {
        sizes_.observe(group.size());
        try {
            std::vector<const Call*> calls;
            calls.reserve(group.size());
            for (const auto& member : group) calls.push_back(&member->call);
            std::vector<Answer> answers = execute(calls);
            for (std::size_t i = 0; i < group.size(); ++i) group[i]->answer = std::move(answers.at(i));
        } catch (const DbError& error) {
            if (error.kind() != ErrorKind::Gone) return;
            for (const auto& member : group) member->error = std::make_exception_ptr(error.apart());
            // What waits was not sent.
            if (!error.hasOtherHost()) failWaiting(error.asMaybeCommitted(false));
        } catch (const std::exception&) {
            // It may be committed, so nobody may try again.
            for (const auto& member : group) member->error = std::current_exception();
        }
    }

    void failWaiting(const DbError& error) {
        std::unique_lock lock(mutex_);
        const Group group(waiting_.begin(), waiting_.end());
        waiting_.clear();
        impatient_ = 0;
        for (const auto& member : group) {
            member->isTaken = true;
            member->error = std::make_exception_ptr(error.apart());
        }
        settle(group, std::move(lock));
    }

    static void settle(const Group& group, std::unique_lock<std::mutex> lock) {
        for (const auto& member : group) member->isSettled = true;
        lock.unlock();
        for (const auto& member : group) member->wake.notify_one();
    }

    SizeHistogram& sizes_;
    mutable std::mutex mutex_;
    std::condition_variable arrival_;
    std::vector<Execute> free_;
    std::deque<std::shared_ptr<Member>> waiting_;
    std::size_t impatient_ = 0;  // of those
    bool isStopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace otpgate::db
