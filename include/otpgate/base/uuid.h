// UUID version 7 (RFC 9562, section 5.7): the id of every row. 16 bytes in the database, lower-case text in the API.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate {

class Uuid {
public:
    static constexpr std::size_t kBytes = 16;

    Uuid() = default;  // the nil UUID

    // A new id: 48 bits of milliseconds, then 74 random bits.
    static Uuid makeV7(Timestamp now, Random& random);
    // The smallest version 7 id of that moment: a bound for range deletes by primary key.
    static Uuid lowestV7(Timestamp time);
    // The 36 characters of RFC 9562, section 4, in either case; any version.
    static std::optional<Uuid> parse(std::string_view text);
    // Exactly kBytes, as they come from a BINARY(16) column; throws std::invalid_argument otherwise.
    static Uuid fromBytes(std::string_view bytes);

    std::string toString() const;
    std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

    bool operator==(const Uuid&) const = default;
    std::strong_ordering operator<=>(const Uuid& other) const { return bytes_ <=> other.bytes_; }

private:
    std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace otpgate
