#include "otpgate/domain/password_policy.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/base/unicode.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <zxcvbn.h>

namespace otpgate::domain {
namespace {

// log2 of 10^3, 10^6, 10^8 and 10^10 guesses.
constexpr std::array<double, 5> kBitsOfScore = {0, 9.97, 19.94, 26.58, 33.22};
constexpr double kBitsOfCommonPassword = 13.3;  // among the first 10,000
// What zxcvbn takes grows with the fourth power of the length on letters, and with the fifth on what a number pad
// writes: 100 ms for "232323..." of 64 characters. Both have many divisors, so that a repeated word mostly stays whole.
constexpr std::size_t kJudgedCharacters = 48;
constexpr std::size_t kJudgedNumberPadRun = 24;
constexpr std::size_t kMinWordLength = 3;
constexpr std::size_t kMinPhoneDigits = 6;

// Beyond ASCII every byte is taken for one of a letter.
bool isOfWord(char c) {
    return isLetterOrDigit(c) || (c & 0x80) != 0;
}

// Calls `use` with each character; a byte that is not UTF-8 is one.
template <typename Use>
void forEachCharacter(std::string_view text, Use use) {
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(1, utf8CharacterLength(text));
        use(text.substr(0, length));
        text.remove_prefix(length);
    }
}

// zxcvbn reads bytes, of which it takes those above 0x7f for one kind of character, and ends at a NUL. So that it
// counts ü, 密 and a NUL as one character each, they get those bytes, in the order in which they turn up.
class Alphabet {
public:
    std::string encode(std::string_view text) {
        std::string bytes;
        forEachCharacter(text, [&](std::string_view character) {
            const bool isPlain = character.size() == 1 && character[0] >= ' ' && character[0] < 0x7f;
            bytes += isPlain ? character[0] : byteOf(character);
        });
        return bytes;
    }

private:
    char byteOf(std::string_view character) {
        const auto next = static_cast<unsigned char>(0x80 + bytes_.size() % 0x80);
        return bytes_.try_emplace(std::string(character), static_cast<char>(next)).first->second;
    }
    std::map<std::string, char> bytes_;
};

// Leaves of each long run of keys of the number pad its beginning.
std::string shortenNumberPadRuns(std::string_view text) {
    std::string shortened;
    std::size_t run = 0;
    for (const char c : text) {
        run = std::string_view("0123456789+-*/.=").find(c) == std::string_view::npos ? 0 : run + 1;
        if (run <= kJudgedNumberPadRun) shortened += c;
    }
    return shortened;
}

void addWord(std::vector<std::string>& words, std::string_view word) {
    if (word.size() >= kMinWordLength && std::find(words.begin(), words.end(), word) == words.end()) {
        words.emplace_back(word);
    }
}

// The text, and what is between its dots, spaces and other signs.
void addWords(std::vector<std::string>& words, std::string_view text) {
    addWord(words, text);
    while (!text.empty()) {
        const auto* end = std::find_if_not(text.begin(), text.end(), isOfWord);
        const auto length = static_cast<std::size_t>(end - text.begin());
        addWord(words, text.substr(0, length));
        text.remove_prefix(std::min(length + 1, text.size()));
    }
}

std::string_view localPartOf(std::string_view email) {
    return email.substr(0, email.rfind('@'));
}

std::string_view digitsOf(std::string_view phoneNumber) {
    if (phoneNumber.starts_with('+')) phoneNumber.remove_prefix(1);
    return phoneNumber;
}

std::vector<std::string> wordsOf(const PasswordOwner& owner) {
    std::vector<std::string> words;
    addWord(words, owner.email);
    addWords(words, localPartOf(owner.email));
    addWords(words, owner.username);
    addWords(words, owner.firstName);
    addWords(words, owner.lastName);
    addWords(words, owner.displayName);
    addWord(words, digitsOf(owner.phoneNumber));
    if (const auto at = owner.email.rfind('@'); at != std::string_view::npos)
        addWords(words, owner.email.substr(at + 1));
    return words;
}

std::optional<std::string> findAddress(std::string_view password, const PasswordOwner& owner) {
    const std::string lower = toLower(password);
    const auto contains = [&](std::string_view text, std::size_t minLength) {
        return text.size() >= minLength && lower.find(toLower(text)) != std::string::npos;
    };
    if (contains(owner.email, 1)) return "It contains your e-mail address.";
    if (contains(localPartOf(owner.email), kMinWordLength)) return "It contains the name in your e-mail address.";
    if (contains(digitsOf(owner.phoneNumber), kMinPhoneDigits)) return "It contains your phone number.";
    return std::nullopt;
}

struct FreeMatches {
    void operator()(ZxcMatch_t* matches) const { ZxcvbnFreeInfo(matches); }
};

struct Judgement {
    double bits = 0;
    std::unique_ptr<ZxcMatch_t, FreeMatches> parts;
};

Judgement judge(const std::string& text, const std::vector<std::string>& words) {
    std::vector<const char*> pointers;
    pointers.reserve(words.size() + 1);
    for (const std::string& word : words) pointers.push_back(word.c_str());
    pointers.push_back(nullptr);
    ZxcMatch_t* parts = nullptr;
    const double bits = ZxcvbnMatch(text.c_str(), pointers.data(), &parts);
    return {bits, std::unique_ptr<ZxcMatch_t, FreeMatches>(parts)};
}

// Of the part that is the most of the password.
std::string explain(const ZxcMatch_t* parts) {
    const ZxcMatch_t* longest = parts;
    for (const ZxcMatch_t* part = parts; part != nullptr; part = part->Next) {
        if (part->Length > longest->Length) longest = part;
    }
    const bool isAll = longest != nullptr && longest->Next == nullptr && longest == parts;
    const int type = longest == nullptr ? NON_MATCH : longest->Type;
    if (type >= MULTIPLE_MATCH) return "Repeated words and patterns are easy to guess.";
    switch (static_cast<ZxcTypeMatch_t>(type)) {
    case DICTIONARY_MATCH:
    case DICT_LEET_MATCH:
        if (isAll && longest->Entrpy < kBitsOfCommonPassword) return "This is a very common password.";
        if (isAll) return "A single word is easy to guess.";
        return "A common word with little added is easy to guess.";
    case USER_MATCH:
    case USER_LEET_MATCH: return "It is too close to your name, your address or the name of this site.";
    case REPEATS_MATCH: return "Repeated characters are easy to guess.";
    case SEQUENCE_MATCH: return "Sequences such as abcd or 6543 are easy to guess.";
    case SPATIAL_MATCH: return "Rows of keys such as qwerty are easy to guess.";
    case DATE_MATCH:
    case YEAR_MATCH: return "Dates and years are easy to guess.";
    case NON_MATCH:
    case BRUTE_MATCH:
    case LONG_PWD_MATCH:
    case MULTIPLE_MATCH: break;
    }
    return "It is too easy to guess.";
}

}  // namespace

PasswordPolicy::PasswordPolicy(unsigned minScore, std::string_view siteHost)
    : minBits_(kBitsOfScore.at(std::min<std::size_t>(minScore, kBitsOfScore.size() - 1))) {
    addWords(siteWords_, siteHost);
}

std::optional<std::string> PasswordPolicy::reasonToRefuse(std::string_view typed, const PasswordOwner& owner) const {
    const std::string password = toNfc(typed);  // as it is hashed
    std::size_t characters = 0;
    forEachCharacter(password, [&](std::string_view) { ++characters; });
    if (characters < kMinCharacters) {
        return "It is too short: at least " + std::to_string(kMinCharacters) + " characters.";
    }
    if (characters > kMaxCharacters) {
        return "It is too long: at most " + std::to_string(kMaxCharacters) + " characters.";
    }
    if (auto address = findAddress(password, owner)) return address;
    if (minBits_ <= 0) return std::nullopt;

    Alphabet alphabet;
    const std::string text = shortenNumberPadRuns(alphabet.encode(password));
    std::vector<std::string> words = wordsOf(owner);
    words.insert(words.end(), siteWords_.begin(), siteWords_.end());
    for (std::string& word : words) word = alphabet.encode(word);

    const Judgement head = judge(text.substr(0, kJudgedCharacters), words);
    if (head.bits >= minBits_) return std::nullopt;
    // The whole is at least as hard to guess as any piece of it.
    if (text.size() > kJudgedCharacters &&
        judge(text.substr(text.size() - kJudgedCharacters), words).bits >= minBits_) {
        return std::nullopt;
    }
    return explain(head.parts.get());
}

}  // namespace otpgate::domain
