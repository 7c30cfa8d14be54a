#include "store/outbox_rows.h"

namespace otpgate::store {

void insertMessage(db::Connection& connection, const domain::OutboxMessage& message) {
    connection.execute(
        "INSERT INTO outbox (id, kind, otp_id, channel, purpose, destination, locale, request_id, created_at_us,"
        " expires_at_us, available_at_us, code_length, code_alphabet, discard, ip_address, device, changed_address)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {message.id, domain::toString(message.kind), message.otpId, domain::toString(message.destination.channel()),
         domain::toString(message.purpose), message.destination.value(), message.locale, message.requestId,
         message.createdAt, message.expiresAt, message.availableAt, message.codeLength,
         domain::toString(message.codeAlphabet), message.isDiscarded ? 1 : 0, message.notice.ipAddress,
         message.notice.device, message.notice.changedAddress});
}

}  // namespace otpgate::store
