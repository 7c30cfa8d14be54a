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
    struct Progress {
        std::uint64_t deleted = 0;
        bool isOver = false;  // it has seen all tables to their ends; the next call begins anew
    };
    // Looks at the next `batch` rows of each table and deletes those that are spent. Small batches, so no login waits
    // for it.
    virtual Progress purge(const Bounds& bounds, unsigned batch) = 0;
};

}  // namespace otpgate::domain
