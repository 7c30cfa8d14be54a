// Writes each mail to mail.directory as an .eml file.
#pragma once

#include "delivery/message_directory.h"
#include "otpgate/delivery/mail_transport.h"

#include <string>
#include <utility>

namespace otpgate::delivery {

class FileTransport final : public MailTransport {
public:
    // Throws ConfigurationError("mail.directory ...").
    explicit FileTransport(std::string directory) : directory_(std::move(directory), "mail", ".eml") {}

    SendResult send(const MailMessage& message) override { return directory_.write(message.content); }
    const std::string& lastFile() const { return directory_.lastFile(); }
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(1); }

private:
    MessageDirectory directory_;
};

}  // namespace otpgate::delivery
