#include "domain/verification_context.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/signed_token.h"

namespace otpgate::domain {

namespace {

constexpr std::string_view kSealContext = "otpgate verification v1";
// The first byte of the fields; another order or other fields get another one.
constexpr char kVersion = 1;
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kIntegerBytes = 8;

void appendText(std::string& fields, std::string_view text) {
    fields += crypto::packInteger(static_cast<std::int64_t>(text.size()));
    fields += text;
}

// Takes fields from the front. They are our own, authenticated, so a missing one means another version of us.
class Fields {
public:
    explicit Fields(std::string_view bytes) : rest_(bytes) {}

    std::string_view bytes(std::size_t count) {
        if (rest_.size() < count) isGood_ = false;
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    Uuid uuid() {
        const std::string_view taken = bytes(kIdBytes);
        return isGood_ ? Uuid::fromBytes(taken) : Uuid{};
    }
    std::int64_t integer() {
        const std::string_view taken = bytes(kIntegerBytes);
        return isGood_ ? crypto::unpackInteger(taken) : 0;
    }
    unsigned count() { return static_cast<unsigned>(integer()); }
    std::string text() { return std::string{bytes(static_cast<std::size_t>(integer()))}; }
    bool isAtEnd() const { return isGood_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool isGood_ = true;
};

}  // namespace

std::string sealContext(const crypto::KeyRing& ring, const VerificationContext& context, Random& random) {
    std::string fields{kVersion};
    fields += context.id.bytes();
    fields += context.ownerId.bytes();
    for (const std::int64_t number :
         {toMicroseconds(context.codeExpiresAt), toMicroseconds(context.expiresAt), std::int64_t{context.format.length},
          std::int64_t{context.maxAttempts}, std::int64_t{context.retryCount}}) {
        fields += crypto::packInteger(number);
    }
    for (const std::string_view text : {toString(context.format.alphabet), toString(context.destination.channel()),
                                        std::string_view{context.destination.value()},
                                        std::string_view{context.purpose}, std::string_view{context.metadata}}) {
        appendText(fields, text);
    }
    return toBase64Url(crypto::seal(ring, fields, kSealContext, random, crypto::KeyUse::VerificationContext));
}

std::optional<VerificationContext> openContext(const crypto::KeyRing& ring, std::string_view text) {
    const auto sealed = parseBase64Url(text);
    if (!sealed) return std::nullopt;
    const auto plain = crypto::open(ring, *sealed, kSealContext, crypto::KeyUse::VerificationContext);
    if (!plain) return std::nullopt;

    Fields fields(*plain);
    if (fields.bytes(1) != std::string_view{&kVersion, 1}) return std::nullopt;
    const Uuid id = fields.uuid();
    const Uuid ownerId = fields.uuid();
    const Timestamp codeExpiresAt = fromMicroseconds(fields.integer());
    const Timestamp expiresAt = fromMicroseconds(fields.integer());
    const unsigned length = fields.count();
    const unsigned maxAttempts = fields.count();
    const unsigned retryCount = fields.count();
    const auto alphabet = parseCodeAlphabet(fields.text());
    const auto channel = fields.text() == toString(Channel::Sms) ? Channel::Sms : Channel::Email;
    std::string destination = fields.text();
    std::string purpose = fields.text();
    std::string metadata = fields.text();
    if (!fields.isAtEnd() || !alphabet) return std::nullopt;
    return VerificationContext{.id = id,
                               .ownerId = ownerId,
                               .destination = Destination::fromStored(channel, std::move(destination)),
                               .format = {*alphabet, length},
                               .purpose = std::move(purpose),
                               .metadata = std::move(metadata),
                               .codeExpiresAt = codeExpiresAt,
                               .expiresAt = expiresAt,
                               .maxAttempts = maxAttempts,
                               .retryCount = retryCount};
}

}  // namespace otpgate::domain
