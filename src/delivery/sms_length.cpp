#include "otpgate/delivery/sms_length.h"

#include "otpgate/base/encoding.h"

#include <algorithm>

namespace otpgate::delivery {

namespace {

// GSM 03.38, section 6.2.1, with its characters in no order that matters here.
constexpr std::string_view kAlphabet =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà";
constexpr std::string_view kExtension = "^{}\\[~]|€";  // each after an escape

// What a message holds alone, and as a part of several.
struct Room {
    std::size_t alone;
    std::size_t part;
};
constexpr Room kGsmRoom{160, 153};
constexpr Room kUcs2Room{70, 67};

bool contains(std::string_view alphabet, std::string_view character) {
    return alphabet.find(character) != std::string_view::npos;
}

// Counts characters of one or two units each.
class Segments {
public:
    explicit Segments(Room room) : room_(room) {}
    void add(std::size_t units) {
        units_ += units;
        if (inPart_ + units > room_.part) {
            ++parts_;
            inPart_ = 0;
        }
        inPart_ += units;
    }
    std::size_t units() const { return units_; }
    std::size_t count() const { return units_ <= room_.alone ? 1 : parts_; }

private:
    Room room_;
    std::size_t units_ = 0;
    std::size_t parts_ = 1;
    std::size_t inPart_ = 0;
};

}  // namespace

std::string_view toString(SmsEncoding encoding) {
    switch (encoding) {
    case SmsEncoding::Gsm: return "GSM 03.38";
    case SmsEncoding::Ucs2: return "UCS-2";
    }
    return "";
}

SmsLength measureSms(std::string_view utf8) {
    Segments gsm(kGsmRoom);
    Segments ucs2(kUcs2Room);
    bool isGsm = true;
    while (!utf8.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8CharacterLength(utf8), 1);
        const std::string_view character = utf8.substr(0, length);
        ucs2.add(length == 4 ? 2 : 1);
        if (contains(kAlphabet, character)) {
            gsm.add(1);
        } else if (contains(kExtension, character)) {
            gsm.add(2);
        } else {
            isGsm = false;
        }
        utf8.remove_prefix(length);
    }
    if (isGsm) return {SmsEncoding::Gsm, gsm.units(), gsm.count()};
    return {SmsEncoding::Ucs2, ucs2.units(), ucs2.count()};
}

}  // namespace otpgate::delivery
