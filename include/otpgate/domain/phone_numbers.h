// Which telephone numbers are taken from clients. Any thread may ask.
#pragma once

#include "otpgate/domain/calling_prefixes.h"
#include "otpgate/domain/destination.h"

#include <utility>

namespace otpgate::domain {

enum class PhoneValidation {
    Any,     // whatever E.164 allows
    Strict,  // no other than may exist: of a known country, not too short, without a trunk prefix
};

class PhoneNumbers {
public:
    explicit PhoneNumbers(PhoneValidation validation, AllowedPrefixes allowed = {})
        : validation_(validation),
          allowed_(std::move(allowed)) {}

    // Whether it may be the number of somebody new; who has an account keeps it. E-mail addresses always. Strict reads
    // the numbering plans at the first telephone number.
    bool accepts(const Destination& destination) const;
    // Whether messages go to it, by its calling prefix. E-mail addresses always.
    bool allowsMessagesTo(const Destination& destination) const;

private:
    PhoneValidation validation_;
    AllowedPrefixes allowed_;
};

}  // namespace otpgate::domain
