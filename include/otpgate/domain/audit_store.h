// Reading the audit trail, for those who may. Writing is each store's own, in the transaction of what the event tells.
// One object a thread; throws ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace otpgate::domain {

struct AuditEntry {
    Uuid id;
    std::string event;  // as it is stored: a newer otpgate may have written one that this one does not know
    std::optional<Uuid> userId;
    std::optional<std::string> destination;
    std::optional<std::string> ipAddress;
    std::optional<std::string> userAgent;
    std::optional<std::string> requestId;
    std::string metadata;  // one JSON object
    Timestamp createdAt;
};

// Whose events: those of the user, and those about one of the addresses that belong to no user. The latter from a time
// on: before it the address may have been somebody else's.
struct AuditScope {
    Uuid userId;
    std::vector<std::string> addresses;
    Timestamp addressesSince{};
};

struct AuditFilter {
    std::optional<AuditScope> scope;  // nullopt: everyone's
    std::optional<AuditEvent> event;
    std::optional<std::string> destination;
    std::optional<Timestamp> since;
    std::optional<Timestamp> before;  // exclusive
};

// What the user may read: the own trail, an admin all. An address counts once it is verified; what was written for
// another account stays with that account, whatever address it was about.
std::optional<AuditScope> auditScopeOf(const User& user);
// The own trail, an administrator's as well.
AuditScope ownAuditScope(const User& user);

class AuditStore {
public:
    virtual ~AuditStore() = default;
    // The newest first, after `offset` of them; times to the millisecond of their ids.
    virtual std::vector<AuditEntry> page(const AuditFilter& filter, unsigned offset, unsigned limit) = 0;
    // Those before `olderThan` (nullopt: from the newest on), the newest first: how to walk through all of them.
    virtual std::vector<AuditEntry> next(const AuditFilter& filter, const std::optional<Uuid>& olderThan,
                                         unsigned limit) = 0;
    // How many there are, but never more than `most`: it stops counting there.
    virtual std::uint64_t count(const AuditFilter& filter, unsigned most) = 0;
};

}  // namespace otpgate::domain
