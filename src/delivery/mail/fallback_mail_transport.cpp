#include "delivery/mail/fallback_mail_transport.h"

#include <utility>

namespace otpgate::delivery {

namespace {

bool isAboutServer(const SendResult& result) {
    return result.outcome == SendResult::Outcome::TryLater && result.cause == SendResult::Cause::Provider;
}

}  // namespace

FallbackMailTransport::FallbackMailTransport(std::unique_ptr<MailTransport> first,
                                             std::unique_ptr<MailTransport> second, Logger* log,
                                             std::function<SteadyTime()> now)
    : first_(std::move(first)),
      second_(std::move(second)),
      log_(log),
      now_(std::move(now)) {}

SendResult FallbackMailTransport::send(const MailMessage& message) {
    const bool isPause = isFirstDown_ && now_() < askFirstAgain_;
    if (isPause) {
        SendResult result = second_->send(message);
        if (!isAboutServer(result)) return result;
    }
    SendResult first = first_->send(message);
    noteFirst(first);
    if (isPause || !isAboutServer(first)) return first;
    SendResult second = second_->send(message);
    // The log has heard why it is not the first.
    return second;
}

void FallbackMailTransport::idle() {
    first_->idle();
    second_->idle();
}

void FallbackMailTransport::noteFirst(const SendResult& result) {
    const bool isDown = isAboutServer(result);
    if (isDown) askFirstAgain_ = now_() + kPause;
    if (isDown != std::exchange(isFirstDown_, isDown) && log_ != nullptr) {
        if (isDown)
            log_->warning("mail goes to the fallback server", {{"reason", result.reason}});
        else
            log_->info("mail goes to the first server again");
    }
}

}  // namespace otpgate::delivery
