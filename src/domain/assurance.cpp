#include "otpgate/domain/assurance.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

bool has(std::string_view methods, std::string_view word) {
    const auto words = split(methods, ' ');
    return std::ranges::find(words, word) != words.end();
}

}  // namespace

AssuranceLevel assuranceOf(std::string_view methods) {
    const bool isPasskey = has(methods, "hwk") || has(methods, "swk");
    const bool isTwoThings = has(methods, "pwd") && has(methods, "totp");
    return has(methods, "mfa") && (isPasskey || isTwoThings) ? AssuranceLevel::Two : AssuranceLevel::One;
}

bool opensAccount(std::string_view methods, bool hasFactor) {
    return !hasFactor || has(methods, "totp") || assuranceOf(methods) == AssuranceLevel::Two;
}

bool mayOnlyAddFactors(std::string_view methods) {
    return has(methods, "rc") && !opensAccount(methods, true);
}

bool mayAddFactor(std::string_view methods, bool hasFactor) {
    return opensAccount(methods, hasFactor) || mayOnlyAddFactors(methods);
}

std::string_view toUrn(AssuranceLevel level) {
    return level == AssuranceLevel::Two ? "urn:otpgate:aal2" : "urn:otpgate:aal1";
}

}  // namespace otpgate::domain
