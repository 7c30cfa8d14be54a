// Which tickets have been used; see site_sessions.h. One object a thread; throws ServiceUnavailable when the database
// does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"

namespace otpgate::domain {

class TicketStore {
public:
    virtual ~TicketStore() = default;
    // True for exactly one of all who use this ticket, over all processes. Forgotten some time after `expiresAt`, when
    // no host takes the ticket any more, however far its clock is behind.
    virtual bool use(const Uuid& ticket, Timestamp expiresAt) = 0;
};

}  // namespace otpgate::domain
