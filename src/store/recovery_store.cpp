#include "store/recovery_store.h"

#include "store/audit_events.h"
#include "store/factors.h"
#include "store/notices.h"
#include "store/rate_limits.h"
#include "store/users.h"

namespace otpgate::store {

std::vector<domain::StoredRecoveryCode> RecoveryTable::list(const Uuid& userId) {
    std::vector<domain::StoredRecoveryCode> codes;
    for (const db::Row& row :
         connection_.query("SELECT id, user_id, number, hash, confirmed, created_at_us, used_at_us FROM recovery_codes"
                           " WHERE user_id = ? ORDER BY number",
                           {userId})) {
        codes.push_back({.id = row.uuid(0),
                         .userId = row.uuid(1),
                         .number = static_cast<unsigned>(row.integer(2)),
                         .hash = row.text(3),
                         .isConfirmed = row.integer(4) != 0,
                         .createdAt = row.timestamp(5),
                         .usedAt = row.optionalTimestamp(6)});
    }
    return codes;
}

std::optional<std::string> RecoveryTable::takeTurn(const std::string& bucket, const domain::LimitRule& rule,
                                                   Timestamp now) {
    const auto work = [&]() -> std::optional<std::string> {
        Buckets buckets(connection_, {bucket});
        domain::Bucket& turns = buckets.at(bucket);
        if (!turns.take(rule, now)) return turns.hits();
        buckets.write(connection_);
        return std::nullopt;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

void RecoveryTable::propose(const Uuid& userId, const std::vector<domain::StoredRecoveryCode>& codes) {
    connection_.transact([&] {
        // Who is locked has one set made at a time.
        if (!lockUser(connection_, userId)) return false;
        connection_.execute("DELETE FROM recovery_codes WHERE user_id = ? AND confirmed = 0", {userId});
        for (const auto& code : codes) {
            connection_.execute(
                "INSERT INTO recovery_codes (id, user_id, number, hash, confirmed, created_at_us)"
                " VALUES (?, ?, ?, ?, 0, ?)",
                {code.id, userId, code.number, code.hash, code.createdAt});
        }
        return true;
    });
}

domain::ConfirmedRecovery RecoveryTable::confirm(const domain::RecoveryConfirmation& confirmation) {
    const Uuid& userId = confirmation.userId;
    const auto work = [&]() -> domain::ConfirmedRecovery {
        const auto user = lockUser(connection_, userId);
        const auto proposed =
            connection_.queryOne("SELECT number FROM recovery_codes WHERE id = ? AND user_id = ? AND confirmed = 0",
                                 {confirmation.codeId, userId});
        if (!user || !proposed) return {};
        connection_.execute("DELETE FROM recovery_codes WHERE user_id = ? AND confirmed = 1", {userId});
        connection_.execute("UPDATE recovery_codes SET confirmed = 1 WHERE user_id = ?", {userId});
        noteFactors(connection_, userId);
        insertAuditEvent(connection_, {confirmation.auditId, domain::AuditEvent::RecoveryCodesMade, userId,
                                       std::nullopt, confirmation.client, confirmation.now});
        return {true, writeNotice(connection_, confirmation.notice, *user)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

}  // namespace otpgate::store
