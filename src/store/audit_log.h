// The table audit_events, as its readers see it. Ids are UUIDv7, so the order of the ids is the order of the events and
// a time is a bound of the primary key.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/audit_store.h"

namespace otpgate::store {

class AuditLog final : public domain::AuditStore {
public:
    explicit AuditLog(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::AuditEntry> page(const domain::AuditFilter& filter, unsigned offset, unsigned limit) override;
    std::vector<domain::AuditEntry> next(const domain::AuditFilter& filter, const std::optional<Uuid>& olderThan,
                                         unsigned limit) override;
    std::uint64_t count(const domain::AuditFilter& filter, unsigned most) override;

private:
    std::vector<domain::AuditEntry> read(const domain::AuditFilter& filter, const std::optional<Uuid>& olderThan,
                                         unsigned offset, unsigned limit);
    db::Connection& connection_;
};

}  // namespace otpgate::store
