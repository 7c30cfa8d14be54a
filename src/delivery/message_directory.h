// A directory in which each message becomes a file, for development and for programs that pick it up there. Whoever
// lists the files by their extension sees only whole messages: each is written under another name and renamed. Used by
// the file transports of mail and SMS, each by one thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/delivery/send_result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace otpgate::delivery {

class MessageDirectory {
public:
    // Makes the directory with mode 0700 where it is missing. `section` is the one of the settings that names it:
    // throws ConfigurationError("mail.directory ...").
    MessageDirectory(std::string directory, const std::string& section, std::string extension);

    // <microseconds>-<process>-<sequence><extension>, mode 0600.
    SendResult write(std::string_view content);
    // The path of the last message that write() left here.
    const std::string& lastFile() const { return lastFile_; }

private:
    std::string directory_;
    std::string setting_;
    std::string extension_;
    SystemClock clock_;  // names files only, so it needs no seam
    std::uint64_t sequence_ = 0;
    std::string lastFile_;
};

}  // namespace otpgate::delivery
