// What an administrator sees of the accounts, and the limits that stand in their way. Each function is one atomic step;
// one object a thread. Throws ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/outbox_admin_store.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// What a text may be the beginning of. No value of one of them is one of another, so their common order tells where a
// page ended.
enum class SearchField { Username, Email, PhoneNumber, Id };

// A user, and the value that was found.
struct FoundUser {
    User user;
    std::string value;
};

// A device that an account knows.
struct KnownDevice {
    Uuid id;
    Device device;
    Timestamp createdAt;
    Timestamp lastSeenAt;
};

struct LimitClearing {
    Uuid userId;
    std::vector<std::string> buckets;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct FactorResetting {
    Uuid userId;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
    std::optional<NoticeDraft> noticeWithoutPasskeys = std::nullopt;  // where there were other factors alone
};
struct FactorReset {
    bool isUser = false;                                 // else there is none with this id
    unsigned removed = 0;                                // how many there were
    std::optional<OutboxMessage> notice = std::nullopt;  // the one that was written, where there were any
};
// Something done about an account that changes none of its rows.
struct AccountAct {
    AuditEvent event = AuditEvent::AccountExported;
    Uuid userId;
    Timestamp now;
    Uuid auditId;
    Client client;
};

// A test message that an administrator asks for.
struct TestRequest {
    Destination recipient;
    std::string bucket;
    LimitRule rule;
    Timestamp now;
    Uuid auditId;
    Client client;
};
struct TestRequested {
    bool isAllowed = false;  // and stands in the trail
    std::string hits;        // of the bucket
};

class PeopleStore {
public:
    virtual ~PeopleStore() = default;
    // Whose field begins with the prefix, in the order of the values, behind `after`; at most `limit`.
    virtual std::vector<FoundUser> find(SearchField field, std::string_view prefix, std::string_view after,
                                        unsigned limit) = 0;
    virtual std::vector<User> newest(const std::optional<Uuid>& before, unsigned limit) = 0;
    virtual std::vector<KnownDevice> listDevices(const Uuid& userId) = 0;  // the newest first, at most 100
    // What was counted in each bucket: packed times, see LimitHits; empty where there is none.
    virtual std::vector<std::string> hits(const std::vector<std::string>& buckets) = 0;
    // Nothing is counted in them any more. Audited, even where nothing was.
    virtual void clear(const LimitClearing& clearing) = 0;
    // Removes every factor of the user and ends the sessions: he signs in by a code again. Nothing happens, and nothing
    // is told, where there is none.
    virtual FactorReset resetFactors(const FactorResetting& resetting) = 0;
    virtual void audit(const AccountAct& act) = 0;
    virtual TestRequested askForTest(const TestRequest& request) = 0;
    // What waits for these addresses, or was given up; the newest first.
    virtual std::vector<OutboxEntry> messagesTo(const std::vector<std::string>& addresses, unsigned limit,
                                                Timestamp now) = 0;
};

}  // namespace otpgate::domain
