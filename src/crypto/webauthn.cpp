#include "otpgate/crypto/webauthn.h"

#include "crypto/cbor.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"

#include <cbor.h>
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/es384.h>
#include <fido/rs256.h>
#include <memory>
#include <mutex>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kRpIdHashBytes = 32;
constexpr std::size_t kFixedBytes = kRpIdHashBytes + 1 + 4;  // of authenticator data: hash, flags, counter
constexpr std::size_t kMaxObjectBytes = 8 * 1024;
constexpr std::size_t kMaxSignatureBytes = 1024;

// Section 6.1.
constexpr unsigned kUserPresent = 0x01;
constexpr unsigned kUserVerified = 0x04;
constexpr unsigned kBackupEligible = 0x08;
constexpr unsigned kBackedUp = 0x10;
constexpr unsigned kHasCredential = 0x40;
constexpr unsigned kHasExtensions = 0x80;

template <typename T, void (*release)(T**)>
struct Release {
    void operator()(T* object) const { release(&object); }
};
using Credential = std::unique_ptr<fido_cred_t, Release<fido_cred_t, fido_cred_free>>;
using Assertion = std::unique_ptr<fido_assert_t, Release<fido_assert_t, fido_assert_free>>;
using Es256Key = std::unique_ptr<es256_pk_t, Release<es256_pk_t, es256_pk_free>>;
using EdDsaKey = std::unique_ptr<eddsa_pk_t, Release<eddsa_pk_t, eddsa_pk_free>>;
using Es384Key = std::unique_ptr<es384_pk_t, Release<es384_pk_t, es384_pk_free>>;
using Rs256Key = std::unique_ptr<rs256_pk_t, Release<rs256_pk_t, rs256_pk_free>>;
using Item = std::unique_ptr<cbor_item_t, Release<cbor_item_t, cbor_decref>>;

void begin() {
    static std::once_flag once;
    std::call_once(once, [] { fido_init(0); });
}

const unsigned char* bytesOf(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string textOf(const unsigned char* bytes, std::size_t size) {
    return bytes == nullptr ? std::string{} : std::string{reinterpret_cast<const char*>(bytes), size};
}

// What the library leaves to others: it believes whatever flags stand there.
std::optional<AuthenticatorFacts> readFacts(std::string_view data, std::string_view rpId) {
    if (data.size() < kFixedBytes || !equalInConstantTime(data.substr(0, kRpIdHashBytes), sha256(rpId)))
        return std::nullopt;
    const auto flags = static_cast<unsigned char>(data[kRpIdHashBytes]);
    const bool isBackupPossible = (flags & kBackedUp) == 0 || (flags & kBackupEligible) != 0;
    if ((flags & kUserPresent) == 0 || (flags & kHasExtensions) != 0 || !isBackupPossible) return std::nullopt;
    return AuthenticatorFacts{
        .userVerified = (flags & kUserVerified) != 0,
        .backupEligible = (flags & kBackupEligible) != 0,
        .backedUp = (flags & kBackedUp) != 0,
        .signCount = static_cast<std::uint32_t>(fromBigEndian(data.substr(kRpIdHashBytes + 1, 4)))};
}

bool isCborText(const cbor_item_t* item, std::string_view text) {
    if (!cbor_isa_string(item) || !cbor_string_is_definite(item)) return false;
    return std::string_view{reinterpret_cast<const char*>(cbor_string_handle(item)), cbor_string_length(item)} == text;
}

// The bytes under authData of {fmt, attStmt, authData}, where nothing stands behind the map.
std::optional<std::string> authenticatorDataOf(std::string_view object) {
    if (object.size() > kMaxObjectBytes || !isOneCborItem(object)) return std::nullopt;
    cbor_load_result result{};
    const Item item(cbor_load(bytesOf(object), object.size(), &result));
    if (!item || result.read != object.size() || !cbor_isa_map(item.get()) || !cbor_map_is_definite(item.get())) {
        return std::nullopt;
    }
    std::optional<std::string> found;
    const cbor_pair* const pairs = cbor_map_handle(item.get());
    for (std::size_t i = 0; i < cbor_map_size(item.get()); ++i) {
        if (!isCborText(pairs[i].key, "authData")) continue;
        if (found || !cbor_isa_bytestring(pairs[i].value) || !cbor_bytestring_is_definite(pairs[i].value)) {
            return std::nullopt;
        }
        found = textOf(cbor_bytestring_handle(pairs[i].value), cbor_bytestring_length(pairs[i].value));
    }
    return found;
}

// What stands behind the identifier of the credential, to the end: there are no extensions.
bool hasOneKey(std::string_view data) {
    constexpr std::size_t kLengthAt = kFixedBytes + 16;  // behind the model
    constexpr std::size_t kIdAt = kLengthAt + 2;
    if (data.size() < kIdAt) return false;
    const std::size_t idBytes = fromBigEndian(data.substr(kLengthAt, 2));
    return data.size() - kIdAt >= idBytes && isOneCborItem(data.substr(kIdAt + idBytes));
}

int coseOf(PasskeyAlgorithm algorithm) {
    switch (algorithm) {
    case PasskeyAlgorithm::Es256: return COSE_ES256;
    case PasskeyAlgorithm::EdDsa: return COSE_EDDSA;
    case PasskeyAlgorithm::Es384: return COSE_ES384;
    case PasskeyAlgorithm::Rs256: return COSE_RS256;
    }
    return 0;
}

// The library's key of one kind, from its bytes; no key, where they are none.
template <typename Key>
bool verifyWith(Key key, int (*read)(typename Key::pointer, const void*, std::size_t), const PasskeyPublicKey& shown,
                const fido_assert_t* assertion) {
    return key && read(key.get(), shown.bytes.data(), shown.bytes.size()) == FIDO_OK &&
           fido_assert_verify(assertion, 0, coseOf(shown.algorithm), key.get()) == FIDO_OK;
}

bool isSignedBy(const PasskeyPublicKey& key, const fido_assert_t* assertion) {
    switch (key.algorithm) {
    case PasskeyAlgorithm::Es256: return verifyWith(Es256Key(es256_pk_new()), es256_pk_from_ptr, key, assertion);
    case PasskeyAlgorithm::EdDsa: return verifyWith(EdDsaKey(eddsa_pk_new()), eddsa_pk_from_ptr, key, assertion);
    case PasskeyAlgorithm::Es384: return verifyWith(Es384Key(es384_pk_new()), es384_pk_from_ptr, key, assertion);
    case PasskeyAlgorithm::Rs256: return verifyWith(Rs256Key(rs256_pk_new()), rs256_pk_from_ptr, key, assertion);
    }
    return false;
}

std::optional<AttestedPasskey> readCredential(std::string_view data, PasskeyAlgorithm algorithm,
                                              const AuthenticatorFacts& facts) {
    const Credential credential(fido_cred_new());
    // The type must be the key's own, so whoever asks tries each.
    if (!credential || fido_cred_set_type(credential.get(), coseOf(algorithm)) != FIDO_OK ||
        fido_cred_set_authdata_raw(credential.get(), bytesOf(data), data.size()) != FIDO_OK) {
        return std::nullopt;
    }
    AttestedPasskey passkey{
        .credentialId = textOf(fido_cred_id_ptr(credential.get()), fido_cred_id_len(credential.get())),
        .key = {algorithm, textOf(fido_cred_pubkey_ptr(credential.get()), fido_cred_pubkey_len(credential.get()))},
        .facts = facts,
        .aaguid = textOf(fido_cred_aaguid_ptr(credential.get()), fido_cred_aaguid_len(credential.get()))};
    const bool isWhole = !passkey.credentialId.empty() && passkey.credentialId.size() <= kMaxCredentialIdBytes &&
                         !passkey.key.bytes.empty() && passkey.aaguid.size() == 16;
    return isWhole ? std::optional{std::move(passkey)} : std::nullopt;
}

}  // namespace

std::optional<PasskeyAlgorithm> parsePasskeyAlgorithm(std::int64_t number) {
    for (const PasskeyAlgorithm algorithm : kPasskeyAlgorithms) {
        if (number == static_cast<std::int64_t>(algorithm)) return algorithm;
    }
    return std::nullopt;
}

std::optional<AttestedPasskey> readAttestation(std::string_view attestationObject, std::string_view rpId) {
    begin();
    const auto data = authenticatorDataOf(attestationObject);
    const auto facts = data ? readFacts(*data, rpId) : std::nullopt;
    if (!facts || (static_cast<unsigned char>((*data)[kRpIdHashBytes]) & kHasCredential) == 0 || !hasOneKey(*data))
        return std::nullopt;
    for (const PasskeyAlgorithm algorithm : kPasskeyAlgorithms) {
        if (auto passkey = readCredential(*data, algorithm, *facts)) return passkey;
    }
    return std::nullopt;
}

std::optional<AuthenticatorFacts> verifyAssertion(const PasskeyPublicKey& key, std::string_view rpId,
                                                  std::string_view authenticatorData, std::string_view clientDataJson,
                                                  std::string_view signature) {
    begin();
    // Nothing may stand behind the counter: no credential, no extension.
    const auto facts = readFacts(authenticatorData, rpId);
    if (!facts || authenticatorData.size() != kFixedBytes || signature.empty() ||
        signature.size() > kMaxSignatureBytes) {
        return std::nullopt;
    }
    if ((static_cast<unsigned char>(authenticatorData[kRpIdHashBytes]) & kHasCredential) != 0) return std::nullopt;
    const Assertion assertion(fido_assert_new());
    const std::string hash = sha256(clientDataJson);
    const std::string id{rpId};
    const bool isSet =
        assertion && fido_assert_set_count(assertion.get(), 1) == FIDO_OK &&
        fido_assert_set_rp(assertion.get(), id.c_str()) == FIDO_OK &&
        fido_assert_set_clientdata_hash(assertion.get(), bytesOf(hash), hash.size()) == FIDO_OK &&
        fido_assert_set_up(assertion.get(), FIDO_OPT_TRUE) == FIDO_OK &&
        fido_assert_set_uv(assertion.get(), facts->userVerified ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK &&
        fido_assert_set_authdata_raw(assertion.get(), 0, bytesOf(authenticatorData), authenticatorData.size()) ==
            FIDO_OK &&
        fido_assert_set_sig(assertion.get(), 0, bytesOf(signature), signature.size()) == FIDO_OK;
    if (!isSet || !isSignedBy(key, assertion.get())) return std::nullopt;
    return facts;
}

}  // namespace otpgate::crypto
