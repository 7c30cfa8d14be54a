// A user gets another address: the code that proves it is counted, consumed and put to use in one transaction, so that
// none is spent for nothing.
#include "store/account_store.h"
#include "store/audit_events.h"
#include "store/notices.h"
#include "store/otp_requests.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"
#include "store/session_store.h"
#include "store/users.h"
#include "store/words.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::Channel;
using domain::Destination;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

namespace {

struct ChangeCode {
    Destination destination;
    std::string guessBucket;
    unsigned attemptsLeft = 0;
    VerifyOutcome whyNot = VerifyOutcome::Unknown;  // where it cannot be tried any more
};

std::optional<ChangeCode> findChangeCode(db::Connection& connection, const domain::AddressChange& change) {
    const auto row = connection.queryOne(
        "SELECT channel, destination, guess_bucket, attempts, max_attempts, expires_at_us, consumed_at_us"
        " FROM otp_requests WHERE id = ? AND purpose = 'change' AND lane = ?",
        {change.otpId, change.userId});
    if (!row) return std::nullopt;
    ChangeCode code{Destination::fromStored(parseChannel(row->text(0)), row->text(1)), row->text(2),
                    static_cast<unsigned>(row->integer(4) - row->integer(3)), VerifyOutcome::AttemptsExhausted};
    if (!row->isNull(6))
        code.whyNot = VerifyOutcome::Used;
    else if (row->timestamp(5) <= change.now)
        code.whyNot = VerifyOutcome::Expired;
    return code;
}

// Whether there was a try left; it is gone then, and the row is ours until the transaction ends.
bool countTry(db::Connection& connection, const domain::AddressChange& change) {
    return connection.execute(
               "UPDATE otp_requests SET attempts = attempts + 1 WHERE id = ? AND purpose = 'change' AND lane = ?"
               " AND consumed_at_us IS NULL AND expires_at_us > ? AND attempts < max_attempts",
               {change.otpId, change.userId, change.now}) > 0;
}

// Codes and receipts of every purpose: whoever reads the old mailbox gets no further with them.
void voidWhatWasSentTo(db::Connection& connection, const std::string& address, Timestamp now) {
    connection.execute(
        "UPDATE otp_requests SET redeemed_at_us = ?,"
        " expires_at_us = CASE WHEN expires_at_us > ? THEN ? ELSE expires_at_us END"
        " WHERE destination = ? AND redeemed_at_us IS NULL",
        {now, now, now, address});
}

enum class Taking { Done, Taken, Outrun };

// Where the user's address of this channel is still `old`.
Taking takeAddress(db::Connection& connection, const domain::AddressChange& change, const Destination& address,
                   const std::optional<Destination>& old) {
    const char* const sql = address.channel() == Channel::Email
                                ? "UPDATE users SET email = ?, email_verified = 1"
                                  " WHERE id = ? AND status = 'active' AND COALESCE(email, '') = ?"
                                : "UPDATE users SET phone_number = ?, phone_verified = 1"
                                  " WHERE id = ? AND status = 'active' AND COALESCE(phone_number, '') = ?";
    const std::string before = old ? old->value() : "";
    try {
        return connection.execute(sql, {address.value(), change.userId, before}) > 0 ? Taking::Done : Taking::Outrun;
    } catch (const db::DbError& error) {
        // It ends the statement, not the transaction, on both engines.
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return Taking::Taken;
    }
}

std::string oldAddressJson(const std::optional<Destination>& old) {
    // Of a mask's characters neither needs to be escaped.
    return old ? R"({"old":")" + old->masked() + R"("})" : R"({"old":null})";
}

std::vector<domain::OutboxMessage> writeChangeNotices(db::Connection& connection, const domain::AddressChange& change,
                                                      const domain::User& before, const Destination& address) {
    std::vector<domain::OutboxMessage> messages;
    if (!change.notice) return messages;
    domain::NoticeDraft draft = *change.notice;
    draft.facts.changedAddress = address.masked();
    for (const Destination& recipient : domain::changeRecipients(before, address, draft.bySms)) {
        messages.push_back(domain::makeNotice(draft, recipient, before.locale));
        insertMessage(connection, messages.back());
        draft.id = change.secondNoticeId;
    }
    return messages;
}

}  // namespace

domain::AddressChangeResult AccountTable::changeAddress(const domain::AddressChange& change) {
    return connection_.transact([&] {
        domain::AddressChangeResult result;
        result.code = redeemChange(change);
        if (result.code.outcome == VerifyOutcome::Verified) setAddress(change, result);
        return result;
    });
}

domain::OtpVerifyResult AccountTable::redeemChange(const domain::AddressChange& change) {
    const bool hasTry = countTry(connection_, change);
    const auto code = findChangeCode(connection_, change);
    domain::OtpVerifyResult result;
    if (!code) return result;
    result.channel = code->destination.channel();
    result.purpose = domain::Purpose::Change;
    if (!hasTry) {
        result.outcome = code->whyNot;
        return result;
    }
    const auto audit = [&](AuditEvent event) {
        return AuditRow{change.auditIds[0], event, change.userId, code->destination.value(), change.client, change.now};
    };
    // A right guess is not counted, but a spent budget refuses it like any other: who has it learns nothing more.
    const bool isRight = change.guess == domain::Guess::Right;
    if (!change.guessRule.isUnlimited()) holdBucket(connection_, code->guessBucket, change.now);
    const auto budget = isRight ? &peekBucket : &takeFromBucket;
    auto answer = budget(connection_, code->guessBucket, change.guessRule, change.now);
    if (!answer.isAccepted) {
        // Not compared, so not an attempt either.
        connection_.execute("UPDATE otp_requests SET attempts = attempts - 1 WHERE id = ?", {change.otpId});
        auditRefusal(connection_, code->guessBucket, audit(AuditEvent::OtpLocked));
        result.outcome = VerifyOutcome::BudgetExhausted;
        result.hits = std::move(answer.hits);
        return result;
    }
    insertAuditEvent(connection_, audit(isRight ? AuditEvent::OtpVerified : AuditEvent::OtpFailed));
    if (!isRight) {
        result.outcome = VerifyOutcome::WrongCode;
        result.attemptsLeft = code->attemptsLeft;
        return result;
    }
    connection_.execute("UPDATE otp_requests SET consumed_at_us = ? WHERE id = ?", {change.now, change.otpId});
    result.outcome = VerifyOutcome::Verified;
    result.destination = code->destination;
    return result;
}

void AccountTable::setAddress(const domain::AddressChange& change, domain::AddressChangeResult& result) {
    const Destination& address = *result.code.destination;
    Taking taking = Taking::Outrun;
    std::optional<domain::User> before;
    // Another change of the same user may come between the two statements, but not for ever.
    while (taking == Taking::Outrun) {
        before = findUser(connection_, change.userId);
        if (!before || before->status != domain::UserStatus::Active) {
            result.code.outcome = VerifyOutcome::AccountDisabled;
            return;
        }
        const auto old = domain::addressOf(*before, address.channel());
        const bool isVerified = address.channel() == Channel::Email ? before->emailVerified : before->phoneVerified;
        if (old == address && isVerified) break;
        taking = takeAddress(connection_, change, address, old);
    }
    result.isTaken = taking == Taking::Taken;
    if (result.isTaken) return;
    result.user = findUser(connection_, change.userId);
    const auto old = domain::addressOf(*before, address.channel());
    if (old == address) return;

    if (old) {
        voidWhatWasSentTo(connection_, old->value(), change.now);
        endSessions(connection_, change.userId, change.keptSession, "address_changed", change.now);
    }
    insertAuditEvent(connection_, {change.auditIds[1], AuditEvent::AddressChanged, change.userId, address.value(),
                                   change.client, change.now, oldAddressJson(old)});
    result.notices = writeChangeNotices(connection_, change, *before, address);
}

}  // namespace otpgate::store
