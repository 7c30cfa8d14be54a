#include "otpgate/domain/assurance.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::string_view kTrustedDevice = "device";

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

bool showsFactor(std::string_view methods) {
    return has(methods, "totp") || assuranceOf(methods) == AssuranceLevel::Two;
}

bool opensAccount(std::string_view methods, bool hasFactor) {
    return !hasFactor || showsFactor(methods) || has(methods, kTrustedDevice);
}

std::string withTrustedDevice(std::string_view methods) {
    return std::string{methods} + " " + std::string{kTrustedDevice};
}

bool mayOnlyAddFactors(std::string_view methods) {
    return has(methods, "rc") && !showsFactor(methods);
}

bool mayAddFactor(std::string_view methods, bool hasFactor) {
    return !hasFactor || showsFactor(methods) || mayOnlyAddFactors(methods);
}

std::string_view toUrn(AssuranceLevel level) {
    return level == AssuranceLevel::Two ? "urn:otpgate:aal2" : "urn:otpgate:aal1";
}

}  // namespace otpgate::domain
