// What came of handing a message to a provider of mail or SMS. Returned by the transports, judged by the courier.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace otpgate::delivery {

struct SendResult {
    enum class Outcome { Sent, TryLater, Refused };
    // Provider: the server could not be reached or would not talk to us, so other messages would fare no better now.
    enum class Cause { Message, Provider };
    Outcome outcome = Outcome::Sent;
    std::string reason;  // for the log and the outbox: no code, no password, no full address
    Cause cause = Cause::Message;
    // With TryLater: the provider does not want to hear from us before.
    std::optional<std::chrono::seconds> retryAfter = std::nullopt;
};

}  // namespace otpgate::delivery
