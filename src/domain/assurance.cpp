#include "otpgate/domain/assurance.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

AssuranceLevel assuranceOf(std::string_view methods) {
    const auto words = split(methods, ' ');
    const auto has = [&](std::string_view word) { return std::ranges::find(words, word) != words.end(); };
    return (has("hwk") || has("swk")) && has("mfa") ? AssuranceLevel::Two : AssuranceLevel::One;
}

bool opensAccount(std::string_view methods, bool hasFactor) {
    return !hasFactor || assuranceOf(methods) == AssuranceLevel::Two;
}

std::string_view toUrn(AssuranceLevel level) {
    return level == AssuranceLevel::Two ? "urn:otpgate:aal2" : "urn:otpgate:aal1";
}

}  // namespace otpgate::domain
