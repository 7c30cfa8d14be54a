#include "delivery/escaping.h"

#include "otpgate/base/encoding.h"

namespace otpgate::delivery {

std::string jsonEscaped(std::string_view text) {
    std::string quoted;
    appendJsonString(quoted, text);
    return quoted.substr(1, quoted.size() - 2);
}

std::string xmlEscaped(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 32);
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&apos;"; break;
        case '\n': out += "&#10;"; break;
        case '\r': out += "&#13;"; break;
        case '\t': out += "&#9;"; break;
        default: out += c; break;
        }
    }
    return out;
}

}  // namespace otpgate::delivery
