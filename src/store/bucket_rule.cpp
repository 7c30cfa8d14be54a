#include "store/bucket_rule.h"

namespace otpgate::store {

namespace {

constexpr std::int64_t kHitBytes = 8;
constexpr std::int64_t kBeyondAllHits = 1'000'000;

}  // namespace

BucketRule::BucketRule(const domain::LimitRule& rule, Timestamp now)
    : keep(rule.capacity() * kHitBytes),
      expiresAt(now + rule.longest()) {
    places.fill(kBeyondAllHits);
    since.fill(domain::packTime(now));
    std::size_t i = 0;
    for (const domain::LimitWindow& window : rule.windows()) {
        places.at(i) = (window.count - 1) * kHitBytes + 1;
        since.at(i) = domain::packTime(now - window.window);
        ++i;
    }
}

}  // namespace otpgate::store
