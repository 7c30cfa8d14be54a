#include "store/outbox_store.h"

#include "otpgate/base/text.h"
#include "store/group_queue.h"
#include "store/outbox_rows.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace otpgate::store {

namespace {

// So long the end of a message waits for others to go with: mostly for the guess at the code that was mailed.
constexpr std::chrono::milliseconds kPatience{2};

// Of many that saw the same lease, one renews it.
const db::LookUp kHeld("SELECT o.id FROM outbox o WHERE", "o.id = ? AND o.available_at_us = ?", db::Locking::Wait);
const auto kRenew = db::RowStatement::update("outbox", {"available_at_us"}, "id");

// Within a transaction that has the rows. Ids beyond their number repeat the last one: few texts of statements.
void lease(db::Connection& connection, std::span<const domain::OutboxMessage> messages, Timestamp leaseUntil) {
    std::size_t places = 1;
    while (places < messages.size()) places *= 2;
    std::vector<db::Param> params{leaseUntil};
    params.reserve(places + 1);
    for (std::size_t i = 0; i < places; ++i) params.emplace_back(messages[std::min(i, messages.size() - 1)].id);
    connection.execute("UPDATE outbox SET available_at_us = ?, leased = 1 WHERE id IN (" + repeated("?", places) + ")",
                       db::Connection::Params{params});
}

}  // namespace

std::vector<domain::OutboxMessage> OutboxTable::claimAvailable(domain::Channel channel, Timestamp now,
                                                               Timestamp leaseUntil, unsigned limit) {
    // Most looks find nothing, and this locks nothing.
    const auto any = connection_.queryOne("SELECT id FROM outbox WHERE channel = ? AND available_at_us <= ? LIMIT 1",
                                          {domain::toString(channel), now});
    if (!any || limit == 0) return {};
    std::vector<domain::OutboxMessage> claimed;
    try {
        connection_.transact([&] { claimed = takeAvailable(channel, now, leaseUntil, limit); });
        return claimed;
    } catch (const db::DbError& error) {
        if (!error.mayBeCommitted()) throw;
    }
    // Where the lease was taken nevertheless, it is ours, and for as long as it lasts nobody else would send them.
    const std::set<Uuid> held = heldOf(claimed);
    std::erase_if(claimed, [&](const auto& message) { return !held.contains(message.id); });
    return claimed;
}

// Those that have the lease that they say, locked where it is in a transaction.
std::set<Uuid> OutboxTable::heldOf(std::span<const domain::OutboxMessage> messages) {
    std::map<Uuid, Timestamp> leases;
    for (const domain::OutboxMessage& message : messages) leases.emplace(message.id, message.availableAt);
    db::KeyedLookUp asked{kHeld, {}};
    for (const auto& [id, until] : leases) asked.values.insert(asked.values.end(), {id, until});
    const auto rows = connection_.lookUp({std::move(asked)});
    std::set<Uuid> held;
    for (const db::Row& row : rows.front()) held.insert(row.uuid(0));
    return held;
}

std::vector<domain::OutboxMessage> OutboxTable::takeAvailable(domain::Channel channel, Timestamp now,
                                                              Timestamp leaseUntil, unsigned limit) {
    static const std::string kSelect = "SELECT " + std::string{kMessageColumns} +
                                       " FROM outbox WHERE channel = ? AND available_at_us <= ?"
                                       " ORDER BY available_at_us LIMIT ?";
    // SQLite's transaction has the table for itself from its beginning.
    static const std::string kSelectLocking = kSelect + " FOR UPDATE SKIP LOCKED";
    const bool isLocking = connection_.engine() == db::Engine::Mysql;
    std::vector<domain::OutboxMessage> claimed;
    for (const db::Row& row :
         connection_.query(isLocking ? kSelectLocking : kSelect, {domain::toString(channel), now, limit})) {
        claimed.push_back(messageOf(row));
        claimed.back().availableAt = leaseUntil;
    }
    if (!claimed.empty()) lease(connection_, claimed, leaseUntil);
    return claimed;
}

std::vector<bool> OutboxTable::renewLeases(std::span<domain::OutboxMessage> messages, Timestamp leaseUntil) {
    std::set<Uuid> ours;
    connection_.transact([&] {
        ours = heldOf(messages);
        for (const Uuid& id : ours) connection_.write(kRenew, {leaseUntil, id});
    });
    std::vector<bool> isRenewed;
    isRenewed.reserve(messages.size());
    for (domain::OutboxMessage& message : messages) {
        isRenewed.push_back(ours.contains(message.id));
        if (isRenewed.back()) message.availableAt = leaseUntil;
    }
    return isRenewed;
}

std::vector<domain::CodeState> OutboxTable::codeStates(std::span<const domain::OutboxMessage> messages, Timestamp now) {
    return readCodeStates(connection_, messages, now);
}

void OutboxTable::finish(std::span<const domain::FinishedMessage> messages, Timestamp now) {
    std::vector<domain::FinishedMessage> delivered;
    std::vector<domain::FinishedMessage> dead;
    for (const auto& finished : messages) {
        (finished.end == domain::MessageEnd::GivenUp ? dead : delivered).push_back(finished);
    }
    if (!delivered.empty()) make(DeliveredMessages{delivered, now}, connection_, groups_, kPatience);
    if (dead.empty()) return;
    connection_.transact([&] {
        for (const auto& finished : dead) bury(finished, now);
    });
}

void OutboxTable::bury(const domain::FinishedMessage& finished, Timestamp now) {
    const domain::OutboxMessage& message = finished.message;
    const auto changed = connection_.execute(
        "UPDATE outbox SET dead_at_us = ?, available_at_us = ?, leased = 0, attempts = ?, last_error = ?"
        " WHERE id = ? AND available_at_us = ?",
        {now, domain::kNever, message.attempts, plainReason(finished.reason), message.id, message.availableAt});
    if (changed > 0) auditFinished(connection_, finished, now);
}

void OutboxTable::postpone(std::span<const domain::PostponedMessage> messages) {
    if (messages.size() == 1) {
        postponeOne(messages.front());
        return;
    }
    connection_.transact([&] {
        for (const auto& postponed : messages) postponeOne(postponed);
    });
}

void OutboxTable::postponeOne(const domain::PostponedMessage& postponed) {
    const domain::OutboxMessage& message = postponed.message;
    connection_.execute(
        "UPDATE outbox SET attempts = ?, available_at_us = ?, leased = 0, last_error = ?"
        " WHERE id = ? AND available_at_us = ?",
        {message.attempts, postponed.until, plainReason(postponed.reason), message.id, message.availableAt});
}

}  // namespace otpgate::store
