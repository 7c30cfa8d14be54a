#include "domain/verification_context.h"

#include "domain/packed_fields.h"
#include "otpgate/base/encoding.h"

namespace otpgate::domain {

namespace {

constexpr std::string_view kSealContext = "otpgate verification v1";
// The first byte of the fields; another order or other fields get another one.
constexpr char kContextVersion = 1;

}  // namespace

std::string sealContext(const crypto::KeyRing& ring, const VerificationContext& context, Random& random) {
    std::string fields{kContextVersion};
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

    PackedFields fields(*plain);
    if (fields.bytes(1) != std::string_view{&kContextVersion, 1}) return std::nullopt;
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
