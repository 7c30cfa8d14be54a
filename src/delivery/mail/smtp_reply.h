// What an SMTP server answered, and as much of it as a log may hold. Used by SmtpDialogue and SmtpTransport.
#pragma once

#include "delivery/secrets.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

// The words of a server as a log may hold them: cut, printable, without the secrets, with what looks like an address
// masked.
std::string serverSaid(std::string_view words, const Secrets& secrets, std::size_t longest);

struct SmtpReply {
    int code = 0;
    std::vector<std::string> lines;  // without the codes

    int kind() const { return code / 100; }
    // "550 5.1.1 no such user": one line of what it said.
    std::string forLog(const Secrets& secrets) const;
    // "535 5.7.8" alone: where a server might repeat what it was told.
    std::string codesForLog(const Secrets& secrets) const;
};

}  // namespace otpgate::delivery
