// The arguments of one call of a procedure that takes many at once, each at a fixed place of its own: ids, buckets and
// packed times as they are, integers as eight bytes with the highest first, flags as 0 or 1, text filled up with NUL.
// Built by mysql_*_store.cpp in the order and widths in which the procedure takes it apart.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "store/bucket_rule.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace otpgate::store {

class PackedCall {
public:
    explicit PackedCall(std::size_t width) { bytes_.reserve(width); }

    PackedCall& id(const Uuid& id) { return text(id.bytes(), 16); }
    PackedCall& bucket(std::string_view bucket) { return text(bucket, 16); }
    PackedCall& integer(std::int64_t value);
    PackedCall& time(Timestamp time) { return integer(toMicroseconds(time)); }
    PackedCall& rule(const BucketRule& rule);
    PackedCall& flag(bool isSet);
    // Throws std::length_error where the text has more bytes than its place.
    PackedCall& text(std::string_view text, std::size_t width);

    std::string_view view() const { return bytes_; }

private:
    std::string bytes_;
};

}  // namespace otpgate::store
