// What SigningKeys needs of the table signing_keys. Throws ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <cstdint>
#include <string>
#include <vector>

namespace otpgate::domain {

struct StoredSigningKey {
    std::int64_t sequence = 0;  // 1, 2, 3: unique, so that two processes never add the same one
    std::string keyId;
    std::string sealedPem;
    Timestamp createdAt;
    Timestamp activeFrom;  // signs from then on; published at once
};

class SigningKeyStore {
public:
    virtual ~SigningKeyStore() = default;
    virtual std::vector<StoredSigningKey> list() = 0;   // by sequence
    virtual bool add(const StoredSigningKey& key) = 0;  // false: the sequence is taken
    virtual void reseal(std::int64_t sequence, const std::string& sealedPem) = 0;
    virtual void removeUpTo(std::int64_t sequence) = 0;
};

}  // namespace otpgate::domain
