// What the domain needs of the table recovery_codes. Each function is one atomic step; one object a thread; throws
// ServiceUnavailable when the database does not answer. A code is used by TotpStore::guess().
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/notice.h"

#include <optional>
#include <string>
#include <vector>

namespace otpgate::domain {

struct StoredRecoveryCode {
    Uuid id;
    Uuid userId;
    unsigned number = 0;
    std::string hash;
    bool isConfirmed = false;  // one of its set was typed back; else it is good for nothing yet
    Timestamp createdAt;
    std::optional<Timestamp> usedAt;
};

struct RecoveryConfirmation {
    Uuid userId;
    Uuid codeId;  // of the set
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};
struct ConfirmedRecovery {
    bool isDone = false;
    std::optional<OutboxMessage> notice = std::nullopt;
};

class RecoveryStore {
public:
    virtual ~RecoveryStore() = default;
    virtual std::vector<StoredRecoveryCode> list(const Uuid& userId) = 0;  // in the order of their numbers
    // Counts one in the bucket. Where the rule has no place left: what is in it, see LimitHits.
    virtual std::optional<std::string> takeTurn(const std::string& bucket, const LimitRule& rule, Timestamp now) = 0;
    // In place of those that nobody has confirmed.
    virtual void propose(const Uuid& userId, const std::vector<StoredRecoveryCode>& codes) = 0;
    // Those that were proposed last count from now on, and those before do no more. False: they are gone.
    virtual ConfirmedRecovery confirm(const RecoveryConfirmation& confirmation) = 0;
};

}  // namespace otpgate::domain
