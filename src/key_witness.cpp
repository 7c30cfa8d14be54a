#include "key_witness.h"

#include "otpgate/base/errors.h"
#include "otpgate/domain/key_holders.h"
#include "otpgate/store/stores.h"

#include <array>
#include <unistd.h>

namespace otpgate {

namespace {

std::string hostName() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

}  // namespace

KeyWitness::KeyWitness(db::Connection& connection, const crypto::KeyRing& ring, const Clock& clock, Random& random)
    : store_(store::makeKeyHolderStore(connection)),
      ring_(ring),
      clock_(clock),
      id_(Uuid::makeV7(clock.now(), random)) {}

KeyWitness::~KeyWitness() {
    try {
        store_->forget(id_);
    } catch (const ServiceUnavailable&) {
        // It counts as gone a few minutes later.
    }
}

void KeyWitness::note() {
    const Timestamp now = clock_.now();
    store_->note({id_, hostName(), ring_.fingerprints(), now}, now - domain::kHolderIsGoneAfter);
}

void requireKnownKey(db::Connection& connection, const crypto::KeyRing& ring, Timestamp now) {
    const auto holders = store::makeKeyHolderStore(connection)->list();
    const auto lacking = domain::whoLacks(ring.fingerprints().front(), holders, now);
    if (lacking.empty()) return;
    throw ServiceUnavailable("otpgate on " + lacking.front() +
                             " does not know the master key that this host uses: copy the key file there and restart");
}

}  // namespace otpgate
