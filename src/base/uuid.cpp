#include "otpgate/base/uuid.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <span>
#include <stdexcept>

namespace otpgate {
namespace {

constexpr std::size_t kTextLength = 36;

constexpr bool isDashPosition(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

Uuid Uuid::makeV7(Timestamp now, Random& random) {
    Uuid id = lowestV7(now);
    const std::uint8_t version = id.bytes_[6];
    const std::uint8_t variant = id.bytes_[8];
    random.fill(std::span(id.bytes_).subspan(6));
    id.bytes_[6] = static_cast<std::uint8_t>(version | (id.bytes_[6] & 0x0f));
    id.bytes_[8] = static_cast<std::uint8_t>(variant | (id.bytes_[8] & 0x3f));
    return id;
}

Uuid Uuid::lowestV7(Timestamp time) {
    const auto since1970 = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const auto milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(since1970, 0));
    Uuid id;
    std::ranges::copy(toBigEndian(milliseconds, 6), id.bytes_.begin());
    id.bytes_[6] = 0x70;  // version 7
    id.bytes_[8] = 0x80;  // variant 10
    return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != kTextLength) return std::nullopt;
    std::string digits;
    digits.reserve(32);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!isDashPosition(i)) {
            digits += toLower(text[i]);
        } else if (text[i] != '-') {
            return std::nullopt;
        }
    }
    const auto bytes = parseHex(digits);
    if (!bytes) return std::nullopt;
    return fromBytes(*bytes);
}

Uuid Uuid::fromBytes(std::string_view bytes) {
    Uuid id;
    if (bytes.size() != id.bytes_.size()) throw std::invalid_argument("a UUID has 16 bytes");
    std::ranges::transform(bytes, id.bytes_.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    return id;
}

std::string Uuid::toString() const {
    std::string text = toHex(bytes());
    for (const std::size_t position : {8U, 13U, 18U, 23U}) text.insert(position, 1, '-');
    return text;
}

}  // namespace otpgate
