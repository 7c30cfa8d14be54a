// Writes each SMS to sms.directory as a .txt file: the number on the first line, then the text.
#pragma once

#include "delivery/message_directory.h"
#include "otpgate/delivery/sms_transport.h"

#include <string>
#include <utility>

namespace otpgate::delivery {

class FileSmsTransport final : public SmsTransport {
public:
    // Throws ConfigurationError("sms.directory ...").
    explicit FileSmsTransport(std::string directory) : directory_(std::move(directory), "sms", ".txt") {}

    SendResult send(const SmsMessage& message) override {
        return directory_.write(message.recipient + "\n" + message.text + "\n");
    }
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(1); }

private:
    MessageDirectory directory_;
};

}  // namespace otpgate::delivery
