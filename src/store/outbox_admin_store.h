// The table outbox, as an administrator sees it.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/outbox_admin_store.h"
#include "otpgate/store/outbox_levels.h"

namespace otpgate::store {

// `SELECT ... FROM outbox WHERE `, and what such a row says.
const std::string& selectEntries();
domain::OutboxEntry entryOf(const db::Row& row, Timestamp now);

class OutboxAdminTable final : public domain::OutboxAdminStore {
public:
    explicit OutboxAdminTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::OutboxEntry> list(Which which, const Uuid& last, unsigned limit, Timestamp now) override;
    std::optional<domain::OutboxEntry> find(const Uuid& id, Timestamp now) override;
    domain::CodeState codeState(const domain::OutboxMessage& message, Timestamp now) override;
    bool retry(const domain::OutboxEntry& entry, const domain::SendingAgain& again) override;
    bool remove(const domain::OutboxEntry& entry, std::string_view reason, const Uuid& auditId, Timestamp now) override;
    domain::OutboxLevels levels() override { return readOutboxLevels(connection_); }

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
