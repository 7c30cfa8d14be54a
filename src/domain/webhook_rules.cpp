#include "otpgate/domain/webhook_rules.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"

#include <algorithm>
#include <array>

namespace otpgate::domain {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostUrlBytes = 1000;
constexpr std::string_view kSecretMark = "whsec_";
constexpr std::size_t kSecretBytes = 32;

// After the first, the second, ... attempt: three days in all.
constexpr std::array<std::chrono::seconds, 9> kWaits{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
// What waits is not tried one by one at a receiver that answers nobody, but it is soon seen to be back.
constexpr std::chrono::seconds kLongestRest = 5min;
constexpr std::chrono::seconds kLongestWish = 24h;  // of a Retry-After
constexpr int kGone = 410;

// Up to a tenth more, so that not all that failed together comes together.
std::chrono::milliseconds jittered(std::chrono::milliseconds wait, Random& random) {
    std::array<std::uint8_t, 1> byte{};
    random.fill(byte);
    return wait + wait * byte[0] / 2560;
}

std::chrono::seconds waitAfter(unsigned attempts) {
    return kWaits.at(std::min<std::size_t>(std::max(attempts, 1U) - 1, kWaits.size() - 1));
}

struct Network {
    std::array<unsigned char, 16> begin;
    unsigned bits;
};

bool isIn(std::span<const unsigned char> address, const Network& network) {
    for (unsigned bit = 0; bit < network.bits; ++bit) {
        const unsigned mask = 0x80U >> (bit % 8);
        if ((address[bit / 8] & mask) != (network.begin.at(bit / 8) & mask)) return false;
    }
    return true;
}

constexpr Network kNotPublic4[] = {{{0}, 8},
                                   {{10}, 8},
                                   {{100, 64}, 10},
                                   {{127}, 8},
                                   {{169, 254}, 16},
                                   {{172, 16}, 12},
                                   {{192, 0, 0}, 24},
                                   {{192, 0, 2}, 24},
                                   {{192, 88, 99}, 24},
                                   {{192, 168}, 16},
                                   {{198, 18}, 15},
                                   {{198, 51, 100}, 24},
                                   {{203, 0, 113}, 24},
                                   {{224}, 3}};
constexpr Network kGlobal6{{0x20}, 3};
// Protocol assignments with Teredo, documentation, 6to4.
constexpr Network kNotPublic6[] = {
    {{0x20, 0x01}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x20, 0x02}, 16}, {{0x3f, 0xff}, 20}};
constexpr Network kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Network kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};

bool isPublic4(std::span<const unsigned char> address) {
    return std::ranges::none_of(kNotPublic4, [&](const Network& network) { return isIn(address, network); });
}

// Of the characters of a URI (RFC 3986), without the # of a fragment: libcurl and we read the same host.
bool isOfAWebhookUrl(char c) {
    constexpr std::string_view kSigns = "-._~:/?[]@!$&'()*+,;=%";
    return isLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
}

}  // namespace

bool isPublicAddress(std::span<const unsigned char> address) {
    constexpr std::size_t kV4 = 4;
    constexpr std::size_t kV6 = 16;
    if (address.size() == kV4) return isPublic4(address);
    if (address.size() != kV6) return false;
    if (isIn(address, kMapped) || isIn(address, kNat64)) return isPublic4(address.last(kV4));
    return isIn(address, kGlobal6) &&
           std::ranges::none_of(kNotPublic6, [&](const Network& network) { return isIn(address, network); });
}

bool isWebhookUrl(std::string_view text, WebhookReceivers receivers) {
    if (text.size() > kMostUrlBytes) return false;
    const bool isTls = text.starts_with("https://");
    if (!isTls && (receivers == WebhookReceivers::Public || !text.starts_with("http://"))) return false;
    if (!std::ranges::all_of(text, isOfAWebhookUrl)) return false;
    const std::string_view rest = text.substr(text.find("//") + 2);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    return authority.find('@') == std::string_view::npos && !hostOf(text).empty();
}

std::string makeWebhookSecret(Random& random) {
    std::array<std::uint8_t, kSecretBytes> bytes{};
    random.fill(bytes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string shownSecret(std::string_view secret) {
    return std::string{kSecretMark} + toBase64(secret);
}

std::string webhookSignature(const std::vector<std::string>& secrets, std::string_view id, std::int64_t timestamp,
                             std::string_view body) {
    const std::string text = std::string{id} + '.' + std::to_string(timestamp) + '.' + std::string{body};
    std::string signatures;
    for (const std::string& secret : secrets) {
        signatures += (signatures.empty() ? "v1," : " v1,") + toBase64(crypto::hmacSha256(secret, text));
    }
    return signatures;
}

WebhookRuling ruleOnAnswer(const WebhookAnswer& answer, unsigned attempts, unsigned failures,
                           std::optional<Timestamp> failingSince, Timestamp now, Random& random) {
    using Fate = WebhookRuling::Fate;
    constexpr int kHundred = 100;
    if (answer.status / kHundred == 2) return {};
    WebhookRuling ruling;
    ruling.fault = answer.status == 0 ? answer.fault : "status " + std::to_string(answer.status);
    if (answer.status == kGone || now - failingSince.value_or(now) >= kFailsAtMost) {
        ruling.fate = Fate::ReceiverGone;
        return ruling;
    }
    // Retry-After is asked for with 429 and 503, and may stand beside any status.
    const std::chrono::seconds wish = std::clamp(answer.retryAfter.value_or(0s), 0s, kLongestWish);
    ruling.fate = attempts > kWaits.size() ? Fate::GivenUp : Fate::TryLater;
    ruling.nextTry = now + std::max<std::chrono::milliseconds>(jittered(waitAfter(attempts), random), wish);
    ruling.receiverNext = now + std::max(std::min(waitAfter(failures), kLongestRest), wish);
    return ruling;
}

}  // namespace otpgate::domain
