// Between the two steps of a sign-in: whoever has shown a right code gets a token that says so, and shows it with what
// the account wants besides. Nothing of it is stored until then.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/otp_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

inline constexpr std::chrono::minutes kSecondStepLifetime{10};

struct PendingStep {
    Uuid id;  // opens one session
    FirstStep first;
    Timestamp expiresAt;
};

std::string makeSecondStepToken(const crypto::KeyRing& ring, const PendingStep& step);
std::optional<PendingStep> parseSecondStepToken(const crypto::KeyRing& ring, std::string_view token, Timestamp now);

}  // namespace otpgate::domain
