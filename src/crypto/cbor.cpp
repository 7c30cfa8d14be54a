#include "crypto/cbor.h"

#include "otpgate/base/encoding.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace otpgate::crypto {

namespace {

constexpr unsigned kDeepest = 16;

// Of the others no item has anything behind its head.
enum class Major : unsigned { Bytes = 2, Text = 3, Array = 4, Map = 5, Tag = 6 };

struct Head {
    Major major;
    std::uint64_t argument;
};

// Section 3. Takes it from the front; nothing where it is cut off, reserved or of indefinite length.
std::optional<Head> takeHead(std::string_view& bytes) {
    constexpr unsigned kInPlace = 24;
    constexpr unsigned kReserved = 28;
    if (bytes.empty()) return std::nullopt;
    const unsigned first = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    const unsigned information = first & 0x1FU;
    if (information < kInPlace) return Head{static_cast<Major>(first >> 5U), information};
    if (information >= kReserved) return std::nullopt;
    const std::size_t size = std::size_t{1} << (information - kInPlace);
    if (bytes.size() < size) return std::nullopt;
    const Head head{static_cast<Major>(first >> 5U), fromBigEndian(bytes.substr(0, size))};
    bytes.remove_prefix(size);
    return head;
}

bool takeItem(std::string_view& bytes, unsigned depth) {
    const auto head = takeHead(bytes);
    if (!head || depth > kDeepest) return false;
    std::uint64_t within = 0;
    switch (head->major) {
    case Major::Bytes:
    case Major::Text:
        if (head->argument > bytes.size()) return false;
        bytes.remove_prefix(head->argument);
        return true;
    case Major::Array: within = head->argument; break;
    case Major::Map:
        if (head->argument > bytes.size()) return false;
        within = 2 * head->argument;
        break;
    case Major::Tag: within = 1; break;
    default: return true;
    }
    // Each takes a byte at least.
    if (within > bytes.size()) return false;
    for (; within > 0; --within) {
        if (!takeItem(bytes, depth + 1)) return false;
    }
    return true;
}

}  // namespace

bool isOneCborItem(std::string_view bytes) {
    return takeItem(bytes, 0) && bytes.empty();
}

}  // namespace otpgate::crypto
