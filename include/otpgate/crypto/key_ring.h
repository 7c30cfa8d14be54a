// The master keys: one file, one key a line. The first signs and seals, all verify and open, so a key can be replaced
// without voiding what is in flight. Immutable after loading, shared by all threads.
#pragma once

#include "otpgate/base/random.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::crypto {

// What a derived key is for; one label, one use.
enum class KeyUse {
    OtpCode,
    RefreshToken,
    SealedSecret,
    AccessToken,
    DeviceToken,
    SessionCookie,
    CsrfToken,
    OtpReceipt,
    VerificationContext,
    SiteCookie,
    SiteTicket,
    OtpLink,
    OtpAsker,
    PasskeyChallenge,
    TotpSecret,
    TotpInvitation,
    SecondStep,
    OidcCode,
    OidcAccessToken,
    OidcRefreshToken,
    WebhookSecret,
    WorkChallenge
};

class KeyRing {
public:
    // Lines of `otpgate1:` and 64 lower-case hex digits; blank lines and # comments are passed over. Throws
    // ConfigurationError that names the file when it cannot be read, holds no key or a bad line, or others than owner
    // and group may read or write it.
    static KeyRing load(const std::string& path);
    static KeyRing parse(std::string_view text, std::string_view fileName);

    // The HKDF-SHA256 subkey of every master key for this use, the signing one first. Computed once, at loading.
    const std::vector<std::string>& keys(KeyUse use) const;
    // What names each key and tells nothing of it: 16 hex digits, in the order of the file.
    const std::vector<std::string>& fingerprints() const { return fingerprints_; }
    // The same keys, the last of them first; and all but the last. Of two keys or more.
    KeyRing withLastFirst() const;
    KeyRing withoutLast() const;

private:
    std::vector<std::vector<std::string>> keys_;  // [use][ring position]
    std::vector<std::string> fingerprints_;
};

// A line of a key file with a new key, without its line end.
std::string makeMasterKeyLine(Random& random);
// Creates the file with one new key, mode 0600, never over an existing file (O_EXCL, fsync). Throws ConfigurationError.
void createKeyFile(const std::string& path, Random& random);
// Each replaces the file by one that has a new key at its end, the last key before the first one, or no longer the last
// one; comments, owner and mode stay. Throws ConfigurationError.
void addKey(const std::string& path, Random& random);
void promoteLastKey(const std::string& path);
void dropLastKey(const std::string& path);

// AES-256-GCM under the ring's keys of this use: version byte, nonce (12), ciphertext, tag (16). `context` is
// authenticated, not stored: what was sealed for one place does not open in another. Nonces are random: at most 2^32
// seals under one key. open() is nullopt for whatever seal() did not write with one of the ring's keys and this
// context.
std::string seal(const KeyRing& ring, std::string_view plain, std::string_view context, Random& random,
                 KeyUse use = KeyUse::SealedSecret);
std::optional<std::string> open(const KeyRing& ring, std::string_view sealed, std::string_view context,
                                KeyUse use = KeyUse::SealedSecret);

}  // namespace otpgate::crypto
