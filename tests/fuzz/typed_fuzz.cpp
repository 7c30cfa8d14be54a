// What people type: names, codes, locales, and the Unicode beneath them.
#include "domain/typed_text.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/unicode.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/calling_prefixes.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/person_name.h"

#include <algorithm>

namespace {

using namespace otpgate;

void requireUnicode(std::string_view text) {
    const bool isUtf8 = isValidUtf8(text);
    for (const auto& changed : {toNfc(text), toPlainText(text), trimmed(text)}) {
        REQUIRE(isUtf8 ? isValidUtf8(changed) : changed == text);
    }
    REQUIRE(toNfc(toNfc(text)) == toNfc(text));
    REQUIRE(trimmed(trimmed(text)) == trimmed(text));
    // Bytes that a blank has kept apart may make a character together.
    if (isUtf8) REQUIRE(withoutBlanksAndDashes(withoutBlanksAndDashes(text)) == withoutBlanksAndDashes(text));
    const std::string_view inner = domain::unwrapped(text);
    REQUIRE(domain::unwrapped(inner) == inner);
    if (const auto ascii = toAsciiDomain(text)) {
        REQUIRE(std::all_of(ascii->begin(), ascii->end(), [](char c) { return c > ' ' && c < 0x7f; }));
        REQUIRE(toAsciiDomain(*ascii) == ascii);
    }
}

void requireTimes(std::string_view text) {
    const auto span = parseDateOrTime(text);
    if (const auto exact = parseRfc3339(text)) REQUIRE(span && span->begin == exact->begin && span->end == exact->end);
    if (!span) return;
    REQUIRE(span->begin < span->end);
    const auto again = parseRfc3339(formatRfc3339(span->begin));
    REQUIRE(again && again->begin <= span->begin && span->begin < again->end);
}

void requireEncodings(std::string_view text) {
    REQUIRE(parseHex(toHex(text)) == text);
    REQUIRE(parseBase64Url(toBase64Url(text)) == text);
    // One value has one text.
    if (const auto bytes = parseHex(text)) REQUIRE(toHex(*bytes) == text);
    if (const auto bytes = parseBase64Url(text)) REQUIRE(toBase64Url(*bytes) == text);
    if (const auto id = Uuid::parse(text)) {
        REQUIRE(Uuid::parse(id->toString()) == id);
        REQUIRE(Uuid::fromBytes(id->bytes()) == *id);
    }
}

}  // namespace

FUZZ_TARGET(typed) {
    requireUnicode(input);
    requireTimes(input);
    requireEncodings(input);
    if (const auto code = domain::parseCode(input)) {
        REQUIRE(code->size() >= 4 && code->size() <= 10 && domain::parseCode(*code) == code);
        REQUIRE(
            std::all_of(code->begin(), code->end(), [](unsigned char c) { return std::isalnum(c) != 0 && c < 0x80; }));
    }
    if (const auto name = domain::parsePersonName(input)) {
        REQUIRE(isValidUtf8(*name) && domain::parsePersonName(*name) == name);
        REQUIRE(std::none_of(name->begin(), name->end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    }
    if (const auto rule = domain::LimitRule::parse(input))
        REQUIRE(rule->windows().size() <= 2 && rule->capacity() <= 1000);
    if (const auto budgets = domain::DailyBudgets::parse({std::string{input}})) {
        REQUIRE(domain::DailyBudgets::parse({budgets->toText()}).has_value());
    }
    if (const auto prefixes = domain::AllowedPrefixes::parse({std::string{input}})) {
        REQUIRE(prefixes->covers(std::string{input} + "1"));
    }
}
