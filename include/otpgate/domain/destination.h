// Where a code goes: an e-mail address or a telephone number, parsed and normalised once. Holding one is the proof.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

enum class Channel { Email, Sms };
std::string_view toString(Channel channel);  // "email", "sms"

class Destination {
public:
    // An e-mail address (local part of RFC 5321 dot-atoms, host name or domain; lower case; at most 254 bytes; nothing
    // that could reach a mail header: no CR, LF, <, >, quotes, spaces or encoded words; nothing that a relay would
    // rewrite: no % and !) or E.164 `^\+[1-9]\d{1,14}$`. White space
    // around is cut.
    static std::optional<Destination> parse(std::string_view text);
    static std::optional<Destination> parseEmail(std::string_view text);
    static std::optional<Destination> parsePhoneNumber(std::string_view text);
    // What parse() gave, as it came back from the database.
    static Destination fromStored(Channel channel, std::string value) { return {channel, std::move(value)}; }

    Channel channel() const { return channel_; }
    const std::string& value() const { return value_; }
    // u**r@example.com (first and last of the local part; two letters or fewer: first and one star; never the address
    // itself); +12*****890.
    std::string masked() const;

    bool operator==(const Destination&) const = default;

private:
    Destination(Channel channel, std::string value) : channel_(channel), value_(std::move(value)) {}
    Channel channel_;
    std::string value_;
};

}  // namespace otpgate::domain
