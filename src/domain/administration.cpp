#include "otpgate/domain/administration.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <utility>

namespace otpgate::domain {

namespace {

// Shorter ones are mostly words, of which an id would be found that nobody looks for.
constexpr std::size_t kShortestIdPrefix = 8;
constexpr std::size_t kIdCharacters = 36;
// Of all administrators together.
const LimitRule kTestMessages{{{10, std::chrono::hours{1}}}};

bool isIdPrefix(std::string_view text) {
    if (text.size() < kShortestIdPrefix || text.size() > kIdCharacters) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool isDash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool isHex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (isDash ? text[i] != '-' : !isHex) return false;
    }
    return true;
}

std::string valueOf(SearchField field, const User& user) {
    switch (field) {
    case SearchField::Username: return user.username.value_or("");
    case SearchField::Email: return user.email.value_or("");
    case SearchField::PhoneNumber: return user.phoneNumber.value_or("");
    case SearchField::Id: break;
    }
    return user.id.toString();
}

// Who is found by several fields is shown at the first of the values.
bool isFirst(const FoundUser& found, const std::vector<SearchField>& fields, std::string_view prefix) {
    return std::ranges::all_of(fields, [&](const SearchField field) {
        const std::string value = valueOf(field, found.user);
        return !value.starts_with(prefix) || value >= found.value;
    });
}

AdminOutcome outcomeOf(MembershipOutcome outcome) {
    switch (outcome) {
    case MembershipOutcome::Changed: return AdminOutcome::Done;
    case MembershipOutcome::Unchanged: return AdminOutcome::Unchanged;
    case MembershipOutcome::NoSuchGroup: return AdminOutcome::NoSuchGroup;
    case MembershipOutcome::NoSuchUser: return AdminOutcome::NoSuchUser;
    case MembershipOutcome::TooMany: break;
    }
    return AdminOutcome::TooMany;
}

AdminOutcome outcomeOf(AddressAssigned::Outcome outcome) {
    switch (outcome) {
    case AddressAssigned::Outcome::Done: return AdminOutcome::Done;
    case AddressAssigned::Outcome::NoSuchUser: return AdminOutcome::NoSuchUser;
    case AddressAssigned::Outcome::Taken: break;
    }
    return AdminOutcome::Taken;
}

}  // namespace

std::vector<SearchField> fieldsOf(std::string_view text) {
    if (text.starts_with('+')) return {SearchField::PhoneNumber};
    if (text.find('@') != std::string_view::npos) return {SearchField::Email};
    std::vector<SearchField> fields{SearchField::Username, SearchField::Email};
    if (isIdPrefix(text)) fields.push_back(SearchField::Id);
    return fields;
}

Administration::Administration(Stores stores, Messenger& messenger, const Clock& clock, Random& random,
                               AccountLimitRules rules, NoticeSettings notices)
    : stores_(stores),
      accounts_(stores.accounts, clock, random),
      messenger_(messenger),
      clock_(clock),
      random_(random),
      rules_(std::move(rules)),
      notices_(std::move(notices)) {}

PeoplePage Administration::search(std::string_view text, std::string_view after, unsigned limit) {
    PeoplePage page;
    const std::string prefix = toLower(trim(text));
    if (prefix.empty()) {
        page.users = stores_.people.newest(Uuid::parse(after), limit);
        if (page.users.size() == limit) page.next = page.users.back().id.toString();
        return page;
    }
    const auto fields = fieldsOf(prefix);
    std::vector<FoundUser> found;
    for (const SearchField field : fields)
        std::ranges::move(stores_.people.find(field, prefix, after, limit), std::back_inserter(found));
    std::ranges::sort(found, {}, &FoundUser::value);
    // Whatever stands behind the first `limit` of all is found again by the next page.
    if (found.size() >= limit) {
        found.resize(limit);
        page.next = found.back().value;
    }
    for (FoundUser& each : found) {
        if (isFirst(each, fields, prefix)) page.users.push_back(std::move(each.user));
    }
    return page;
}

std::vector<LimitNow> Administration::limits(const User& user) {
    auto limits = limitsOf(user);
    std::erase_if(limits, [&](const AccountLimit& limit) { return ruleOf(limit.counted, rules_).isUnlimited(); });
    std::vector<std::string> buckets;
    buckets.reserve(limits.size());
    for (const AccountLimit& limit : limits) buckets.push_back(limit.bucket);
    const auto hits = stores_.people.hits(buckets);
    const Timestamp now = clock_.now();
    std::vector<LimitNow> states;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        LimitState state = LimitHits(hits.at(i)).state(ruleOf(limits[i].counted, rules_), now);
        states.push_back({std::move(limits[i]), state});
    }
    return states;
}

std::vector<OutboxEntry> Administration::messages(const User& user, unsigned limit) {
    return stores_.people.messagesTo(addressesOf(user), limit, clock_.now());
}

MessagePage Administration::listMessages(OutboxAdminStore::Which which, const Uuid& after, unsigned limit) {
    MessagePage page{stores_.outbox.list(which, after, limit, clock_.now()), std::nullopt};
    if (page.entries.size() == limit) page.next = page.entries.back().message.id;
    // What stands for an account that does not exist is nobody's message.
    std::erase_if(page.entries, [](const OutboxEntry& entry) { return entry.message.isDiscarded; });
    return page;
}

SentAgain Administration::sendAgain(const Uuid& messageId, const Client& client) {
    const auto entry = stores_.outbox.find(messageId, clock_.now());
    if (!entry || entry->message.isDiscarded) return {SentAgain::Outcome::NoSuchMessage};
    return sendAgain(*entry, client);
}

SentAgain Administration::sendLastAgain(const Uuid& userId, const Client& client) {
    const auto user = find(userId);
    const auto entries = user ? messages(*user, 1) : std::vector<OutboxEntry>{};
    if (entries.empty()) return {SentAgain::Outcome::NoSuchMessage};
    return sendAgain(entries.front(), client);
}

SentAgain Administration::sendAgain(const OutboxEntry& entry, const Client& client) {
    const Timestamp now = clock_.now();
    auto reason = reasonNotToSend(entry, stores_.outbox.codeState(entry.message, now), now);
    if (!reason && !stores_.outbox.retry(entry, {Uuid::makeV7(now, random_), client, now}))
        reason = std::string{kMessageHasChanged};
    if (reason) return {SentAgain::Outcome::Refused, std::move(*reason)};
    return {};
}

void Administration::noteExport(const Uuid& userId, const Client& client) {
    const Timestamp now = clock_.now();
    stores_.people.audit({AuditEvent::AccountExported, userId, now, Uuid::makeV7(now, random_), client});
}

AdminOutcome Administration::setStatus(const Uuid& userId, UserStatus status, const Client& client) {
    if (client.actor == userId) return AdminOutcome::Self;
    if (accounts_.setStatus(userId, status, client)) return AdminOutcome::Done;
    return find(userId) ? AdminOutcome::Unchanged : AdminOutcome::NoSuchUser;
}

AdminOutcome Administration::remove(const Uuid& userId, const Client& client) {
    if (client.actor == userId) return AdminOutcome::Self;
    const auto user = find(userId);
    return user && accounts_.remove(*user, client.actor) ? AdminOutcome::Done : AdminOutcome::NoSuchUser;
}

bool Administration::endSession(const Uuid& userId, const Uuid& sessionId, const Client& client) {
    const Timestamp now = clock_.now();
    return stores_.sessions.revoke(
        {sessionId, userId, "ended_by_admin", DeviceFate::Forget, now, Uuid::makeV7(now, random_), client});
}

std::uint64_t Administration::endSessions(const Uuid& userId, const Client& client) {
    const Timestamp now = clock_.now();
    return stores_.sessions.revokeAll(
        {userId, std::nullopt, "ended_by_admin", now, Uuid::makeV7(now, random_), client});
}

AdminOutcome Administration::clearLimits(const Uuid& userId, const Client& client) {
    const auto user = find(userId);
    if (!user) return AdminOutcome::NoSuchUser;
    const Timestamp now = clock_.now();
    stores_.people.clear({userId, limitBucketsOf(*user), now, Uuid::makeV7(now, random_), client});
    return AdminOutcome::Done;
}

AdminOutcome Administration::setAddress(const Uuid& userId, const Destination& address, const Client& client) {
    const Timestamp now = clock_.now();
    // Of the administrator's device and network the owner learns nothing.
    const Client nobody;
    const auto assigned = stores_.accounts.assignAddress(
        {.userId = userId,
         .address = address,
         .now = now,
         .auditId = Uuid::makeV7(now, random_),
         .client = client,
         .notice = draftNotice(notices_, {MessageKind::AddressChanged, "", nobody, now, messenger_.lease()}, random_),
         .secondNoticeId = Uuid::makeV7(now, random_)});
    for (const OutboxMessage& notice : assigned.notices) messenger_.handOver(notice);
    return outcomeOf(assigned.outcome);
}

AdminOutcome Administration::resetFactors(const Uuid& userId, const Client& client) {
    const Timestamp now = clock_.now();
    const Client nobody;
    const auto draft = [&](MessageKind kind) {
        return draftNotice(notices_, {kind, "", nobody, now, messenger_.lease()}, random_);
    };
    const auto reset = stores_.people.resetFactors({.userId = userId,
                                                    .now = now,
                                                    .auditId = Uuid::makeV7(now, random_),
                                                    .client = client,
                                                    .notice = draft(MessageKind::PasskeyRemoved),
                                                    .noticeWithoutPasskeys = draft(MessageKind::TotpRemoved)});
    if (reset.notice) messenger_.handOver(*reset.notice);
    if (!reset.isUser) return AdminOutcome::NoSuchUser;
    return reset.removed == 0 ? AdminOutcome::Unchanged : AdminOutcome::Done;
}

AdminOutcome Administration::setMembership(const Uuid& userId, const std::string& group, bool isMember,
                                           const Client& client) {
    const Timestamp now = clock_.now();
    const MembershipChange change{userId, group, now, Uuid::makeV7(now, random_), client};
    return outcomeOf(isMember ? stores_.groups.add(change) : stores_.groups.remove(change));
}

std::optional<std::vector<User>> Administration::members(const std::string& group, const Uuid& after, unsigned limit) {
    if (!stores_.groups.find(group)) return std::nullopt;
    return stores_.groups.listMembers(group, after, limit);
}

AdminOutcome Administration::createGroup(const std::string& group, const Client& client) {
    const Timestamp now = clock_.now();
    const bool isNew = stores_.groups.create({group, now, Uuid::makeV7(now, random_), client});
    return isNew ? AdminOutcome::Done : AdminOutcome::Unchanged;
}

AdminOutcome Administration::removeGroup(const std::string& group, const Client& client) {
    switch (domain::removeGroup(stores_.groups, group, kMostMembersToRemove, client, clock_, random_)) {
    case GroupRemoval::Done: return AdminOutcome::Done;
    case GroupRemoval::NoSuchGroup: return AdminOutcome::NoSuchGroup;
    case GroupRemoval::TooManyMembers: break;
    }
    return AdminOutcome::TooMany;
}

TestMessage Administration::sendTest(const Destination& recipient, TestSender& sender, const Client& client) {
    using Outcome = TestMessage::Outcome;
    const Timestamp now = clock_.now();
    auto asked = stores_.people.askForTest({.recipient = recipient,
                                            .bucket = limitBucket("test-messages", ""),
                                            .rule = kTestMessages,
                                            .now = now,
                                            .auditId = Uuid::makeV7(now, random_),
                                            .client = client});
    if (!asked.isAllowed) {
        return {.outcome = Outcome::Limited,
                .limit = reportLimit("test_messages", kTestMessages, std::move(asked.hits), now)};
    }
    auto sending = sender.send(recipient);
    if (!sending) return {.outcome = Outcome::Busy};
    return {.outcome = Outcome::Tried, .sending = std::move(*sending)};
}

}  // namespace otpgate::domain
