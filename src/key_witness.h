// Tells the other processes which master keys this one knows, from its first note until it ends.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

#include <memory>

namespace otpgate {

class KeyWitness {
public:
    // What it is given outlives it.
    KeyWitness(db::Connection& connection, const crypto::KeyRing& ring, const Clock& clock, Random& random);
    ~KeyWitness();
    KeyWitness(const KeyWitness&) = delete;
    KeyWitness& operator=(const KeyWitness&) = delete;

    // To be called every minute. Throws ServiceUnavailable.
    void note();

private:
    std::unique_ptr<domain::KeyHolderStore> store_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    const Uuid id_;
};

// Throws ServiceUnavailable where another process lacks the key that this one makes codes and tokens with.
void requireKnownKey(db::Connection& connection, const crypto::KeyRing& ring, Timestamp now);

}  // namespace otpgate
