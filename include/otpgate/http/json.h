// Strict JSON in and plain JSON out; the only user of Poco's parser.
#pragma once

#include "otpgate/http/request.h"

#include <charconv>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::http {

inline constexpr std::size_t kMaxBodyBytes = 16 * 1024;
inline constexpr int kMaxJsonDepth = 8;

// The one JSON object of a request's body. The constructor throws ApiError: UnsupportedMediaType unless the content
// type is application/json (parameters allowed), PayloadTooLarge above kMaxBodyBytes, MalformedJson for anything that
// is not one object of valid UTF-8 without NUL, duplicate keys or more depth than kMaxJsonDepth.
class JsonBody {
public:
    explicit JsonBody(const Request& request);
    ~JsonBody();
    JsonBody(const JsonBody&) = delete;
    JsonBody& operator=(const JsonBody&) = delete;

    // The value where the member is there and not null. A member of another type is noted and named in one
    // VALIDATION_ERROR that `rejectInvalid` throws, so that a client learns all of its mistakes at once.
    std::optional<std::string> string(std::string_view name, std::size_t maxBytes = 1024);
    // The string that is there, of whatever length; anything else counts as absent. For what a client tells without
    // being asked: nobody is refused for it.
    std::optional<std::string> hint(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name);
    std::optional<bool> boolean(std::string_view name);
    std::optional<std::vector<std::string>> strings(std::string_view name);
    // An object as JSON text without white space: the members in their order, numbers digit by digit as they came.
    std::optional<std::string> object(std::string_view name, std::size_t maxBytes);

    bool has(std::string_view name) const;  // of whatever type, but not null
    // As string(); an absent one is noted as missing (MISSING_FIELDS when nothing else is wrong) and reads as "".
    std::string requiredString(std::string_view name, std::size_t maxBytes = 1024);

    void noteInvalid(std::string_view name, std::string_view message);
    void noteMissing(std::string_view name);
    // Throws what was noted: ValidationError when any field was invalid, else MissingFields, else nothing.
    void rejectInvalid() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Builds one JSON text from left to right. Strings are escaped, control characters and invalid UTF-8 too.
class JsonWriter {
public:
    JsonWriter& beginObject();
    JsonWriter& endObject();
    JsonWriter& beginArray();
    JsonWriter& endArray();
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view{text}); }
    JsonWriter& value(bool flag);
    template <std::integral T>
    requires(!std::same_as<T, char>) JsonWriter& value(T number) {
        char digits[24];
        return raw({digits, std::to_chars(digits, digits + sizeof digits, number).ptr});
    }
    JsonWriter& null();
    template <typename T>
    JsonWriter& member(std::string_view name, const T& content) {
        return key(name).value(content);
    }
    template <typename T>
    JsonWriter& member(std::string_view name, const std::optional<T>& content) {
        key(name);
        return content ? value(*content) : null();
    }
    // A member for people to read, in English; Response::said is where it stands.
    JsonWriter& sentence(std::string_view name, std::string_view english);
    JsonWriter& raw(std::string_view json);  // an already built value

    std::string take() { return std::move(out_); }
    std::vector<Said> takeSaid() { return std::move(said_); }

private:
    void separate();
    std::string out_;
    std::vector<Said> said_;
    bool needsComma_ = false;
};

// The members of one flat JSON object of texts that is ours, such as a file that is built in, in their order. Throws
// std::logic_error for anything else.
std::vector<std::pair<std::string, std::string>> readTexts(std::string_view json);

}  // namespace otpgate::http
