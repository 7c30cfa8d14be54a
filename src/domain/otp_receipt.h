// What a verified code of purpose register or reset is exchanged for: verification_token, reset_token. Good once, for a
// short time, for what it was made for. The row of the code remembers that it was spent (redeemed_at_us).
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/models.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

inline constexpr std::chrono::minutes kReceiptLifetime{15};

std::string makeOtpReceipt(const crypto::KeyRing& ring, const Uuid& otpId, Purpose purpose, Timestamp now);
// The id of the code, where the receipt is ours, for this purpose and not too old. Whether it was spent is for the
// store.
std::optional<Uuid> parseOtpReceipt(const crypto::KeyRing& ring, std::string_view token, Purpose purpose,
                                    Timestamp now);

}  // namespace otpgate::domain
