// What the courier needs of the table outbox. Each function is one atomic step; throws ServiceUnavailable when the
// database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct FinishedMessage {
    OutboxMessage message;
    AuditEvent event = AuditEvent::OtpSent;  // or OtpSendFailed
    std::string reason;                      // why it failed, without secrets; at most 200 bytes are kept
    Uuid auditId;
};

class OutboxStore {
public:
    virtual ~OutboxStore() = default;
    // Takes up to `limit` messages that are available, the longest waiting first, and leases them until `leaseUntil`.
    virtual std::vector<OutboxMessage> claimAvailable(Timestamp now, Timestamp leaseUntil, unsigned limit) = 0;
    // Extends the lease of a message that nobody else took meanwhile; sets message.availableAt. False: somebody has it.
    virtual bool renewLease(OutboxMessage& message, Timestamp leaseUntil) = 0;
    // Removes the rows and writes their audit events, all in one transaction.
    virtual void finish(std::span<const FinishedMessage> messages, Timestamp now) = 0;
    // Counts a failed sending and lets the message rest until `availableAt`.
    virtual void postpone(const OutboxMessage& message, Timestamp availableAt, std::string_view reason) = 0;
};

}  // namespace otpgate::domain
