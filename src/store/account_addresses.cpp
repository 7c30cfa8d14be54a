// A user gets another address: the code that proves it is counted, consumed and put to use in one transaction, so that
// none is spent for nothing.
#include "store/account_store.h"
#include "store/audit_events.h"
#include "store/group_calls.h"
#include "store/notices.h"
#include "store/otp_requests.h"
#include "store/outbox_rows.h"
#include "store/session_store.h"
#include "store/users.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::Channel;
using domain::Destination;
using domain::User;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

namespace {

// Codes and receipts of every purpose: whoever reads the old mailbox gets no further with them.
void voidWhatWasSentTo(db::Connection& connection, const std::string& address, Timestamp now) {
    connection.execute(
        "UPDATE otp_requests SET redeemed_at_us = ?,"
        " expires_at_us = CASE WHEN expires_at_us > ? THEN ? ELSE expires_at_us END"
        " WHERE destination = ? AND redeemed_at_us IS NULL",
        {now, now, now, address});
}

// False: another account has it. A duplicate key ends the statement, not the transaction, on both engines.
bool giveAddress(db::Connection& connection, const Uuid& userId, const Destination& address) {
    const char* const sql = address.channel() == Channel::Email
                                ? "UPDATE users SET email = ?, email_verified = 1 WHERE id = ?"
                                : "UPDATE users SET phone_number = ?, phone_verified = 1 WHERE id = ?";
    try {
        connection.execute(sql, {address.value(), userId});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return false;
    }
}

std::string oldAddressJson(const std::optional<Destination>& old) {
    // Of a mask's characters neither needs to be escaped.
    return old ? R"({"old":")" + old->masked() + R"("})" : R"({"old":null})";
}

// The change of an address, however it was proved; `before` is locked.
struct Replacement {
    const User& before;
    const Destination& address;
    std::optional<Uuid> keptSession;
    Timestamp now;
    const Uuid& auditId;
    const domain::Client& client;
    const std::optional<domain::NoticeDraft>& notice;
    const Uuid& secondNoticeId;
};

std::vector<domain::OutboxMessage> writeChangeNotices(db::Connection& connection, const Replacement& change) {
    std::vector<domain::OutboxMessage> messages;
    if (!change.notice) return messages;
    domain::NoticeDraft draft = *change.notice;
    draft.facts.changedAddress = change.address.masked();
    for (const Destination& recipient : domain::changeRecipients(change.before, change.address, draft.bySms)) {
        if (auto message = writeNotice(connection, draft, change.before, recipient)) {
            messages.push_back(std::move(*message));
        }
        draft.id = change.secondNoticeId;
    }
    return messages;
}

// nullopt: another account has the address. Nobody is told of an address that was there already.
std::optional<std::vector<domain::OutboxMessage>> replaceAddress(db::Connection& connection,
                                                                 const Replacement& change) {
    const Uuid& userId = change.before.id;
    if (!giveAddress(connection, userId, change.address)) return std::nullopt;
    const auto old = domain::addressOf(change.before, change.address.channel());
    if (old == change.address) return std::vector<domain::OutboxMessage>{};
    if (old) {
        voidWhatWasSentTo(connection, old->value(), change.now);
        endSessions(connection, userId, change.keptSession, "address_changed", change.now);
    }
    insertAuditEvent(connection, {change.auditId, AuditEvent::AddressChanged, userId, change.address.value(),
                                  change.client, change.now, oldAddressJson(old)});
    return writeChangeNotices(connection, change);
}

}  // namespace

domain::AddressChangeResult AccountTable::changeAddress(const domain::AddressChange& change) {
    const auto work = [&] {
        domain::AddressChangeResult result;
        result.code = makeCall(connection_, change.guess);
        if (result.code.outcome == VerifyOutcome::Verified) setAddress(change, result);
        return result;
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

void AccountTable::setAddress(const domain::AddressChange& change, domain::AddressChangeResult& result) {
    const Uuid& userId = change.guess.ownerId.value();
    const Timestamp now = change.guess.now;
    const Destination& address = *result.code.destination;
    const auto before = lockUser(connection_, userId);
    if (!before || before->status != domain::UserStatus::Active) {
        result.code.outcome = VerifyOutcome::AccountDisabled;
        return;
    }
    auto notices = replaceAddress(connection_, {.before = *before,
                                                .address = address,
                                                .keptSession = change.keptSession,
                                                .now = now,
                                                .auditId = change.auditId,
                                                .client = change.guess.client,
                                                .notice = change.notice,
                                                .secondNoticeId = change.secondNoticeId});
    result.isTaken = !notices;
    if (!notices) return;
    result.user = findUser(connection_, userId);
    result.notices = std::move(*notices);
}

domain::AddressAssigned AccountTable::assignAddress(const domain::AddressAssignment& assignment) {
    using Outcome = domain::AddressAssigned::Outcome;
    const auto work = [&]() -> domain::AddressAssigned {
        const auto before = lockUser(connection_, assignment.userId);
        if (!before) return {Outcome::NoSuchUser, {}};
        auto notices = replaceAddress(connection_, {.before = *before,
                                                    .address = assignment.address,
                                                    .keptSession = std::nullopt,
                                                    .now = assignment.now,
                                                    .auditId = assignment.auditId,
                                                    .client = assignment.client,
                                                    .notice = assignment.notice,
                                                    .secondNoticeId = assignment.secondNoticeId});
        if (!notices) return {Outcome::Taken, {}};
        return {Outcome::Done, std::move(*notices)};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

}  // namespace otpgate::store
