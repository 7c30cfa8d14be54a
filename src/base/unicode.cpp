#include "otpgate/base/unicode.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <unicode/idna.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uspoof.h>

namespace otpgate {

namespace {

constexpr UChar32 kNonJoiner = 0x200c;
constexpr UChar32 kJoiner = 0x200d;
constexpr UChar32 kMinusSign = 0x2212;

bool isAscii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::UnicodeString wide(std::string_view text) {
    return icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
}

std::string narrow(const icu::UnicodeString& text) {
    std::string result;
    return text.toUTF8String(result);
}

// The normalizers are part of ICU's own data: they fail only where the library's installation is broken.
void require(UErrorCode status) {
    if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU: ") + u_errorName(status));
}

icu::UnicodeString normalised(std::string_view text, const icu::Normalizer2* form, UErrorCode status) {
    require(status);
    icu::UnicodeString result = form->normalize(wide(text), status);
    require(status);
    return result;
}

bool isInvisible(UChar32 c) {
    return u_charType(c) == U_FORMAT_CHAR || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}

bool isDash(UChar32 c) {
    return u_charType(c) == U_DASH_PUNCTUATION || c == kMinusSign;
}

// Not the tags and variations that end an emoji.
bool isMargin(UChar32 c) {
    constexpr UChar32 kFirstTag = 0xe0000;
    return u_isUWhiteSpace(c) || (u_charType(c) == U_FORMAT_CHAR && c < kFirstTag);
}

bool joinsWords(const icu::UnicodeString& text, std::int32_t at) {
    const UChar32 c = text.char32At(at);
    return (c == kJoiner || c == kNonJoiner) && at > 0 && at + 1 < text.length() && u_isalpha(text.char32At(at + 1)) &&
           text.char32At(at + 1) >= 0x80 && text.char32At(at - 1) >= 0x80;
}

struct CloseChecker {
    void operator()(USpoofChecker* checker) const { uspoof_close(checker); }
};

// Checks are safe on any thread.
USpoofChecker* openChecker() {
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker* checker = uspoof_open(&status);
    uspoof_setChecks(checker, USPOOF_RESTRICTION_LEVEL, &status);
    require(status);
    uspoof_setRestrictionLevel(checker, USPOOF_HIGHLY_RESTRICTIVE);
    return checker;
}

}  // namespace

std::string toNfc(std::string_view text) {
    if (isAscii(text) || !isValidUtf8(text)) return std::string{text};
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* form = icu::Normalizer2::getNFCInstance(status);
    return narrow(normalised(text, form, status));
}

std::string toPlainText(std::string_view text) {
    const bool isPlain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (isPlain || !isValidUtf8(text)) return std::string{text};
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* form = icu::Normalizer2::getNFKCInstance(status);
    const icu::UnicodeString composed = normalised(text, form, status);
    icu::UnicodeString plain;
    for (std::int32_t i = 0; i < composed.length(); i = composed.moveIndex32(i, 1)) {
        const UChar32 c = composed.char32At(i);
        if (const std::int32_t digit = u_charDigitValue(c); digit >= 0) {
            plain.append(static_cast<UChar32>('0' + digit));
        } else if (u_isUWhiteSpace(c)) {
            plain.append(u' ');
        } else if (!isInvisible(c) || joinsWords(composed, i)) {
            plain.append(c);
        }
    }
    return narrow(plain);
}

std::string trimmed(std::string_view text) {
    if (!isValidUtf8(text)) return std::string{text};
    const icu::UnicodeString all = wide(text);
    std::int32_t begin = 0;
    std::int32_t end = all.length();
    while (begin < end && isMargin(all.char32At(begin))) begin = all.moveIndex32(begin, 1);
    while (begin < end && isMargin(all.char32At(end - 1))) end = all.moveIndex32(end, -1);
    return narrow(all.tempSubStringBetween(begin, end));
}

std::string withoutBlanksAndDashes(std::string_view text) {
    std::string rest;
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8CharacterLength(text), 1);
        if (text.front() != ' ' && leadingDashLength(text) == 0) rest.append(text, 0, length);
        text.remove_prefix(length);
    }
    return rest;
}

std::size_t leadingDashLength(std::string_view text) {
    const std::size_t length = utf8CharacterLength(text);
    if (length <= 1) return text.starts_with('-') ? 1 : 0;
    return isDash(wide(text.substr(0, length)).char32At(0)) ? length : 0;
}

std::size_t trailingDashLength(std::string_view text) {
    std::size_t begin = text.size();
    while (begin > 0 && isWithinCharacter(text[--begin])) {
    }
    return leadingDashLength(text.substr(begin));
}

std::string toLowerCase(std::string_view text) {
    if (!isValidUtf8(text)) return std::string{text};
    return toNfc(narrow(wide(text).toLower(icu::Locale::getRoot())));
}

bool isOfOneScript(std::string_view name) {
    if (!isValidUtf8(name)) return false;
    const icu::UnicodeString all = wide(name);
    for (std::int32_t i = 0; i < all.length(); i = all.moveIndex32(i, 1)) {
        const UChar32 c = all.char32At(i);
        const std::uint32_t category = U_GET_GC_MASK(c);
        if (c >= 0x80 && (category & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) == 0) return false;
        if (i == 0 && (category & U_GC_M_MASK) != 0) return false;  // nothing that it could stand on
    }
    static const std::unique_ptr<USpoofChecker, CloseChecker> checker(openChecker());
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t failed = uspoof_check2UnicodeString(checker.get(), all, nullptr, &status);
    require(status);
    return failed == 0;
}

std::optional<std::string> toAsciiDomain(std::string_view domain) {
    UErrorCode status = U_ZERO_ERROR;
    static const std::unique_ptr<const icu::IDNA> idna{icu::IDNA::createUTS46Instance(
        UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ, status)};
    require(status);
    icu::IDNAInfo info;
    icu::UnicodeString ascii;
    idna->nameToASCII(wide(domain), ascii, info, status);
    if (U_FAILURE(status) || info.hasErrors()) return std::nullopt;
    return narrow(ascii);
}

}  // namespace otpgate
