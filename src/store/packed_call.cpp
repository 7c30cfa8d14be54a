#include "store/packed_call.h"

#include <stdexcept>

namespace otpgate::store {

PackedCall& PackedCall::integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) bytes_ += static_cast<char>(bits >> shift & 0xffU);
    return *this;
}

PackedCall& PackedCall::rule(const BucketRule& rule) {
    integer(rule.keep).time(rule.expiresAt);
    for (std::size_t i = 0; i < rule.places.size(); ++i) integer(rule.places[i]).text(rule.since[i], 8);
    return *this;
}

PackedCall& PackedCall::flag(bool isSet) {
    bytes_ += isSet ? '1' : '0';
    return *this;
}

PackedCall& PackedCall::text(std::string_view text, std::size_t width) {
    if (text.size() > width) throw std::length_error("an argument of a procedure is longer than its place");
    bytes_ += text;
    bytes_.append(width - text.size(), '\0');
    return *this;
}

}  // namespace otpgate::store
