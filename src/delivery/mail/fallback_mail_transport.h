// Two mail servers as one: the second is used while the first cannot be reached or would not talk to us. Used by one
// thread of the courier.
#pragma once

#include "otpgate/base/log.h"
#include "otpgate/delivery/mail_transport.h"

#include <chrono>
#include <functional>
#include <memory>

namespace otpgate::delivery {

class FallbackMailTransport final : public MailTransport {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;
    // After a failure of the first, the second is asked at once for so long.
    static constexpr std::chrono::seconds kPause{30};

    // `log`, which may be null, outlives this. `now` is for tests.
    FallbackMailTransport(std::unique_ptr<MailTransport> first, std::unique_ptr<MailTransport> second, Logger* log,
                          std::function<SteadyTime()> now = std::chrono::steady_clock::now);

    // Only a message that the one server has certainly not taken is given to the other.
    SendResult send(const MailMessage& message) override;
    void idle() override;
    std::chrono::seconds longestSend() const override { return first_->longestSend() + second_->longestSend(); }

private:
    void noteFirst(const SendResult& result);

    std::unique_ptr<MailTransport> first_;
    std::unique_ptr<MailTransport> second_;
    Logger* log_;
    std::function<SteadyTime()> now_;
    bool isFirstDown_ = false;
    SteadyTime askFirstAgain_{};
};

}  // namespace otpgate::delivery
