#include "delivery/courier/provider_breaker.h"

#include <algorithm>
#include <chrono>

namespace otpgate::delivery {

namespace {

// A provider that asks for more is asked again after this: a code does not live longer.
constexpr std::chrono::seconds kLongestRest{300};
// One connection that breaks is a chance; so many in a row, and the others need not try.
constexpr unsigned kFailuresOfADownProvider = 3;

}  // namespace

void ProviderBreaker::note(const SendResult& result, Timestamp now) {
    if (result.outcome != SendResult::Outcome::TryLater) {
        failuresInARow_ = 0;
        return;
    }
    if (result.retryAfter) {
        restUntil_ = now + std::min(*result.retryAfter, kLongestRest);
        restReason_ = result.reason;
    }
    failuresInARow_ = result.cause == SendResult::Cause::Provider ? failuresInARow_ + 1 : 0;
}

bool ProviderBreaker::wantsOneAtATime() const {
    return failuresInARow_ >= kFailuresOfADownProvider;
}

std::optional<std::string> ProviderBreaker::restReason(Timestamp now) const {
    return now < restUntil_ ? std::optional(restReason_) : std::nullopt;
}

}  // namespace otpgate::delivery
