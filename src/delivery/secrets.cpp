#include "delivery/secrets.h"

#include "delivery/base64.h"
#include "delivery/escaping.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

namespace otpgate::delivery {

namespace {

constexpr std::string_view kStars = "***";
// So much of a credential tells enough of it to guess the rest, and of a message to know what it says.
constexpr std::size_t kPieceOfCredential = 8;
constexpr std::size_t kPieceOfText = 16;
// A form that is shorter than this would be found in every text.
constexpr std::size_t kShortestForm = 4;
constexpr std::size_t kPieceOfCode = 3;
constexpr std::size_t kPieceOfLetters = 4;
constexpr std::size_t kOlderCodes = 100;

// What base64 makes of the secret wherever in a longer text it stands, without the characters that its neighbours have
// a part in: AUTH PLAIN, HTTP Basic, the body of a mail.
std::vector<std::string> withinBase64(std::string_view secret) {
    std::vector<std::string> forms;
    for (std::size_t offset = 0; offset < 3; ++offset) {
        const std::string text = std::string(offset, '\0') + std::string(secret);
        const std::size_t first = (offset * 8 + 5) / 6;
        const std::size_t whole = text.size() * 8 / 6;
        if (whole > first) forms.push_back(toBase64(text).substr(first, whole - first));
    }
    return forms;
}

// Which bytes of a text are to go.
class Strike {
public:
    explicit Strike(std::string_view text) : text_(toLower(text)), isStruck_(text.size()) {}

    // Every place of the text that any piece of so many bytes of one of the wanted texts stands at.
    void pieces(const std::map<std::size_t, std::vector<std::string_view>>& wanted) {
        for (const auto& [length, texts] : wanted) {
            std::unordered_set<std::string_view> known;
            for (const std::string_view text : texts) {
                for (std::size_t at = 0; at + length <= text.size(); ++at) known.insert(text.substr(at, length));
            }
            const std::string_view view = text_;
            for (std::size_t at = 0; at + length <= view.size(); ++at) {
                if (known.contains(view.substr(at, length))) mark(at, at + length);
            }
        }
    }

    // Its characters in their order, whatever stands between them.
    void wholeCode(const std::string& code) {
        if (code.empty()) return;
        const bool hasLetters = std::any_of(code.begin(), code.end(), isLetter);
        std::string plain;
        std::vector<std::size_t> places;
        for (std::size_t at = 0; at < text_.size(); ++at) {
            if (!counts(text_[at], hasLetters)) continue;
            plain += text_[at];
            places.push_back(at);
        }
        for (auto at = plain.find(code); at != std::string::npos; at = plain.find(code, at + 1))
            mark(places[at], places[at + code.size() - 1] + 1);
    }

    // What somebody's cut, or another line between, left of it.
    void piecesOfCode(const std::string& code) {
        const bool hasLetters = std::any_of(code.begin(), code.end(), isLetter);
        const std::size_t shortest = hasLetters ? kPieceOfLetters : kPieceOfCode;
        for (std::size_t at = 0; at < text_.size();) {
            std::size_t end = at;
            while (end < text_.size() && counts(text_[end], hasLetters)) ++end;
            const std::size_t length = end - at;
            if (length >= shortest && length < code.size() && code.find(text_.substr(at, length)) != std::string::npos)
                mark(at, end);
            at = end + 1;
        }
    }

    std::string outOf(std::string_view text) const {
        std::string out;
        for (std::size_t at = 0; at < text.size(); ++at) {
            if (!isStruck_[at])
                out += text[at];
            else if (at == 0 || !isStruck_[at - 1])
                out += kStars;
        }
        return out;
    }

private:
    static bool counts(char c, bool hasLetters) { return isDigit(c) || (hasLetters && isLetter(c)); }
    void mark(std::size_t begin, std::size_t end) {
        std::fill(isStruck_.begin() + static_cast<std::ptrdiff_t>(begin),
                  isStruck_.begin() + static_cast<std::ptrdiff_t>(end), true);
    }

    std::string text_;
    std::vector<bool> isStruck_;
};

}  // namespace

void Secrets::add(std::string_view secret) {
    if (secret.empty()) return;
    std::vector<std::string> forms = withinBase64(secret);
    for (std::string escaped : {percentEncoded(secret), jsonEscaped(secret), xmlEscaped(secret)})
        forms.push_back(std::move(escaped));
    std::erase_if(forms, [](const std::string& form) { return form.size() < kShortestForm; });
    forms.emplace_back(secret);
    for (const std::string& form : forms) {
        std::string known = toLower(form);
        if (std::ranges::find(credentials_, known) == credentials_.end()) credentials_.push_back(std::move(known));
    }
}

void Secrets::beginMessage(Message message) {
    if (!messages_[1].code.empty()) olderCodes_.push_back(std::move(messages_[1].code));
    if (olderCodes_.size() > kOlderCodes) olderCodes_.pop_front();
    if (!messages_[1].link.empty()) olderLinks_.push_back(toLower(messages_[1].link));
    if (olderLinks_.size() > kOlderCodes) olderLinks_.pop_front();
    messages_[1] = std::move(messages_[0]);
    messages_[0] = std::move(message);
}

std::string Secrets::strikeOut(std::string_view text) const {
    std::map<std::size_t, std::vector<std::string_view>> wanted;
    for (const std::string& credential : credentials_)
        wanted[std::min(credential.size(), kPieceOfCredential)].push_back(credential);
    std::vector<std::string> texts;
    std::vector<std::string> addresses;
    std::vector<std::string> links(olderLinks_.begin(), olderLinks_.end());
    for (const Message& message : messages_) {
        texts.push_back(toLower(message.text));
        if (!message.link.empty()) links.push_back(toLower(message.link));
        if (message.recipient.empty()) continue;
        const std::string address = toLower(message.recipient);
        addresses.push_back(address);
        addresses.push_back(address.substr(address.front() == '+' ? 1 : 0));
        addresses.push_back(toLower(percentEncoded(address)));
    }
    for (const std::string& part : texts) {
        if (part.size() >= kPieceOfText) wanted[kPieceOfText].push_back(part);
    }
    for (const std::string& link : links) wanted[std::min(link.size(), kPieceOfCredential)].push_back(link);
    for (const std::string& address : addresses) wanted[address.size()].push_back(address);

    Strike strike(text);
    strike.pieces(wanted);
    for (const Message& message : messages_) {
        const std::string code = toLower(message.code);
        strike.wholeCode(code);
        strike.piecesOfCode(code);
    }
    // Pieces of so many would be found in every text.
    for (const std::string& code : olderCodes_) strike.wholeCode(toLower(code));
    return strike.outOf(text);
}

}  // namespace otpgate::delivery
