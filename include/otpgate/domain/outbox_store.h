// What the courier needs of the table outbox. Each function is one atomic step; throws ServiceUnavailable when the
// database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// When a dead letter is available.
inline constexpr Timestamp kNever = fromMicroseconds(std::numeric_limits<std::int64_t>::max());

enum class MessageEnd {
    Sent,
    GivenUp,   // refused for good, or out of time: it stays as a dead letter
    Discarded  // it stood for an account that does not exist, or its code is of no more use
};

// Whether the code in a message is still worth sending.
enum class CodeState {
    Good,
    Used,
    Voided,    // a newer one was asked for, or its account has changed or gone
    Exhausted  // no tries are left
};
std::string_view toString(CodeState state);  // "its code has been used"

// What the database knows of a code.
struct CodeFacts {
    std::optional<Timestamp> consumedAt;
    Timestamp expiresAt;
    bool hasTriesLeft = true;
};
// Without facts there is no such code (any more); but a code of the verification service is known only once it was
// tried. A notice, and what is discarded anyway, has none that matters.
CodeState codeStateOf(const OutboxMessage& message, const std::optional<CodeFacts>& facts, Timestamp now);

struct FinishedMessage {
    OutboxMessage message;
    MessageEnd end = MessageEnd::Sent;
    std::string reason;  // why it was not sent, without secrets; at most 200 bytes are kept
    Uuid auditId;
};
// How the audit trail names it.
AuditEvent eventOf(const FinishedMessage& finished);

// A message that rests after a failure, its own or its provider's; `message.attempts` counts what failed so far.
struct PostponedMessage {
    OutboxMessage message;
    Timestamp until;
    std::string reason;
};

class OutboxStore {
public:
    virtual ~OutboxStore() = default;
    // Takes up to `limit` messages of the channel that are available, the longest waiting first, and leases them until
    // `leaseUntil`. No message is taken twice, however many ask at a time; they may come back with less than there is.
    virtual std::vector<OutboxMessage> claimAvailable(Channel channel, Timestamp now, Timestamp leaseUntil,
                                                      unsigned limit) = 0;
    // Extends the leases of those that nobody else took meanwhile, and sets their availableAt. Of each: whether it did.
    virtual std::vector<bool> renewLeases(std::span<OutboxMessage> messages, Timestamp leaseUntil) = 0;
    // Of each message.
    virtual std::vector<CodeState> codeStates(std::span<const OutboxMessage> messages, Timestamp now) = 0;
    // Removes the rows, or makes dead letters of them, each together with its audit event; may be done again after an
    // error. Whom somebody else took meanwhile is not given up.
    virtual void finish(std::span<const FinishedMessage> messages, Timestamp now) = 0;
    // Lets the messages rest, but for those that somebody else took meanwhile.
    virtual void postpone(std::span<const PostponedMessage> messages) = 0;
};

}  // namespace otpgate::domain
