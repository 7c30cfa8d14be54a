// Writes each message to a directory, for development and for programs that pick it up there. Whoever lists *.eml sees
// only whole messages: each is written under another name and renamed.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/delivery/mail_transport.h"

#include <cstdint>
#include <string>

namespace otpgate::delivery {

class FileTransport final : public MailTransport {
public:
    // Makes the directory with mode 0700 where it is missing. Throws ConfigurationError("mail.directory ...").
    explicit FileTransport(std::string directory);

    // <microseconds>-<process>-<sequence>.eml, mode 0600.
    SendResult send(const MailMessage& message) override;
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(1); }

private:
    std::string directory_;
    SystemClock clock_;  // names files only, so it needs no seam
    std::uint64_t sequence_ = 0;
};

}  // namespace otpgate::delivery
