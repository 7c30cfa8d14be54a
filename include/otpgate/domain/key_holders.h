// Who knows which master keys. A key is used first by nobody before all know it: else what one host makes, another does
// not accept.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// A process, and KeyRing::fingerprints() of its key file.
struct KeyHolder {
    Uuid id;
    std::string host;
    std::vector<std::string> fingerprints;
    Timestamp seenAt;
};

// A process tells of itself every minute. One that was not seen for so long is gone.
inline constexpr std::chrono::minutes kHolderIsGoneAfter{3};

// Of those who are there: the hosts that lack the key, and those that make things with it. Each once.
std::vector<std::string> whoLacks(std::string_view fingerprint, std::span<const KeyHolder> holders, Timestamp now);
std::vector<std::string> whoUses(std::string_view fingerprint, std::span<const KeyHolder> holders, Timestamp now);

// The table key_holders. Throws ServiceUnavailable when the database does not answer.
class KeyHolderStore {
public:
    virtual ~KeyHolderStore() = default;
    virtual std::vector<KeyHolder> list() = 0;
    // Adds or renews the holder, and forgets whom nobody has seen since `goneSince`.
    virtual void note(const KeyHolder& holder, Timestamp goneSince) = 0;
    virtual void forget(const Uuid& id) = 0;
};

}  // namespace otpgate::domain
