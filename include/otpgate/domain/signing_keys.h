// The keys of tokens that others verify, all of one algorithm: those of access tokens (ES256), and those of ID tokens
// (RS256) beside them. Kept sealed in the database, opened in memory. Each is published before it signs, so that
// whoever caches the JWKS knows it in time. One object a process, read by all threads.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/jwt.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/stores.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class KeyState {
    Next,     // published, and does not sign yet
    Current,  // signs
    Former    // verifies what it has signed
};
std::string_view toString(KeyState state);  // "next"
// Of keys of one algorithm, in their order, by when each begins to sign.
std::vector<KeyState> statesOf(const std::vector<Timestamp>& activeFrom, Timestamp now);

// A key as administrators see it.
struct ListedKey {
    std::string keyId;
    crypto::SigningAlgorithm algorithm = crypto::SigningAlgorithm::Es256;
    Timestamp activeFrom;
    KeyState state = KeyState::Current;
};

class SigningKeys {
public:
    // A new key signs from this long after it was published.
    static constexpr std::chrono::minutes kPublishedAhead{10};

    // `tokenLifetime`: of the longest-lived token that they sign.
    SigningKeys(const crypto::KeyRing& ring, std::chrono::seconds tokenLifetime,
                crypto::SigningAlgorithm algorithm = crypto::SigningAlgorithm::Es256);

    // Reads the keys anew; makes the first one where there is none. Throws ConfigurationError when none opens under the
    // master key ring.
    void reload(SigningKeyStore& store, Random& random, Timestamp now);
    // Ids of those of the last reload() that do not open, because a host has sealed them with a master key that is not
    // in our ring. What they sign is not known here.
    std::vector<std::string> unopened() const;
    // Adds the next key. False: one that does not sign yet is waiting already.
    bool rotate(SigningKeyStore& store, Random& random, Timestamp now) const;
    // Throws ConfigurationError where the key does not open under the ring.
    void requireOpens(const StoredSigningKey& row) const { openSealed(row); }
    // Seals all keys under the first key of the ring.
    void reseal(SigningKeyStore& store, Random& random) const;
    // Deletes the keys whose last token has expired.
    void removeSpent(SigningKeyStore& store, Timestamp now) const;

    // The newest key that is active. reload() must have succeeded.
    std::shared_ptr<const crypto::SigningKey> current(Timestamp now) const;
    // Among those whose tokens may still be valid.
    std::shared_ptr<const crypto::SigningKey> find(std::string_view keyId, Timestamp now) const;
    // All of them, in their order.
    std::vector<ListedKey> list(Timestamp now) const;
    // {"keys":[...]} of RFC 7517: the next, the current and the still valid former keys; then those of `others`.
    std::string jwks(Timestamp now, const SigningKeys* others = nullptr) const;

private:
    struct Entry {
        std::int64_t sequence;
        Timestamp activeFrom;
        std::shared_ptr<const crypto::SigningKey> key;
    };
    using Entries = std::vector<Entry>;
    std::shared_ptr<const Entries> snapshot() const;
    // How many of the oldest keys no valid token can come from.
    std::size_t countSpent(const Entries& entries, Timestamp now) const;
    std::string jwkList(Timestamp now) const;
    std::string openSealed(const StoredSigningKey& row) const;
    StoredSigningKey makeKey(std::int64_t sequence, Timestamp now, Timestamp activeFrom, Random& random) const;

    const crypto::KeyRing& ring_;
    std::chrono::seconds tokenLifetime_;
    crypto::SigningAlgorithm algorithm_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Entries> entries_;
    std::vector<std::string> unopened_;
};

}  // namespace otpgate::domain
