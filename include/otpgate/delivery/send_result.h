// What came of handing a message to a provider of mail or SMS. Returned by the transports, judged by the courier.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace otpgate::delivery {

// What a provider said: for whoever tries the settings out.
struct ProviderAnswer {
    int httpStatus = 0;          // 0: none came
    std::string messageId = {};  // as the provider calls what it took
    std::string body = {};       // the beginning, where it did not; may hold a number, so it goes into no log
};

struct SendResult {
    enum class Outcome { Sent, TryLater, Refused };
    // Provider: the server could not be reached or would not talk to us, so other messages would fare no better now.
    enum class Cause { Message, Provider };
    Outcome outcome = Outcome::Sent;
    std::string reason;  // for the log and the outbox: no code, no password, no full address
    Cause cause = Cause::Message;
    // With TryLater: the provider does not want to hear from us before.
    std::optional<std::chrono::seconds> retryAfter = std::nullopt;
    // With TryLater or Refused: no clear answer came, so the provider may have sent the message all the same.
    bool mayHaveBeenTaken = false;
    // With Refused: the log has a line about it already, so one about each message goes to debug.
    bool isLogged = false;
    // What the administrator should change; empty where nothing is wrong with the settings.
    std::string advice = {};
    ProviderAnswer answer = {};
};

}  // namespace otpgate::delivery
