#include "otpgate/domain/process_counts.h"

namespace otpgate::domain {

unsigned ProcessCounts::count(const std::string& subject, Timestamp now, Timestamp end) {
    const std::lock_guard lock(mutex_);
    return ++at(subject, now, end).times;
}

void ProcessCounts::forget(const std::string& subject) {
    const std::lock_guard lock(mutex_);
    counted_.erase(subject);
}

ProcessCounts::Counted& ProcessCounts::at(const std::string& subject, Timestamp now, Timestamp end) {
    if (counted_.size() >= most_ && !counted_.contains(subject)) {
        std::erase_if(counted_, [&](const auto& entry) { return entry.second.end <= now; });
        // A flood of addresses: better that it sees fresh counts than that it takes the memory.
        if (counted_.size() >= most_) counted_.clear();
    }
    Counted& counted = counted_[subject];
    if (counted.end <= now) counted = {0, end};
    return counted;
}

}  // namespace otpgate::domain
