// What an authenticator says (WebAuthn Level 3, sections 6.1 and 6.5), read and verified as bytes. Pure functions: who
// asked, for what and whether it was asked before is for others to know. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::crypto {

// By their numbers of COSE (RFC 9053, RFC 8812), in the order in which we like them.
enum class PasskeyAlgorithm : std::int32_t { Es256 = -7, EdDsa = -8, Es384 = -35, Rs256 = -257 };
inline constexpr PasskeyAlgorithm kPasskeyAlgorithms[] = {PasskeyAlgorithm::Es256, PasskeyAlgorithm::EdDsa,
                                                          PasskeyAlgorithm::Es384, PasskeyAlgorithm::Rs256};
// nullopt for any other number.
std::optional<PasskeyAlgorithm> parsePasskeyAlgorithm(std::int64_t number);

struct PasskeyPublicKey {
    PasskeyAlgorithm algorithm = PasskeyAlgorithm::Es256;
    std::string bytes;  // x and y (64, 96), the key (32), or modulus and exponent of 2,048 bits (259)
};

inline constexpr std::size_t kMaxCredentialIdBytes = 1023;  // WebAuthn Level 3, section 7.1, step 25

// What stands in authenticator data.
struct AuthenticatorFacts {
    bool userVerified = false;    // by PIN or biometric; that the user was present is required anyway
    bool backupEligible = false;  // a passkey that is copied to the user's other devices
    bool backedUp = false;
    std::uint32_t signCount = 0;  // 0: the authenticator does not count
};

struct AttestedPasskey {
    std::string credentialId;
    PasskeyPublicKey key;
    AuthenticatorFacts facts;
    std::string aaguid;  // 16 bytes: the model of the authenticator, as it says itself
};

// Of a registration: the new passkey, where the object is one whole map of CBOR, the authenticator data is of this RP
// ID, the user was present, the backup flags go together, and the key is of one of our algorithms and lies on its
// curve. An attestation statement is not asked for; where one comes it is passed over, and proves no more than none.
std::optional<AttestedPasskey> readAttestation(std::string_view attestationObject, std::string_view rpId);

// Of a sign-in: what the authenticator says, where this key has signed it with the hash of these client data, for this
// RP ID, the user was present, and no extension that nobody asked for is in it.
std::optional<AuthenticatorFacts> verifyAssertion(const PasskeyPublicKey& key, std::string_view rpId,
                                                  std::string_view authenticatorData, std::string_view clientDataJson,
                                                  std::string_view signature);

}  // namespace otpgate::crypto
