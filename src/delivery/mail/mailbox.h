// The sender as it stands in the settings. Used by the composer and by makeMailTransport().
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::delivery {

struct Mailbox {
    std::string name;  // UTF-8, may be empty
    std::string address;

    // An address, Name <address> or "Name" <address>. No control characters, valid UTF-8, a name of at most 100 bytes.
    static std::optional<Mailbox> parse(std::string_view text);
    // RFC 5322, section 3.4; a name that is not plain ASCII as encoded words. May be folded.
    std::string toHeader() const;
};

}  // namespace otpgate::delivery
