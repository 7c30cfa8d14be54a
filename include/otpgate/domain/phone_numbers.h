// Which telephone numbers are taken from clients. Any thread may ask.
#pragma once

#include "otpgate/domain/destination.h"

namespace otpgate::domain {

enum class PhoneValidation {
    Any,     // whatever E.164 allows
    Strict,  // only what the numbering plan of its country assigns
};

class PhoneNumbers {
public:
    explicit PhoneNumbers(PhoneValidation validation) : validation_(validation) {}

    // E-mail addresses always. Strict reads the numbering plans at the first telephone number.
    bool accepts(const Destination& destination) const;

private:
    PhoneValidation validation_;
};

}  // namespace otpgate::domain
