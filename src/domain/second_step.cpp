#include "otpgate/domain/second_step.h"

#include "domain/packed_fields.h"
#include "otpgate/crypto/signed_token.h"

#include <stdexcept>

namespace otpgate::domain {

namespace {

constexpr std::size_t kBucketBytes = 16;
constexpr std::size_t kMethodBytes = 24;  // filled up with blanks

}  // namespace

std::string makeSecondStepToken(const crypto::KeyRing& ring, const PendingStep& step) {
    const FirstStep& first = step.first;
    if (first.methods.size() > kMethodBytes || first.guessBucket.size() != kBucketBytes)
        throw std::logic_error("a first step that does not fit its token");
    std::string payload{step.id.bytes()};
    payload += first.userId.bytes();
    payload += first.guessBucket;
    payload += crypto::packInteger(toMicroseconds(step.expiresAt));
    payload += first.methods + std::string(kMethodBytes - first.methods.size(), ' ');
    return crypto::signToken(ring, crypto::KeyUse::SecondStep, payload);
}

std::optional<PendingStep> parseSecondStepToken(const crypto::KeyRing& ring, std::string_view token, Timestamp now) {
    constexpr std::size_t kBytes = 2 * Uuid::kBytes + kBucketBytes + crypto::kIntegerBytes + kMethodBytes;
    const auto payload = crypto::openToken(ring, crypto::KeyUse::SecondStep, token, kBytes);
    if (!payload) return std::nullopt;
    PackedFields fields(*payload);
    PendingStep step;
    step.id = fields.uuid();
    step.first.userId = fields.uuid();
    step.first.guessBucket = fields.bytes(kBucketBytes);
    step.expiresAt = fromMicroseconds(fields.integer());
    const std::string_view methods = fields.bytes(kMethodBytes);
    step.first.methods = methods.substr(0, methods.find_last_not_of(' ') + 1);
    if (step.expiresAt <= now) return std::nullopt;
    return step;
}

}  // namespace otpgate::domain
