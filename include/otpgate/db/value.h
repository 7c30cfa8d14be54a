// What goes into a statement and what comes out of it.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace otpgate::db {

// A value to bind. Text and blobs are views: they must live until the call returns.
class Param {
public:
    struct Blob {
        std::string_view bytes;
    };
    using Value = std::variant<std::monostate, std::int64_t, std::string_view, Blob>;

    Param(std::nullopt_t) {}
    Param(std::int64_t value) : value_(value) {}
    Param(int value) : value_(std::int64_t{value}) {}
    Param(unsigned value) : value_(std::int64_t{value}) {}
    Param(std::string_view text) : value_(text) {}
    Param(const std::string& text) : value_(std::string_view{text}) {}
    Param(const char* text) : value_(std::string_view{text}) {}
    Param(const Uuid& id) : value_(Blob{id.bytes()}) {}  // the Uuid must outlive the call
    Param(Timestamp time) : value_(toMicroseconds(time)) {}
    template <typename T>
    Param(const std::optional<T>& value) {
        if (value) value_ = Param(*value).value_;
    }
    static Param blob(std::string_view bytes) {
        Param param{std::nullopt};
        param.value_ = Blob{bytes};
        return param;
    }

    const Value& value() const { return value_; }

private:
    Value value_;
};

// One row of a result, by column position from 0. A getter throws std::logic_error where the column holds another kind.
class Row {
public:
    using Cell = std::variant<std::monostate, std::int64_t, std::string>;
    explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}

    bool isNull(std::size_t column) const;
    std::int64_t integer(std::size_t column) const;
    const std::string& text(std::size_t column) const;  // text and blobs alike; bytes as stored
    Uuid uuid(std::size_t column) const { return Uuid::fromBytes(text(column)); }
    Timestamp timestamp(std::size_t column) const { return fromMicroseconds(integer(column)); }
    std::optional<std::int64_t> optionalInteger(std::size_t column) const;
    std::optional<std::string> optionalText(std::size_t column) const;
    std::optional<Uuid> optionalUuid(std::size_t column) const;
    std::optional<Timestamp> optionalTimestamp(std::size_t column) const;

private:
    std::vector<Cell> cells_;
};

}  // namespace otpgate::db
