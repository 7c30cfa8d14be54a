// Where a code goes: an e-mail address or a telephone number, parsed and normalised once. Holding one is the proof.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

enum class Channel { Email, Sms };
std::string_view toString(Channel channel);  // "email", "sms"

// What may stand before the @ of an e-mail address.
enum class EmailValidation {
    Strict,        // the dot-atoms of RFC 5321
    Lenient,       // quoted strings too, and dots where they should not be: some providers gave such addresses out
    International  // all of these, and letters of any script (RFC 6531), which not every mail server carries
};

class Destination {
public:
    // An e-mail address or a telephone number, as people type and paste them: in full-width letters and digits of any
    // script, with what nobody sees, blanks, dashes and brackets around, after mailto: or tel:, in Name <address>.
    //
    // E-mail: lower case; a domain of any script in its one ASCII form (IDNA); at most 254 bytes; nothing that could
    // reach a mail header: no control characters, <, >, backslashes or encoded words, and with Strict neither quotes
    // nor blanks; with International a local part in form C and of one script; nothing that a relay would rewrite: no %
    // and !. Telephone: E.164 `^\+[1-9]\d{1,14}$`, once blanks, dashes, dots, slashes, brackets and the (0) of a trunk
    // prefix are left out.
    static std::optional<Destination> parse(std::string_view text,
                                            EmailValidation validation = EmailValidation::Strict);
    static std::optional<Destination> parseEmail(std::string_view text,
                                                 EmailValidation validation = EmailValidation::Strict);
    static std::optional<Destination> parsePhoneNumber(std::string_view text);
    // What parse() gave, as it came back from the database.
    static Destination fromStored(Channel channel, std::string value) { return {channel, std::move(value)}; }

    Channel channel() const { return channel_; }
    const std::string& value() const { return value_; }
    // An e-mail address as mail servers read it (RFC 5321, section 4.1.2): a local part that is no dot-atom is quoted.
    std::string mailbox() const;
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
