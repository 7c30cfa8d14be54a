// What administrators do with the accounts of others: the one home of each act, for /api/v1/admin and for the commands.
// Whoever acts stands in Client::actor and so in the audit trail. Nothing here reads a code or sets a password. One
// object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/account_limits.h"
#include "otpgate/domain/account_service.h"
#include "otpgate/domain/account_store.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/people_store.h"
#include "otpgate/domain/session_store.h"
#include "otpgate/domain/test_sender.h"
#include "otpgate/domain/user_group_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct PeoplePage {
    std::vector<User> users;
    std::optional<std::string> next;  // where the next page begins; nullopt: this is the last
};

// The fields that a text can be the beginning of; a text that can begin none finds nobody.
std::vector<SearchField> fieldsOf(std::string_view text);

struct LimitNow {
    AccountLimit limit;
    LimitState state;
};

// Who is at work in one of its acts: `Self` is refused, so that nobody locks himself out.
enum class AdminOutcome { Done, Unchanged, NoSuchUser, NoSuchGroup, Taken, TooMany, Self };

// A group with more is removed by a command: the members go one by one, which takes longer than a request may.
inline constexpr std::int64_t kMostMembersToRemove = 500;

// What came of a test message that was asked for.
struct TestMessage {
    enum class Outcome { Tried, Busy, Limited };
    Outcome outcome = Outcome::Tried;
    TestSending sending{};               // where Tried
    std::optional<LimitReport> limit{};  // where Limited
};

// What came of a message that is to be sent again.
struct SentAgain {
    enum class Outcome { Done, NoSuchMessage, Refused };
    Outcome outcome = Outcome::Done;
    std::string reason{};  // where Refused: of the message, as "expired at ... and is never sent"
};

struct MessagePage {
    std::vector<OutboxEntry> entries;
    std::optional<Uuid> next;  // behind which the next page begins; nullopt: there is none
};

class Administration {
public:
    struct Stores {
        PeopleStore& people;
        AccountStore& accounts;
        SessionStore& sessions;
        UserGroupStore& groups;
        OutboxAdminStore& outbox;
    };
    Administration(Stores stores, Messenger& messenger, const Clock& clock, Random& random, AccountLimitRules rules,
                   NoticeSettings notices);

    // Whose address, user name or id begins with the text, in the order of what was found; with an empty text all,
    // the newest first. A page may hold fewer than `limit` though another follows.
    PeoplePage search(std::string_view text, std::string_view after, unsigned limit);
    std::optional<User> find(const Uuid& id) { return stores_.accounts.find(id); }
    std::vector<Session> sessions(const Uuid& userId) { return stores_.sessions.listActive(userId, clock_.now()); }
    std::vector<KnownDevice> devices(const Uuid& userId) { return stores_.people.listDevices(userId); }
    // Those with a limit; how each stands by the function that grants.
    std::vector<LimitNow> limits(const User& user);
    std::vector<OutboxEntry> messages(const User& user, unsigned limit);
    // Of everybody, the oldest first. A page may hold fewer than `limit` though another follows.
    MessagePage listMessages(OutboxAdminStore::Which which, const Uuid& after, unsigned limit);
    OutboxLevels outboxLevels() { return stores_.outbox.levels(); }
    std::vector<UserGroup> groups() { return stores_.groups.list(); }  // by name
    // By their ids, behind `after`. Nullopt: there is no such group.
    std::optional<std::vector<User>> members(const std::string& group, const Uuid& after, unsigned limit);

    AdminOutcome setStatus(const Uuid& userId, UserStatus status, const Client& client);
    AdminOutcome remove(const Uuid& userId, const Client& client);
    // False: the user has no such active session.
    bool endSession(const Uuid& userId, const Uuid& sessionId, const Client& client);
    // With the devices and API keys. How many sessions there were.
    std::uint64_t endSessions(const Uuid& userId, const Client& client);
    AdminOutcome clearLimits(const Uuid& userId, const Client& client);
    // The owner is told, at the old address and at the new one. The sessions end.
    AdminOutcome setAddress(const Uuid& userId, const Destination& address, const Client& client);
    // For who has lost them all. The owner is told, the sessions end; what takes their place its owner alone can add.
    AdminOutcome resetFactors(const Uuid& userId, const Client& client);
    // By whichever process sends, in a moment. Never a code that is void, nor twice at a time.
    SentAgain sendAgain(const Uuid& messageId, const Client& client);
    // The newest of what waits for the user or was given up. NoSuchMessage where there is nothing, or no such user.
    SentAgain sendLastAgain(const Uuid& userId, const Client& client);
    // That all of the account was handed out stands in its trail.
    void noteExport(const Uuid& userId, const Client& client);
    AdminOutcome setMembership(const Uuid& userId, const std::string& group, bool isMember, const Client& client);
    AdminOutcome createGroup(const std::string& group, const Client& client);
    // With its memberships; TooMany: of more than kMostMembersToRemove.
    AdminOutcome removeGroup(const std::string& group, const Client& client);
    // Sends one there at once. All administrators share one limit, so that a stolen session is nobody's bill.
    TestMessage sendTest(const Destination& recipient, TestSender& sender, const Client& client);

private:
    std::vector<Uuid> deviceIds(const Uuid& userId);
    SentAgain sendAgain(const OutboxEntry& entry, const Client& client);

    Stores stores_;
    AccountService accounts_;
    Messenger& messenger_;
    const Clock& clock_;
    Random& random_;
    AccountLimitRules rules_;
    NoticeSettings notices_;
};

}  // namespace otpgate::domain
