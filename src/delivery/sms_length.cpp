#include "delivery/sms_length.h"

#include "otpgate/base/encoding.h"

#include <algorithm>

namespace otpgate::delivery {

namespace {

// GSM 03.38, section 6.2.1, with its characters in no order that matters here.
constexpr std::string_view kAlphabet =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà";
constexpr std::string_view kExtension = "^{}\\[~]|€";  // each after an escape

constexpr std::size_t kGsmCharacters = 160;
constexpr std::size_t kUtf16Units = 70;

bool contains(std::string_view alphabet, std::string_view character) {
    return alphabet.find(character) != std::string_view::npos;
}

}  // namespace

bool fitsOneSms(std::string_view utf8) {
    std::size_t gsm = 0;
    std::size_t utf16 = 0;
    bool isGsm = true;
    while (!utf8.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8CharacterLength(utf8), 1);
        const std::string_view character = utf8.substr(0, length);
        utf16 += length == 4 ? 2 : 1;
        if (contains(kAlphabet, character)) {
            gsm += 1;
        } else if (contains(kExtension, character)) {
            gsm += 2;
        } else {
            isGsm = false;
        }
        utf8.remove_prefix(length);
    }
    return isGsm ? gsm <= kGsmCharacters : utf16 <= kUtf16Units;
}

}  // namespace otpgate::delivery
