#include "otpgate/domain/recovery_codes.h"

#include "otpgate/base/text.h"
#include "otpgate/base/unicode.h"

#include <algorithm>
#include <array>

namespace otpgate::domain {

namespace {

constexpr std::string_view kLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's: 5 bits each
constexpr std::size_t kLength = 16;
constexpr std::size_t kGroup = 4;

char readLetter(char c) {
    c = toUpper(c);
    if (c == 'O') return '0';
    return c == 'I' || c == 'L' ? '1' : c;
}

}  // namespace

RecoveryCode makeRecoveryCode(unsigned number, Random& random) {
    std::array<std::uint8_t, kLength> bytes{};
    random.fill(bytes);
    RecoveryCode code{number, {}};
    for (const std::uint8_t byte : bytes) code.letters += kLetters[byte % kLetters.size()];
    return code;
}

std::string toText(const RecoveryCode& code) {
    std::string text = std::to_string(code.number);
    for (std::size_t i = 0; i < code.letters.size(); i += kGroup) text += "-" + code.letters.substr(i, kGroup);
    return text;
}

std::optional<RecoveryCode> parseRecoveryCode(std::string_view typed) {
    std::string plain = withoutBlanksAndDashes(toPlainText(typed));
    std::ranges::transform(plain, plain.begin(), readLetter);
    const auto isLetter = [](char c) { return kLetters.find(c) != std::string_view::npos; };
    if (plain.size() != kLength + 1 || !isDigit(plain.front()) || !std::ranges::all_of(plain, isLetter)) {
        return std::nullopt;
    }
    return RecoveryCode{static_cast<unsigned>(plain.front() - '0'), plain.substr(1)};
}

}  // namespace otpgate::domain
