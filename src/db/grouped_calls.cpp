#include "db/grouped_calls.h"

#include "otpgate/db/error.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

namespace otpgate::db {

// Shared, because who wakes it may still be at it when the call has returned.
struct GroupedCalls::Member {
    explicit Member(const GroupedCall& itsCall) : call(itsCall) {}

    const GroupedCall& call;  // until it is settled
    bool isSettled = false;
    std::condition_variable wake;
    // Settled with neither: it is made alone.
    std::optional<Row> row;
    std::exception_ptr error;

    bool sharesKeyWith(const Member& other) const {
        return std::ranges::any_of(call.keys, [&](std::string_view key) {
            return std::ranges::find(other.call.keys, key) != other.call.keys.end();
        });
    }
};

GroupedCalls::GroupedCalls(unsigned threads, const std::function<Execute()>& makeExecute) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this, execute = makeExecute()] { run(execute); });
    }
}

GroupedCalls::~GroupedCalls() {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    arrival_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

Row GroupedCalls::call(const GroupedCall& call, const Execute& executeAlone) {
    const auto self = std::make_shared<Member>(call);
    {
        std::unique_lock lock(mutex_);
        waiting_.push_back(self);
        if (waiting_.size() == 1) arrival_.notify_one();
        self->wake.wait(lock, [&] { return self->isSettled; });
    }
    if (self->error) std::rethrow_exception(self->error);
    if (self->row) return std::move(*self->row);
    return executeAlone(call.packed).at(0);
}

std::size_t GroupedCalls::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

void GroupedCalls::run(const Execute& execute) {
    for (;;) {
        Group group;
        {
            std::unique_lock lock(mutex_);
            arrival_.wait(lock, [&] { return isStopping_ || !waiting_.empty(); });
            if (isStopping_) return;
            group = takeGroup();
        }
        answer(group, execute);
        settle(group, std::unique_lock{mutex_});
    }
}

// Calls with a key in common stay apart.
GroupedCalls::Group GroupedCalls::takeGroup() {
    Group group;
    std::erase_if(waiting_, [&](const std::shared_ptr<Member>& member) {
        const auto clashes = [&](const std::shared_ptr<Member>& other) { return member->sharesKeyWith(*other); };
        if (group.size() == kMaxGroup || std::ranges::any_of(group, clashes)) return false;
        group.push_back(member);
        return true;
    });
    if (!waiting_.empty()) arrival_.notify_one();
    return group;
}

void GroupedCalls::answer(const Group& group, const Execute& execute) {
    try {
        std::string calls;
        for (const auto& member : group) calls += member->call.packed;
        for (Row& row : execute(calls)) {
            const auto place = static_cast<std::size_t>(row.integer(0));
            group.at(place)->row = std::move(row);
        }
    } catch (const DbError& error) {
        if (error.kind() != ErrorKind::Gone) return;
        for (const auto& member : group) member->error = std::current_exception();
        failWaiting(std::current_exception());
    } catch (const std::exception&) {
        // It may be committed, so nobody may try again.
        for (const auto& member : group) member->error = std::current_exception();
    }
}

void GroupedCalls::failWaiting(const std::exception_ptr& error) {
    std::unique_lock lock(mutex_);
    const Group group(waiting_.begin(), waiting_.end());
    waiting_.clear();
    for (const auto& member : group) member->error = error;
    settle(group, std::move(lock));
}

void GroupedCalls::settle(const Group& group, std::unique_lock<std::mutex> lock) {
    for (const auto& member : group) member->isSettled = true;
    lock.unlock();
    for (const auto& member : group) member->wake.notify_one();
}

}  // namespace otpgate::db
