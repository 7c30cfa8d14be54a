#include "otpgate/domain/unanswered_guesses.h"

namespace otpgate::domain {

bool isBySameClient(const OtpVerification& first, const OtpVerification& second) {
    if (first.otpId != second.otpId || first.guess != Guess::Right || second.guess != Guess::Right) return false;
    if (first.purpose != second.purpose || first.ownerId != second.ownerId) return false;
    if (first.shownDevice || second.shownDevice) return first.shownDevice == second.shownDevice;
    return first.namedBy == CodeNamedBy::Id && second.namedBy == CodeNamedBy::Id &&
           first.client.network == second.client.network && first.client.userAgent == second.client.userAgent &&
           first.device.installId == second.device.installId;
}

void UnansweredGuesses::remember(const OtpVerification& guess) {
    if (guess.guess != Guess::Right) return;
    const std::lock_guard lock(mutex_);
    if (byCode_.size() >= most_) {
        std::erase_if(byCode_, [&](const auto& entry) { return entry.second.now + kRemembered <= guess.now; });
        if (byCode_.size() >= most_) return;
    }
    byCode_.insert_or_assign(guess.otpId, guess);
}

std::optional<OtpVerification> UnansweredGuesses::take(const OtpVerification& guess) {
    const std::lock_guard lock(mutex_);
    const auto found = byCode_.find(guess.otpId);
    if (found == byCode_.end() || !isBySameClient(found->second, guess)) return std::nullopt;
    OtpVerification first = std::move(found->second);
    byCode_.erase(found);
    if (first.now + kRemembered <= guess.now) return std::nullopt;
    first.isRepeated = true;
    first.client.requestId = guess.client.requestId;
    return first;
}

}  // namespace otpgate::domain
