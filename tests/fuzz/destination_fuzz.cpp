// Addresses and telephone numbers as a login takes them. The first byte chooses how lenient.
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/domain/destination.h"
#include "otpgate/domain/phone_numbers.h"

#include <algorithm>

namespace {

using namespace otpgate;
using domain::Destination;

// Nothing that could begin another header, another recipient or another line of a log.
void requireHarmless(const Destination& destination) {
    const std::string& value = destination.value();
    REQUIRE(std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    REQUIRE(value.find_first_of("<>\\%!") == std::string::npos && value.find("=?") == std::string::npos);
    if (destination.channel() == domain::Channel::Sms) {
        REQUIRE(value.size() >= 3 && value.size() <= 16 && value[0] == '+' && value[1] >= '1' && value[1] <= '9');
        REQUIRE(value.find_first_not_of("0123456789", 1) == std::string::npos);
        return;
    }
    REQUIRE(value.size() <= 254);
    REQUIRE(std::none_of(value.begin(), value.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
    const std::string mailbox = destination.mailbox();
    REQUIRE(mailbox.substr(mailbox.rfind('@')) == value.substr(value.rfind('@')));
}

// The mask shows at most the first and the last of what stands before the @, or three digits at each end.
void requireMasked(const Destination& destination) {
    const std::string masked = destination.masked();
    REQUIRE(masked != destination.value() && masked.find('*') != std::string::npos);
    if (destination.channel() == domain::Channel::Sms) {
        REQUIRE(std::count(masked.begin(), masked.end(), '*') * 3 >= static_cast<long>(masked.size()));
    } else {
        REQUIRE(masked.find('*') <= 1);
    }
}

}  // namespace

FUZZ_TARGET(destination) {
    using domain::EmailValidation;
    fuzz::Input bytes(input);
    const auto validation = bytes.byte() % 2 == 1 ? EmailValidation::Lenient : EmailValidation::Strict;
    const std::string_view text = bytes.rest();
    const auto destination = Destination::parse(text, validation);
    const auto email = Destination::parseEmail(text, validation);
    const auto phone = Destination::parsePhoneNumber(text);
    REQUIRE(destination == (phone ? phone : email));
    if (const auto strict = Destination::parseEmail(text))
        REQUIRE(Destination::parseEmail(text, EmailValidation::Lenient) == strict);
    if (!destination) return;
    requireHarmless(*destination);
    requireMasked(*destination);
    REQUIRE(Destination::parse(destination->value(), validation) == destination);
    // Blanks around, as people paste them, make no other account.
    if (isValidUtf8(text) && text.size() < 1000)
        REQUIRE(Destination::parse(" " + std::string{text} + "\t", validation) == destination);
    static const domain::PhoneNumbers numbers(domain::PhoneValidation::Strict);
    const bool isAccepted = numbers.accepts(*destination);
    REQUIRE(isAccepted || destination->channel() == domain::Channel::Sms);
}
