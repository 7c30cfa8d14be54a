// What is decided about webhooks: where one may lead to, how what is sent is signed, when it is tried again, and when a
// receiver is given up. Functions without state, over no database.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// To whom anything is sent: to public addresses over TLS, or also to this network and without TLS.
enum class WebhookReceivers { Public, Any };

// An absolute URL with a host, without user, password and fragment; https alone where receivers are Public.
bool isWebhookUrl(std::string_view text, WebhookReceivers receivers);

// Whether the whole world means the same host by it. 4 or 16 bytes in network order; an IPv4 address within one of IPv6
// (mapped, NAT64) is looked at as such. The private, loopback, link-local, documentation, multicast and reserved ones
// of the registries of RFC 6890 are none.
bool isPublicAddress(std::span<const unsigned char> address);

std::string makeWebhookSecret(Random& random);  // 32 bytes
// As Standard Webhooks writes it: "whsec_" and its base64.
std::string shownSecret(std::string_view secret);

// The value of webhook-signature: of each secret "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY", by
// blanks. `timestamp`: whole seconds.
std::string webhookSignature(const std::vector<std::string>& secrets, std::string_view id, std::int64_t timestamp,
                             std::string_view body);

// So long the secret before it still signs as well, for a receiver to change over.
inline constexpr std::chrono::hours kBothSecretsFor{24};
// A receiver that has taken nothing for so long is disabled.
inline constexpr std::chrono::hours kFailsAtMost{5 * 24};

// What a receiver has said. A redirect is no answer: nobody follows it.
struct WebhookAnswer {
    int status = 0;       // 0: there was none
    std::string fault{};  // why there was none
    std::optional<std::chrono::seconds> retryAfter{};
};

struct WebhookRuling {
    enum class Fate {
        Delivered,
        TryLater,
        GivenUp,      // this delivery alone
        ReceiverGone  // 410, or nothing taken for kFailsAtMost: all that waits for it is given up
    };
    Fate fate = Fate::Delivered;
    Timestamp nextTry{};       // of the delivery
    Timestamp receiverNext{};  // until then nothing is tried at this receiver
    std::string fault{};       // empty where Delivered
};
// `attempts`: of this delivery, this one included. `failures`: of the receiver in a row, this one included where it is
// one. `failingSince`: when the first of them was; nullopt: this would be it.
WebhookRuling ruleOnAnswer(const WebhookAnswer& answer, unsigned attempts, unsigned failures,
                           std::optional<Timestamp> failingSince, Timestamp now, Random& random);

}  // namespace otpgate::domain
