// How many short messages a text is. Used by the composer.
#pragma once

#include <string_view>

namespace otpgate::delivery {

// Whether one short message holds it: 160 characters of the alphabet of GSM 03.38 (those of its extension count twice),
// or 70 UTF-16 units where any other is among them.
bool fitsOneSms(std::string_view utf8);

}  // namespace otpgate::delivery
