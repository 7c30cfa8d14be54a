#include "otpgate/domain/people_words.h"

namespace otpgate::domain {

bool addDomain(SignUpRule& rule, std::string_view text) {
    const std::string_view below = text.starts_with("*.") ? "*." : "";
    // By way of an address, so that it is written as those are that it is compared with.
    const auto address = Destination::parseEmail("x@" + std::string{text.substr(below.size())});
    if (!address) return false;
    rule.domains.push_back(std::string{below} + address->value().substr(2));
    return true;
}

bool addAddress(SignUpRule& rule, std::string_view text) {
    const auto address = Destination::parse(std::string{text}, EmailValidation::International);
    if (!address) return false;
    rule.addresses.push_back(address->value());
    return true;
}

}  // namespace otpgate::domain
