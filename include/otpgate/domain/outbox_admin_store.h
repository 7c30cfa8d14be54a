// What an administrator needs of the table outbox, beside the couriers that work on it. Each function is one atomic
// step; throws ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/domain/outbox_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class OutboxState {
    Waiting,
    Leased,  // in the hands of a courier
    Dead
};
std::string_view toString(OutboxState state);  // "waiting"

struct OutboxEntry {
    OutboxMessage message;
    OutboxState state = OutboxState::Waiting;
    std::string lastError;
    std::optional<Timestamp> diedAt;
};

// How full the outbox is.
struct OutboxLevels {
    std::int64_t waiting = 0;         // to be sent, or being sent
    std::int64_t dead = 0;            // given up and kept
    std::optional<Timestamp> oldest;  // since when the longest of those has been waiting
};

// Why the message must not be sent now; nullopt: it may. Never one that has expired, nor one whose code is void.
std::optional<std::string> reasonNotToSend(const OutboxEntry& entry, CodeState code, Timestamp now);
// What else may come between: somebody took or ended the message a moment ago.
inline constexpr std::string_view kMessageHasChanged = "has changed at this moment; try again";
inline constexpr std::string_view kMessageIsBeingSent =
    "is being sent; try again when that has come to an end, in a minute or so";

// Who lets a message be sent again.
struct SendingAgain {
    Uuid auditId;
    Client client;
    Timestamp now;
};

class OutboxAdminStore {
public:
    virtual ~OutboxAdminStore() = default;
    enum class Which { All, Dead };
    // At most `limit`, oldest first, behind the id `last`.
    virtual std::vector<OutboxEntry> list(Which which, const Uuid& last, unsigned limit, Timestamp now) = 0;
    virtual std::optional<OutboxEntry> find(const Uuid& id, Timestamp now) = 0;
    // Of the code in the message.
    virtual CodeState codeState(const OutboxMessage& message, Timestamp now) = 0;
    // Makes the message available now, which the trail tells. False: it is another than it was when it was read.
    virtual bool retry(const OutboxEntry& entry, const SendingAgain& again) = 0;
    // Removes the message; one that was alive gets its audit event, with this reason. False as above.
    virtual bool remove(const OutboxEntry& entry, std::string_view reason, const Uuid& auditId, Timestamp now) = 0;
    virtual OutboxLevels levels() = 0;
};

}  // namespace otpgate::domain
