// What the fuzzers share: a target is a function that takes any bytes and says what must be true of what becomes of
// them. One file a target; main.cpp has libFuzzer run the one that is asked for, the unit tests run all of
// them over the kept inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace otpgate::fuzz {

using Target = void (*)(std::string_view);
// Of all files that are linked, by name.
std::map<std::string, Target>& targets();

struct Registration {
    Registration(const char* name, Target target) { targets().emplace(name, target); }
};

// How a program ends that was told something untrue: main.cpp's by what libFuzzer takes for a crash, the unit tests' by
// a failed test.
[[noreturn]] void fail(const char* sentence, const char* file, int line);

// Cuts an input into the things that a target needs. All that is left over is rest().
class Input {
public:
    explicit Input(std::string_view bytes) : rest_(bytes) {}

    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    // Up to the next line end, so that kept inputs can be read and written by people.
    std::string_view line() {
        const auto end = rest_.find('\n');
        const auto text = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        return text;
    }
    std::string_view bytes(std::size_t count) {
        const auto text = rest_.substr(0, count);
        rest_.remove_prefix(text.size());
        return text;
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

// The text with each $C, $P and so on replaced by its value, so that it repeats a secret as easily as it says anything
// else.
inline std::string filled(std::string_view text, std::initializer_list<std::pair<char, std::string_view>> values) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string_view value;
        if (text[i] == '$' && i + 1 < text.size()) {
            for (const auto& [name, each] : values) {
                if (text[i + 1] == name) value = each;
            }
        }
        if (value.empty()) {
            out += text[i];
        } else {
            out += value;
            ++i;
        }
    }
    return out;
}

// XORs each pair of bytes, place and value, into the text.
inline std::string changed(std::string text, std::string_view changes) {
    for (std::size_t i = 0; i + 1 < changes.size(); i += 2) {
        const auto place = static_cast<std::uint8_t>(changes[i]) * text.size() / 256;
        text[place] = static_cast<char>(text[place] ^ changes[i + 1]);
    }
    return text;
}

}  // namespace otpgate::fuzz

// FUZZ_TARGET(name) { ... } with the bytes in `input`.
#define FUZZ_TARGET(name)                                                                \
    static void name##Target(std::string_view input);                                    \
    static const ::otpgate::fuzz::Registration name##Registration(#name, &name##Target); \
    static void name##Target(std::string_view input)

#define REQUIRE(condition) ((condition) ? static_cast<void>(0) : ::otpgate::fuzz::fail(#condition, __FILE__, __LINE__))
