// How many short messages a text is. Used by the composer and by sms-test.
#pragma once

#include <cstddef>
#include <string_view>

namespace otpgate::delivery {

enum class SmsEncoding { Gsm, Ucs2 };  // GSM 03.38, where the text has no other character
std::string_view toString(SmsEncoding encoding);

struct SmsLength {
    SmsEncoding encoding = SmsEncoding::Gsm;
    std::size_t units = 0;     // septets (two for a character of the extension), or UTF-16 units
    std::size_t segments = 1;  // what the provider sends, and charges for
};

// One segment holds 160 septets or 70 UTF-16 units; where one does not suffice, each holds 153 or 67, and no character
// goes across two (GSM 03.40, section 9.2.3.24.1).
SmsLength measureSms(std::string_view utf8);

inline bool fitsOneSms(std::string_view utf8) {
    return measureSms(utf8).segments == 1;
}

}  // namespace otpgate::delivery
