#include "db/host_choice.h"

namespace otpgate::db {

bool HostChoice::leave(std::size_t host, Time now) {
    failedAt_.at(host) = now;
    if (host == 0) firstWellSince_.reset();
    if (host != current_) return true;
    std::size_t oldest = host;
    for (std::size_t other = 0; other < failedAt_.size(); ++other) {
        if (!failedAt_[other] || now - *failedAt_[other] >= kRest) {
            current_ = other;
            return true;
        }
        if (*failedAt_[other] < *failedAt_[oldest]) oldest = other;
    }
    current_ = oldest;
    return current_ != host;
}

bool HostChoice::noteFirst(bool isWell, Time now) {
    if (!isWell) {
        firstWellSince_.reset();
        return false;
    }
    if (!firstWellSince_) firstWellSince_ = now;
    if (current_ == 0 || now - *firstWellSince_ < kTrial) return false;
    firstWellSince_.reset();
    current_ = 0;
    return true;
}

}  // namespace otpgate::db
