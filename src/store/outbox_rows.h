// Rows of the table outbox: as transactions of several stores write them beside their own, and what those that read and
// end them share.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/outbox_store.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::store {

// Within the caller's transaction. The row is as it will be claimed, with `attempts` 0.
void insertMessage(db::Connection& connection, const domain::OutboxMessage& message);

// The columns of a message, for a SELECT, and the message of such a row.
inline constexpr std::string_view kMessageColumns =
    "id, otp_id, channel, purpose, destination, locale, request_id, attempts, expires_at_us, available_at_us,"
    " code_length, discard, code_alphabet, kind, ip_address, device, changed_address, created_at_us, time_zone,"
    " codes_left";
inline constexpr std::size_t kMessageColumnCount = 20;
domain::OutboxMessage messageOf(const db::Row& row);

// What an audit event tells of how the message ended: {"kind":"new_sign_in","reason":"..."}, of a code that was sent
// how long it had waited: {"delay_ms":"850"}. A reason is our own sentence, so only what JSON forbids is replaced.
std::optional<std::string> metadataOf(const domain::FinishedMessage& finished, Timestamp now);
// The delay in such metadata; nullopt: it tells none, as what older versions have written.
std::optional<std::chrono::milliseconds> delayIn(std::string_view metadata);
// How the message ended, as an audit event. Within the caller's transaction.
void auditFinished(db::Connection& connection, const domain::FinishedMessage& finished, Timestamp now);

// Printable ASCII, cut to the column's length: half a character at the cut would be refused by MySQL.
std::string plainReason(std::string_view reason);

// What became of the code in each message: by two look-ups, over a connection for groups in one round trip.
std::vector<domain::CodeState> readCodeStates(db::Connection& connection,
                                              std::span<const domain::OutboxMessage> messages, Timestamp now);

}  // namespace otpgate::store
