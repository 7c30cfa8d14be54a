#include "otpgate/base/encoding.h"
#include "otpgate/http/json.h"

namespace otpgate::http {

namespace {

void appendEscape(std::string& out, char c) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += "\\u00";
    out += kHex[byte >> 4];
    out += kHex[byte & 0xf];
}

// An invalid byte becomes U+FFFD: a client's parser must never choke on our answer.
void appendQuoted(std::string& out, std::string_view text) {
    out += '"';
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const std::size_t length = utf8CharacterLength(text.substr(i));
        const bool isPlain = length > 1 || (length == 1 && c >= 0x20 && c != 0x7f && c != '"' && c != '\\');
        if (!isPlain) {
            out += text.substr(done, i - done);
            if (length == 0) {
                out += kReplacementCharacter;
            } else {
                appendEscape(out, c);
            }
            done = i + 1;
        }
        i += length == 0 ? 1 : length;
    }
    out += text.substr(done);
    out += '"';
}

}  // namespace

void JsonWriter::separate() {
    if (needsComma_) out_ += ',';
    needsComma_ = true;
}

JsonWriter& JsonWriter::beginObject() {
    separate();
    out_ += '{';
    needsComma_ = false;
    return *this;
}

JsonWriter& JsonWriter::endObject() {
    out_ += '}';
    needsComma_ = true;
    return *this;
}

JsonWriter& JsonWriter::beginArray() {
    separate();
    out_ += '[';
    needsComma_ = false;
    return *this;
}

JsonWriter& JsonWriter::endArray() {
    out_ += ']';
    needsComma_ = true;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    appendQuoted(out_, name);
    out_ += ':';
    needsComma_ = false;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    appendQuoted(out_, text);
    return *this;
}

JsonWriter& JsonWriter::sentence(std::string_view name, std::string_view english) {
    key(name);
    const std::size_t begin = out_.size();
    value(english);
    said_.push_back({begin, out_.size(), std::string{english}});
    return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
    return raw(flag ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
    return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace otpgate::http
