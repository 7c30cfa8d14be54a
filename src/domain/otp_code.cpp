#include "otpgate/domain/otp_code.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/base/unicode.h"
#include "otpgate/crypto/hash.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

std::string_view charactersOf(CodeAlphabet alphabet) {
    switch (alphabet) {
    case CodeAlphabet::Digits: return "0123456789";
    case CodeAlphabet::Letters: return "23456789ABCDEFGHJKMNPQRSTVWXYZ";
    }
    return {};
}

std::string derive(std::string_view key, const Uuid& otpId, const CodeFormat& format) {
    const std::string_view characters = charactersOf(format.alphabet);
    const std::string mac = crypto::hmacSha256(key, otpId.bytes());
    // 64 bits modulo at most 30^10, which is below 2^50: the bias is below 10^-4 of a code's probability.
    std::uint64_t number = fromBigEndian(std::string_view{mac}.substr(0, 8));
    std::string code(format.length, '0');
    for (auto place = code.rbegin(); place != code.rend(); ++place, number /= characters.size()) {
        *place = characters[number % characters.size()];
    }
    return code;
}

constexpr std::size_t kLinkBytes = 16;

std::string deriveLink(std::string_view key, std::string_view id) {
    return crypto::hmacSha256(key, id).substr(0, kLinkBytes);
}

}  // namespace

std::optional<std::string> parseCode(std::string_view typed) {
    const std::string plain = withoutBlanksAndDashes(toPlainText(typed));
    const auto first = std::find_if(plain.begin(), plain.end(), isLetterOrDigit);
    const auto end = std::find_if(plain.rbegin(), plain.rend(), isLetterOrDigit).base();
    if (first >= end || end - first < 4 || end - first > 10) return std::nullopt;
    if (!std::all_of(first, end, isLetterOrDigit)) return std::nullopt;
    return std::string(first, end);
}

OtpCodes::OtpCodes(const crypto::KeyRing& ring, CodeFormat format, std::string fixedCode)
    : ring_(ring),
      format_(format),
      fixedCode_(std::move(fixedCode)) {}

std::string OtpCodes::codeFor(const Uuid& otpId, const CodeFormat& format) const {
    if (!fixedCode_.empty()) return fixedCode_;
    return derive(ring_.keys(crypto::KeyUse::OtpCode).front(), otpId, format);
}

std::string OtpCodes::codeFor(const OutboxMessage& message) const {
    if (message.codeLength == 0) return codeFor(message.otpId);
    return codeFor(message.otpId, {message.codeAlphabet, message.codeLength});
}

Guess OtpCodes::judge(const Uuid& otpId, std::string_view guess, const CodeFormat& format) const {
    const std::string plain = toUpper(guess);
    if (!fixedCode_.empty()) return crypto::equalInConstantTime(fixedCode_, plain) ? Guess::Right : Guess::Wrong;
    Guess result = Guess::Wrong;
    for (const std::string& key : ring_.keys(crypto::KeyUse::OtpCode)) {
        const std::string code = derive(key, otpId, format);
        if (crypto::equalInConstantTime(code, plain)) result = Guess::Right;
    }
    return result;
}

std::string OtpCodes::linkFor(const Uuid& otpId) const {
    const std::string& key = ring_.keys(crypto::KeyUse::OtpLink).front();
    return toBase64Url(std::string{otpId.bytes()} + deriveLink(key, otpId.bytes()));
}

std::optional<Uuid> OtpCodes::openLink(std::string_view secret) const {
    const auto bytes = parseBase64Url(secret);
    if (!bytes || bytes->size() != Uuid::kBytes + kLinkBytes) return std::nullopt;
    const std::string_view id = std::string_view{*bytes}.substr(0, Uuid::kBytes);
    std::optional<Uuid> opened;
    for (const std::string& key : ring_.keys(crypto::KeyUse::OtpLink)) {
        if (crypto::equalInConstantTime(deriveLink(key, id), std::string_view{*bytes}.substr(Uuid::kBytes))) {
            opened = Uuid::fromBytes(id);
        }
    }
    return opened;
}

}  // namespace otpgate::domain
