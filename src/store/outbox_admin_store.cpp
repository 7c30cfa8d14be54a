#include "store/outbox_admin_store.h"

#include "store/audit_events.h"
#include "store/outbox_rows.h"

namespace otpgate::store {

using domain::OutboxEntry;
using domain::OutboxState;

const std::string& selectEntries() {
    static const std::string kSelect =
        "SELECT " + std::string{kMessageColumns} + ", leased, last_error, dead_at_us FROM outbox WHERE ";
    return kSelect;
}

OutboxEntry entryOf(const db::Row& row, Timestamp now) {
    OutboxEntry entry{.message = messageOf(row),
                      .state = OutboxState::Waiting,
                      .lastError = row.optionalText(kMessageColumnCount + 1).value_or(""),
                      .diedAt = row.optionalTimestamp(kMessageColumnCount + 2)};
    const bool isLeased = row.integer(kMessageColumnCount) != 0 && entry.message.availableAt > now;
    if (entry.diedAt)
        entry.state = OutboxState::Dead;
    else if (isLeased)
        entry.state = OutboxState::Leased;
    return entry;
}

std::vector<OutboxEntry> OutboxAdminTable::list(Which which, const Uuid& last, unsigned limit, Timestamp now) {
    const std::string condition = which == Which::Dead ? "id > ? AND dead_at_us IS NOT NULL" : "id > ?";
    std::vector<OutboxEntry> entries;
    for (const db::Row& row : connection_.query(selectEntries() + condition + " ORDER BY id LIMIT ?", {last, limit})) {
        entries.push_back(entryOf(row, now));
    }
    return entries;
}

std::optional<OutboxEntry> OutboxAdminTable::find(const Uuid& id, Timestamp now) {
    const auto row = connection_.queryOne(selectEntries() + "id = ?", {id});
    return row ? std::optional{entryOf(*row, now)} : std::nullopt;
}

domain::CodeState OutboxAdminTable::codeState(const domain::OutboxMessage& message, Timestamp now) {
    return readCodeStates(connection_, {&message, 1}, now).front();
}

bool OutboxAdminTable::retry(const OutboxEntry& entry, const domain::SendingAgain& again) {
    return connection_.transact([&] {
        const auto changed = connection_.execute(
            "UPDATE outbox SET available_at_us = ?, leased = 0, dead_at_us = NULL"
            " WHERE id = ? AND available_at_us = ?",
            {again.now, entry.message.id, entry.message.availableAt});
        if (changed == 0) return false;
        insertAuditEvent(connection_, {again.auditId, domain::AuditEvent::MessageSentAgain, std::nullopt,
                                       entry.message.destination.value(), again.client, again.now});
        return true;
    });
}

bool OutboxAdminTable::remove(const OutboxEntry& entry, std::string_view reason, const Uuid& auditId, Timestamp now) {
    const domain::FinishedMessage finished{entry.message, domain::MessageEnd::GivenUp, std::string{reason}, auditId};
    return connection_.transact([&] {
        const auto removed = connection_.execute("DELETE FROM outbox WHERE id = ? AND available_at_us = ?",
                                                 {entry.message.id, entry.message.availableAt});
        // A dead one has its event already.
        if (removed > 0 && entry.state != OutboxState::Dead) auditFinished(connection_, finished, now);
        return removed > 0;
    });
}

}  // namespace otpgate::store
