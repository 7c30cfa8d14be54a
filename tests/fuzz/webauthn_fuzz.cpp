// What an authenticator says: a registration, or an assertion by the key that some registration gave, of any bytes.
// Four lines of hex.
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/webauthn.h"

namespace {

using namespace otpgate;

}  // namespace

FUZZ_TARGET(webauthn) {
    fuzz::Input in(input);
    const auto line = [&in] { return parseHex(in.line()).value_or(""); };
    const std::string object = line();
    const auto passkey = crypto::readAttestation(object, "example.org");
    if (!passkey) return;
    REQUIRE(!passkey->credentialId.empty() && passkey->credentialId.size() <= crypto::kMaxCredentialIdBytes);
    REQUIRE(passkey->aaguid.size() == 16);
    REQUIRE(passkey->facts.backupEligible || !passkey->facts.backedUp);
    REQUIRE(!crypto::readAttestation(object + '\0', "example.org"));
    const std::string data = line();
    const std::string client = line();
    const std::string signature = line();
    if (!crypto::verifyAssertion(passkey->key, "example.org", data, client, signature)) return;
    REQUIRE(data.size() == 37);
    REQUIRE(!crypto::verifyAssertion(passkey->key, "example.com", data, client, signature));
    REQUIRE(!crypto::verifyAssertion(passkey->key, "example.org", data, client + " ", signature));
}
