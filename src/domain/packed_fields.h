// Fields one after another in bytes of our own: texts with their length, integers of 8 bytes, ids of 16.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/crypto/signed_token.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace otpgate::domain {

inline void appendText(std::string& fields, std::string_view text) {
    fields += crypto::packInteger(static_cast<std::int64_t>(text.size()));
    fields += text;
}

// Takes fields from the front. They are our own, so a missing one means another version of us.
class PackedFields {
public:
    explicit PackedFields(std::string_view bytes) : rest_(bytes) {}

    std::string_view bytes(std::size_t count) {
        if (rest_.size() < count) isGood_ = false;
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    Uuid uuid() {
        const std::string_view taken = bytes(Uuid::kBytes);
        return isGood_ ? Uuid::fromBytes(taken) : Uuid{};
    }
    std::int64_t integer() {
        const std::string_view taken = bytes(crypto::kIntegerBytes);
        return isGood_ ? crypto::unpackInteger(taken) : 0;
    }
    unsigned count() { return static_cast<unsigned>(integer()); }
    std::string text() { return std::string{bytes(static_cast<std::size_t>(integer()))}; }
    bool isAtEnd() const { return isGood_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool isGood_ = true;
};

}  // namespace otpgate::domain
