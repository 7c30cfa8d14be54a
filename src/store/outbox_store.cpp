#include "store/outbox_store.h"

#include "store/words.h"

#include <array>
#include <stdexcept>
#include <string>

namespace otpgate::store {

namespace {

constexpr std::size_t kReasonBytes = 200;

std::string repeated(std::string_view first, std::string_view next, std::size_t count) {
    std::string text{first};
    for (std::size_t i = 1; i < count; ++i) text += next;
    return text;
}

// A batch is written in statements of these sizes, so that their texts, and with them the prepared statements, stay
// few.
constexpr std::array<std::size_t, 3> kChunks{32, 8, 1};

std::uint64_t removeChunk(db::Connection& connection, std::span<const domain::FinishedMessage> messages) {
    std::vector<db::Param> params;
    params.reserve(messages.size());
    for (const auto& finished : messages) params.emplace_back(finished.message.id);
    return connection.execute("DELETE FROM outbox WHERE id IN (" + repeated("?", ", ?", messages.size()) + ")",
                              db::Connection::Params{params});
}

void auditChunk(db::Connection& connection, std::span<const domain::FinishedMessage> messages,
                std::span<const std::string> metadata, Timestamp now) {
    std::vector<db::Param> params;
    params.reserve(messages.size() * 6);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const domain::OutboxMessage& message = messages[i].message;
        params.emplace_back(messages[i].auditId);
        params.emplace_back(domain::toString(messages[i].event));
        params.emplace_back(message.destination.value());
        params.emplace_back(message.requestId);
        if (metadata[i].empty())
            params.emplace_back(std::nullopt);
        else
            params.emplace_back(metadata[i]);
        params.emplace_back(now);
    }
    connection.execute(
        "INSERT INTO audit_events (id, event, destination, request_id, metadata, created_at_us) VALUES " +
            repeated("(?, ?, ?, ?, ?, ?)", ", (?, ?, ?, ?, ?, ?)", messages.size()),
        db::Connection::Params{params});
}

// Printable ASCII: half a character at the cut would be refused by MySQL, and the row would not be postponed.
std::string plainReason(std::string_view reason) {
    std::string plain{reason.substr(0, kReasonBytes)};
    for (char& c : plain) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = ' ';
    }
    return plain;
}

// {"reason":"..."}; a reason is our own sentence, so only what JSON forbids has to be replaced.
std::string reasonJson(std::string_view reason) {
    if (reason.empty()) return {};
    std::string json = "{\"reason\":\"";
    for (const char c : plainReason(reason)) json += c == '"' || c == '\\' ? '\'' : c;
    return json + "\"}";
}

}  // namespace

std::vector<domain::OutboxMessage> OutboxTable::claimAvailable(Timestamp now, Timestamp leaseUntil, unsigned limit) {
    const auto rows = connection_.query(
        "SELECT id, otp_id, channel, purpose, destination, locale, request_id, attempts,"
        " expires_at_us, available_at_us, code_length, discard, code_alphabet, kind, ip_address, device,"
        " changed_address, created_at_us FROM outbox WHERE available_at_us <= ?"
        " ORDER BY available_at_us LIMIT ?",
        {now, limit});
    std::vector<domain::OutboxMessage> claimed;
    for (const db::Row& row : rows) {
        domain::OutboxMessage message{
            .id = row.uuid(0),
            .kind = parseMessageKind(row.text(13)),
            .otpId = row.uuid(1),
            .purpose = parsePurpose(row.text(3)),
            .destination = domain::Destination::fromStored(parseChannel(row.text(2)), row.text(4)),
            .locale = row.text(5),
            .requestId = row.text(6),
            .codeLength = static_cast<unsigned>(row.integer(10)),
            .codeAlphabet = parseCodeAlphabet(row.text(12)),
            .isDiscarded = row.integer(11) != 0,
            .attempts = static_cast<unsigned>(row.integer(7)),
            .notice = {.ipAddress = row.text(14), .device = row.text(15), .changedAddress = row.text(16)},
            .createdAt = row.timestamp(17),
            .expiresAt = row.timestamp(8),
            .availableAt = row.timestamp(9)};
        if (renewLease(message, leaseUntil)) claimed.push_back(std::move(message));
    }
    return claimed;
}

bool OutboxTable::renewLease(domain::OutboxMessage& message, Timestamp leaseUntil) {
    // Of many that saw the same availability, one changes it.
    const auto changed =
        connection_.execute("UPDATE outbox SET available_at_us = ? WHERE id = ? AND available_at_us = ?",
                            {leaseUntil, message.id, message.availableAt});
    if (changed == 0) return false;
    message.availableAt = leaseUntil;
    return true;
}

void OutboxTable::finish(std::span<const domain::FinishedMessage> messages, Timestamp now) {
    std::vector<std::string> metadata;
    metadata.reserve(messages.size());
    for (const auto& finished : messages) metadata.push_back(reasonJson(finished.reason));
    connection_.transact([&] {
        for (std::size_t done = 0; done < messages.size();) {
            std::size_t size = 1;
            for (const std::size_t chunk : kChunks) {
                if (chunk <= messages.size() - done) {
                    size = chunk;
                    break;
                }
            }
            // A row that is gone was finished before, by a commit whose answer was lost or by another process: it has
            // its audit event. Which of many it is shows when the caller finishes them one by one.
            const auto removed = removeChunk(connection_, messages.subspan(done, size));
            if (removed < size && size > 1) throw std::runtime_error("some of the messages are finished already");
            if (removed == size)
                auditChunk(connection_, messages.subspan(done, size), std::span{metadata}.subspan(done, size), now);
            done += size;
        }
    });
}

void OutboxTable::postpone(const domain::OutboxMessage& message, Timestamp availableAt, std::string_view reason) {
    connection_.execute("UPDATE outbox SET attempts = attempts + 1, available_at_us = ?, last_error = ? WHERE id = ?",
                        {availableAt, plainReason(reason), message.id});
}

}  // namespace otpgate::store
