#include "cli/json_elements.h"

#include <stdexcept>

namespace otpgate::cli {

namespace {

constexpr std::size_t kMaxElementBytes = std::size_t{1} << 20U;
constexpr int kMaxDepth = 32;  // parsers recurse
constexpr int kEnd = std::char_traits<char>::eof();

[[noreturn]] void refuse(std::size_t element, const std::string& reason) {
    throw std::runtime_error("not a JSON array: " + reason + " (at element " + std::to_string(element) + ")");
}

}  // namespace

JsonElements::JsonElements(std::istream& in) : in_(*in.rdbuf()) {
    if (in_.sgetc() == 0xef) {  // a byte order mark
        for (int i = 0; i < 3; ++i) in_.sbumpc();
    }
    if (skipSpace() != '[') refuse(0, "it does not begin with [");
    in_.sbumpc();
}

int JsonElements::skipSpace() {
    int c = in_.sgetc();
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n') c = in_.snextc();
    return c;
}

std::optional<std::string> JsonElements::next() {
    if (skipSpace() == ']') {
        finish();
        return std::nullopt;
    }
    if (count_ > 0) {
        if (skipSpace() != ',') refuse(count_, "a comma is missing");
        in_.sbumpc();
        skipSpace();
    }
    ++count_;
    return readElement();
}

std::string JsonElements::readElement() {
    std::string element;
    int depth = 0;
    bool isInString = false;
    while (true) {
        const int c = in_.sgetc();
        if (c == kEnd) refuse(count_ - 1, "it ends in the middle");
        if (!isInString && depth == 0 && (c == ',' || c == ']')) return element;
        if (element.size() == kMaxElementBytes) refuse(count_ - 1, "an element is longer than 1 MiB");
        element += static_cast<char>(c);
        in_.sbumpc();
        if (isInString) {
            if (c == '\\') {
                const int escaped = in_.sbumpc();
                if (escaped == kEnd) refuse(count_ - 1, "it ends in the middle");
                element += static_cast<char>(escaped);
            }
            if (c == '"') isInString = false;
        } else if (c == '"') {
            isInString = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kMaxDepth) refuse(count_ - 1, "an element is too deep");
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
}

void JsonElements::finish() {
    in_.sbumpc();
    if (skipSpace() != kEnd) refuse(count_, "something follows its end");
}

}  // namespace otpgate::cli
