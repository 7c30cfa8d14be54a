// What the housekeeper needs to delete what nobody needs any more. Throws ServiceUnavailable when the database does not
// answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <cstdint>

namespace otpgate::domain {

class RetentionStore {
public:
    virtual ~RetentionStore() = default;
    struct Bounds {
        Timestamp now;
        Timestamp otpRequestsBefore;
        Timestamp sessionsBefore;
        Timestamp devicesBefore;
        Timestamp auditBefore;
        Timestamp deadLettersBefore;
    };
    // Deletes at most `batch` rows a table; returns how many went. Small batches, so no login waits for it.
    virtual std::uint64_t purge(const Bounds& bounds, unsigned batch) = 0;
};

}  // namespace otpgate::domain
