// What a recovery code looks like: a number from 0 on, which of its owner's codes it is, and 80 bits in letters that no
// two look alike: "3-K7MQ-2PXW-9ABC-DEFG".
#pragma once

#include "otpgate/base/random.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

inline constexpr unsigned kRecoveryCodes = 10;  // that are made at a time
// So few left, or less, that their owner is told to make new ones.
inline constexpr std::int64_t kFewRecoveryCodes = 3;

struct RecoveryCode {
    unsigned number = 0;  // below kRecoveryCodes
    std::string letters;  // what is hashed
};

RecoveryCode makeRecoveryCode(unsigned number, Random& random);
std::string toText(const RecoveryCode& code);
// As people type it: blanks, dashes and small letters, O for 0, I and L for 1.
std::optional<RecoveryCode> parseRecoveryCode(std::string_view typed);

}  // namespace otpgate::domain
