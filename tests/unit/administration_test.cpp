// What administrators see and do: the rules of domain::Administration, and the endpoints over them.
#include "api/admin.h"
#include "api/authentication.h"
#include "otpgate/base/encoding.h"
#include "support_cpp/api_fixture.h"
#include "support_cpp/fake_api_key_store.h"

#include <algorithm>
#include <map>

namespace otpgate::api {
namespace administration_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::FoundUser;
using domain::SearchField;
using test::Answer;

// People in memory; the limits and messages that the test set.
class FakePeopleStore final : public domain::PeopleStore {
public:
    std::vector<FoundUser> find(SearchField field, std::string_view prefix, std::string_view after,
                                unsigned limit) override {
        std::vector<FoundUser> found;
        for (const auto& [of, each] : values) {
            if (of == field && each.value.starts_with(prefix) && each.value > after) found.push_back(each);
        }
        std::ranges::sort(found, {}, &FoundUser::value);
        if (found.size() > limit) found.resize(limit);
        return found;
    }
    std::vector<domain::User> newest(const std::optional<Uuid>& before, unsigned) override {
        newestBefore = before;
        return {};
    }
    std::vector<domain::KnownDevice> listDevices(const Uuid&) override { return devices; }
    std::vector<std::string> hits(const std::vector<std::string>& buckets) override {
        std::vector<std::string> all;
        for (const std::string& bucket : buckets) all.push_back(counted[bucket]);
        return all;
    }
    void clear(const domain::LimitClearing& clearing) override { clearings.push_back(clearing); }
    domain::FactorReset resetFactors(const domain::FactorResetting& resetting) override {
        resettings.push_back(resetting);
        return reset;
    }
    void audit(const domain::AccountAct& act) override { acts.push_back(act); }
    // As the table does it, of one bucket.
    domain::TestRequested askForTest(const domain::TestRequest& request) override {
        const bool isAllowed = tests.take(request.rule, request.now);
        if (isAllowed) testRequests.push_back(request);
        return {isAllowed, tests.hits()};
    }
    std::vector<domain::OutboxEntry> messagesTo(const std::vector<std::string>& addresses, unsigned,
                                                Timestamp) override {
        asked = addresses;
        return messages;
    }

    std::vector<std::pair<SearchField, FoundUser>> values;
    std::optional<Uuid> newestBefore;
    std::vector<domain::KnownDevice> devices;
    std::map<std::string, std::string> counted;
    std::vector<domain::LimitClearing> clearings;
    std::vector<domain::FactorResetting> resettings;
    domain::FactorReset reset;
    std::vector<domain::AccountAct> acts;
    domain::Bucket tests;
    std::vector<domain::TestRequest> testRequests;
    std::vector<std::string> asked;
    std::vector<domain::OutboxEntry> messages;
};

// The messages that the test set, of which one is sent again.
class FakeOutboxStore final : public domain::OutboxAdminStore {
public:
    std::vector<domain::OutboxEntry> list(Which which, const Uuid& last, unsigned limit, Timestamp) override {
        std::vector<domain::OutboxEntry> found;
        for (const auto& entry : entries) {
            const bool isWanted = which == Which::All || entry.state == domain::OutboxState::Dead;
            if (isWanted && entry.message.id > last && found.size() < limit) found.push_back(entry);
        }
        return found;
    }
    std::optional<domain::OutboxEntry> find(const Uuid& id, Timestamp) override {
        for (const auto& entry : entries)
            if (entry.message.id == id) return entry;
        return std::nullopt;
    }
    domain::CodeState codeState(const domain::OutboxMessage&, Timestamp) override { return code; }
    bool retry(const domain::OutboxEntry& entry, const domain::SendingAgain& again) override {
        if (hasChanged) return false;
        sent.emplace_back(entry.message.id, again);
        return true;
    }
    bool remove(const domain::OutboxEntry&, std::string_view, const Uuid&, Timestamp) override { return false; }
    domain::OutboxLevels levels() override { return {3, 2, std::nullopt}; }

    std::vector<domain::OutboxEntry> entries;
    domain::CodeState code = domain::CodeState::Good;
    bool hasChanged = false;
    std::vector<std::pair<Uuid, domain::SendingAgain>> sent;
};

class FakeStatistics final : public domain::StatisticsStore {
public:
    std::optional<domain::CountedHour> lastCounted() override { return last; }
    std::optional<Timestamp> oldestEvent() override { return std::nullopt; }
    domain::CountedPart count(const Uuid&, const Uuid&, unsigned) override { return {}; }
    void keep(domain::CountedHour, const domain::EventCounts&) override {}
    std::vector<domain::CountedPeriod> list(domain::CountedBy unit, const TimeSpan& span) override {
        asked = {unit, span};
        return periods;
    }

    std::optional<domain::CountedHour> last;
    std::pair<domain::CountedBy, TimeSpan> asked;
    std::vector<domain::CountedPeriod> periods;
};

class FakeGroupStore final : public domain::UserGroupStore {
public:
    bool create(const domain::GroupAct& act) override {
        acts.push_back(act);
        return !find(act.group);
    }
    std::vector<domain::UserGroup> list() override { return groups; }
    std::optional<domain::UserGroup> find(std::string_view name) override {
        for (const domain::UserGroup& group : groups)
            if (group.name == name) return group;
        return std::nullopt;
    }
    std::vector<domain::User> listMembers(std::string_view, const Uuid& after, unsigned limit) override {
        std::vector<domain::User> found;
        for (const domain::User& user : members)
            if (user.id > after && found.size() < limit) found.push_back(user);
        return found;
    }
    domain::MembershipOutcome add(const domain::MembershipChange& change) override {
        added.push_back(change);
        return outcome;
    }
    domain::MembershipOutcome remove(const domain::MembershipChange& change) override {
        std::erase_if(members, [&](const domain::User& user) { return user.id == change.userId; });
        removed.push_back(change);
        return outcome;
    }
    bool removeEmpty(const domain::GroupAct& act) override {
        if (!members.empty()) return false;
        acts.push_back(act);
        return std::erase_if(groups, [&](const domain::UserGroup& group) { return group.name == act.group; }) > 0;
    }

    std::vector<domain::UserGroup> groups;
    std::vector<domain::User> members;  // of each of them
    std::vector<domain::GroupAct> acts;
    std::vector<domain::MembershipChange> removed;
    std::vector<domain::MembershipChange> added;
    domain::MembershipOutcome outcome = domain::MembershipOutcome::Changed;
};

// Says what the test sets, and remembers who was to get a message.
class FakeTestSender final : public domain::TestSender {
public:
    std::optional<domain::TestSending> send(const domain::Destination& recipient) override {
        recipients.push_back(recipient.value());
        return sending;
    }

    std::vector<std::string> recipients;
    std::optional<domain::TestSending> sending = domain::TestSending{true, "S: 220 hello\nsent\n"};
};

class FakeTrail final : public domain::AuditStore {
public:
    std::vector<domain::AuditEntry> page(const domain::AuditFilter&, unsigned, unsigned) override { return {}; }
    std::vector<domain::AuditEntry> next(const domain::AuditFilter& wanted, const std::optional<Uuid>& olderThan,
                                         unsigned limit) override {
        filter = wanted;
        last = olderThan;
        if (entries.size() <= limit) return entries;
        return {entries.begin(), entries.begin() + limit};
    }
    std::uint64_t count(const domain::AuditFilter&, unsigned) override { return 0; }

    std::vector<domain::AuditEntry> entries;
    domain::AuditFilter filter;
    std::optional<Uuid> last;
};

class AdministrationTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(AdministrationTest);
    CPPUNIT_TEST(looksWhereTheTextMayStand);
    CPPUNIT_TEST(showsWhoIsFoundTwiceOnce);
    CPPUNIT_TEST(walksThroughAllPagesToTheEnd);
    CPPUNIT_TEST(refusesWrongPages);
    CPPUNIT_TEST(showsOneWithTheLimitsNow);
    CPPUNIT_TEST(namesWhoActs);
    CPPUNIT_TEST(tellsTheOwnerOfAnotherAddress);
    CPPUNIT_TEST(leavesTheOwnAccountAlone);
    CPPUNIT_TEST(clearsEveryLimitOfTheAccount);
    CPPUNIT_TEST(tellsWhatIsNotThere);
    CPPUNIT_TEST(filtersEvents);
    CPPUNIT_TEST(listsMessagesPageByPage);
    CPPUNIT_TEST(sendsAMessageAgain);
    CPPUNIT_TEST(sendsNothingThatIsVoid);
    CPPUNIT_TEST(sendsTheLastOfAUser);
    CPPUNIT_TEST(listsTheGroups);
    CPPUNIT_TEST(makesAGroup);
    CPPUNIT_TEST(takesTheMembersOutOfAGroupThatIsRemoved);
    CPPUNIT_TEST(leavesAVeryLargeGroupToTheCommand);
    CPPUNIT_TEST(listsMembersPageByPage);
    CPPUNIT_TEST(listsEverybodysApiKeysPageByPage);
    CPPUNIT_TEST(revokesAnybodysApiKey);
    CPPUNIT_TEST(sendsATestMessage);
    CPPUNIT_TEST(refusesTestsThatGoNowhere);
    CPPUNIT_TEST(sharesTheLimitOfTestsAmongAdministrators);
    CPPUNIT_TEST(tellsWhatTheDoctorSays);
    CPPUNIT_TEST(showsStatistics);
    CPPUNIT_TEST(showsWhatIsWrong);
    CPPUNIT_TEST(notesWhoTookAnExport);
    CPPUNIT_TEST(letsInAdministratorsWithARecentSignInAlone);
    CPPUNIT_TEST(isThereForTheAddressesOfTheSetting);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        ApiFixture::setUp();
        admin_ = {{{session_, user_}, Credential::AccessToken}};
        admin_.user.id = Uuid::makeV7(clock_.now(), random_);
        admin_.user.role = domain::Role::Admin;
        accountStore_.known = user_;
        idTokenKeys_.reload(idKeyStore_, random_, clock_.now());
    }

private:
    void addUser(const std::string& username, const std::string& email) {
        domain::User user;
        user.id = Uuid::makeV7(clock_.now(), random_);
        if (!username.empty()) user.username = username;
        user.email = email;
        if (!username.empty()) people_.values.push_back({SearchField::Username, {user, username}});
        people_.values.push_back({SearchField::Email, {user, email}});
        people_.values.push_back({SearchField::Id, {user, user.id.toString()}});
    }
    http::Request of(const std::string& query = "", std::map<std::string, std::string, std::less<>> path = {}) {
        http::Request request = get();
        request.query = query;
        request.pathParameters = std::move(path);
        request.pathParameters.try_emplace("id", user_.id.toString());
        return request;
    }
    Answer findBy(const std::string& query) {
        return answerOf([&] { return findUsers(of(query), admin_, administration_); });
    }
    static std::vector<std::string> emailsOf(const Answer& answer) {
        std::vector<std::string> emails;
        for (const auto& user : *answer.body->getArray("users")) {
            emails.push_back(user.extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("email"));
        }
        return emails;
    }
    template <typename Endpoint>
    int act(Endpoint endpoint, std::map<std::string, std::string, std::less<>> path = {}) {
        return answerOf([&] { return endpoint(of("", std::move(path)), admin_, administration_); }).status;
    }

    void looksWhereTheTextMayStand() {
        using Fields = std::vector<SearchField>;
        CPPUNIT_ASSERT(Fields{SearchField::PhoneNumber} == domain::fieldsOf("+4930"));
        CPPUNIT_ASSERT(Fields{SearchField::Email} == domain::fieldsOf("ann@"));
        CPPUNIT_ASSERT((Fields{SearchField::Username, SearchField::Email}) == domain::fieldsOf("ann"));
        CPPUNIT_ASSERT((Fields{SearchField::Username, SearchField::Email}) == domain::fieldsOf("0190abc"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, domain::fieldsOf("0190abcd").size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, domain::fieldsOf("0190abcd-12").size());
        for (const char* text : {"0190abcd1", "0190abcg", "0190abcd-12345"}) {
            CPPUNIT_ASSERT_EQUAL(std::size_t{2}, domain::fieldsOf(text).size());
        }
    }

    void showsWhoIsFoundTwiceOnce() {
        addUser("ann", "anna@example.org");
        addUser("", "andrew@example.org");
        addUser("", "bob@example.org");
        const Answer found = findBy("search=%20AN");
        CPPUNIT_ASSERT((std::vector{"andrew@example.org"s, "anna@example.org"s}) == emailsOf(found));
        CPPUNIT_ASSERT(found.body->isNull("next_cursor"));
    }

    // However small the pages are, and whichever field somebody is found by: everybody once.
    void walksThroughAllPagesToTheEnd() {
        for (int i = 0; i < 20; ++i) {
            const std::string name = "user" + std::to_string(i);
            addUser(i % 3 == 0 ? name : "", (i % 2 == 0 ? name : "userx" + name) + "@example.org");
        }
        for (const unsigned limit : {1U, 2U, 7U, 40U}) {
            std::vector<std::string> seen;
            std::string cursor;
            for (int page = 0; page < 100; ++page) {
                const Answer answer = findBy("search=user&limit=" + std::to_string(limit) + "&cursor=" + cursor);
                for (std::string& email : emailsOf(answer)) seen.push_back(std::move(email));
                if (answer.body->isNull("next_cursor")) break;
                cursor = answer.text("next_cursor");
            }
            std::ranges::sort(seen);
            CPPUNIT_ASSERT_EQUAL(std::size_t{20}, seen.size());
            CPPUNIT_ASSERT(std::ranges::adjacent_find(seen) == seen.end());
        }
    }

    void refusesWrongPages() {
        for (const char* limit : {"0", "201", "-1", "x"}) {
            CPPUNIT_ASSERT_EQUAL("limit"s, findBy("limit="s + limit).field());
        }
        CPPUNIT_ASSERT_EQUAL("cursor"s, findBy("cursor=%3D%3D").field());
        CPPUNIT_ASSERT_EQUAL("cursor"s, findBy("cursor=" + toBase64Url("\xff")).field());
        CPPUNIT_ASSERT_EQUAL(200, findBy("cursor=" + toBase64Url(user_.id.toString())).status);
        CPPUNIT_ASSERT(people_.newestBefore == user_.id);
    }

    // "2 of 10 guesses left until 14:05", by the function that grants a guess.
    void showsOneWithTheLimitsNow() {
        std::string hits;
        for (int i = 0; i < 8; ++i) hits += domain::packTime(clock_.now() - std::chrono::minutes{i + 1});
        people_.counted[domain::limitBucket("guess", ann_.value())] = hits;
        people_.messages = {{.message = domain::makeNotice({}, ann_, {}),
                             .state = domain::OutboxState::Dead,
                             .lastError = "550 no such user",
                             .diedAt = clock_.now()}};
        const Answer shown =
            answerOf([&] { return showUser(of(), admin_, administration_, apiKeys_, trail_, clock_); });
        CPPUNIT_ASSERT_EQUAL(200, shown.status);
        const auto limits = shown.body->getArray("limits");
        bool isSeen = false;
        for (unsigned i = 0; i < limits->size(); ++i) {
            const auto limit = limits->getObject(i);
            if (limit->getValue<std::string>("counted") != "guesses") continue;
            isSeen = true;
            CPPUNIT_ASSERT_EQUAL(2, limit->getValue<int>("remaining"));
            CPPUNIT_ASSERT_EQUAL(10, limit->getValue<int>("limit"));
            CPPUNIT_ASSERT_EQUAL(3600, limit->getValue<int>("window_seconds"));
            CPPUNIT_ASSERT_EQUAL(formatRfc3339(clock_.now() + 52min), limit->getValue<std::string>("next_free_at"));
        }
        CPPUNIT_ASSERT(isSeen);
        CPPUNIT_ASSERT_EQUAL("550 no such user"s,
                             shown.body->getArray("messages")->getObject(0)->getValue<std::string>("last_error"));
        CPPUNIT_ASSERT(people_.asked == std::vector{ann_.value()});
        CPPUNIT_ASSERT(trail_.filter.scope->userId == user_.id && trail_.filter.scope->addresses == people_.asked);
    }

    void namesWhoActs() {
        CPPUNIT_ASSERT_EQUAL(204, act(disableUser));
        CPPUNIT_ASSERT_EQUAL(204, act(enableUser));
        CPPUNIT_ASSERT(accountStore_.statusChanges.at(0).status == domain::UserStatus::Disabled);
        CPPUNIT_ASSERT(accountStore_.statusChanges.at(1).status == domain::UserStatus::Active);
        for (const auto& change : accountStore_.statusChanges) {
            CPPUNIT_ASSERT(change.userId == user_.id && change.client.actor == admin_.user.id);
        }
        CPPUNIT_ASSERT_EQUAL(204, act(endUsersSessions));
        CPPUNIT_ASSERT(sessionStore_.allRevocations.at(0).client.actor == admin_.user.id);
        CPPUNIT_ASSERT(!sessionStore_.allRevocations.at(0).keptSession);
        CPPUNIT_ASSERT_EQUAL(204, act(endUsersSession, {{"session", session_.id.toString()}}));
        CPPUNIT_ASSERT(sessionStore_.revocations.at(0).userId == user_.id);
        CPPUNIT_ASSERT(sessionStore_.revocations.at(0).client.actor == admin_.user.id);
        CPPUNIT_ASSERT_EQUAL(204, act(joinGroup, {{"group", "STAFF"}}));
        CPPUNIT_ASSERT_EQUAL("staff"s, groups_.added.at(0).group);
        CPPUNIT_ASSERT(groups_.added.at(0).client.actor == admin_.user.id);
        CPPUNIT_ASSERT_EQUAL(204, act(deleteUser));
        CPPUNIT_ASSERT(accountStore_.removedBy == admin_.user.id);
    }

    void tellsTheOwnerOfAnotherAddress() {
        accountStore_.assigned.notices = {domain::makeNotice({}, ann_, {})};
        const auto set = [&](const std::string& body) {
            http::Request request = post(body);
            request.pathParameters["id"] = user_.id.toString();
            return answerOf([&] { return setUsersAddress(request, admin_, administration_, settings_); });
        };
        CPPUNIT_ASSERT_EQUAL(204, set(R"({"email":"Ann@Example.com"})").status);
        const auto& assignment = accountStore_.assignments.at(0);
        CPPUNIT_ASSERT(assignment.client.actor == admin_.user.id && assignment.userId == user_.id);
        CPPUNIT_ASSERT(assignment.notice->kind == domain::MessageKind::AddressChanged);
        // Where the administrator sits is none of the owner's business.
        CPPUNIT_ASSERT(assignment.notice->facts.ipAddress.empty() && assignment.notice->facts.device.empty());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
        CPPUNIT_ASSERT_EQUAL("email"s, set(R"({"email":"ann"})").field());
        CPPUNIT_ASSERT_EQUAL("phone_number"s, set(R"({"phone_number":"ann"})").field());
        CPPUNIT_ASSERT_EQUAL("MISSING_FIELDS"s, set("{}").code());
        accountStore_.assigned.outcome = domain::AddressAssigned::Outcome::Taken;
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, set(R"({"email":"bob@example.com"})").code());
    }

    void leavesTheOwnAccountAlone() {
        const std::map<std::string, std::string, std::less<>> own{{"id", admin_.user.id.toString()}};
        CPPUNIT_ASSERT_EQUAL(403, act(disableUser, own));
        CPPUNIT_ASSERT_EQUAL(403, act(deleteUser, own));
        CPPUNIT_ASSERT(accountStore_.statusChanges.empty() && accountStore_.removed.empty());
    }

    void clearsEveryLimitOfTheAccount() {
        CPPUNIT_ASSERT_EQUAL(204, act(clearUsersLimits));
        const auto& buckets = people_.clearings.at(0).buckets;
        const auto isCleared = [&](std::string_view kind, std::string_view subject) {
            return std::ranges::find(buckets, domain::limitBucket(kind, subject)) != buckets.end();
        };
        for (const char* kind : {"request", "request-device", "guess", "guess-device", "password", "password-device"}) {
            CPPUNIT_ASSERT_MESSAGE(kind, isCleared(kind, ann_.value()));
        }
        CPPUNIT_ASSERT(isCleared("change", user_.id.bytes()) && isCleared("passkey", user_.id.bytes()));
        CPPUNIT_ASSERT(people_.clearings.at(0).client.actor == admin_.user.id);
    }

    void tellsWhatIsNotThere() {
        CPPUNIT_ASSERT_EQUAL(404, act(disableUser, {{"id", "nobody"}}));
        CPPUNIT_ASSERT_EQUAL(404, act(joinGroup, {{"group", "no group"}}));
        groups_.outcome = domain::MembershipOutcome::NoSuchGroup;
        CPPUNIT_ASSERT_EQUAL(404, act(joinGroup, {{"group", "staff"}}));
        groups_.outcome = domain::MembershipOutcome::TooMany;
        CPPUNIT_ASSERT_EQUAL(409, act(joinGroup, {{"group", "staff"}}));
        groups_.outcome = domain::MembershipOutcome::Unchanged;
        CPPUNIT_ASSERT_EQUAL(204, act(leaveGroup, {{"group", "staff"}}));
        sessionStore_.revokeResult = false;
        CPPUNIT_ASSERT_EQUAL(404, act(endUsersSession, {{"session", session_.id.toString()}}));
        accountStore_.known.reset();
        CPPUNIT_ASSERT_EQUAL(404, act(endUsersSessions));
        CPPUNIT_ASSERT_EQUAL(404, act(clearUsersLimits));
        CPPUNIT_ASSERT_EQUAL(404, act(deleteUser));
    }

    void filtersEvents() {
        const auto list = [&](const std::string& query) {
            return answerOf([&] { return listEvents(of(query), admin_, trail_); });
        };
        CPPUNIT_ASSERT_EQUAL(200, list("").status);
        CPPUNIT_ASSERT(!trail_.filter.scope);
        list("user=" + user_.id.toString() + "&event=LOGIN_FAILED");
        CPPUNIT_ASSERT(trail_.filter.scope->userId == user_.id);
        CPPUNIT_ASSERT(trail_.filter.event == domain::AuditEvent::LoginFailed);
        for (const char* name : {"user", "event", "from_date", "to_date", "destination", "cursor"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{name}, list(name + "=x!"s).field());
        }
        trail_.entries.resize(3);
        for (auto& entry : trail_.entries) {
            entry.id = Uuid::makeV7(clock_.now(), random_);
            entry.metadata = "{}";
        }
        const Answer page = list("limit=2");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, page.body->getArray("events")->size());
        list("cursor=" + page.text("next_cursor"));
        CPPUNIT_ASSERT(trail_.last == trail_.entries[1].id);
    }

    domain::OutboxEntry messageOf(domain::OutboxState state) {
        domain::OutboxEntry entry{
            .message = domain::makeNotice({}, ann_, {}), .state = state, .lastError = "550 no", .diedAt = std::nullopt};
        clock_.advance(1ms);
        entry.message.id = Uuid::makeV7(clock_.now(), random_);
        entry.message.expiresAt = clock_.now() + 1h;
        return entry;
    }
    Answer resend(const Uuid& id) {
        return answerOf([&] { return sendMessageAgain(of("", {{"id", id.toString()}}), admin_, administration_); });
    }

    void listsMessagesPageByPage() {
        for (const auto state : {domain::OutboxState::Dead, domain::OutboxState::Waiting, domain::OutboxState::Dead,
                                 domain::OutboxState::Dead}) {
            outbox_.entries.push_back(messageOf(state));
        }
        outbox_.entries[2].message.isDiscarded = true;
        const auto list = [&](const std::string& query) {
            return answerOf([&] { return listMessages(of(query), admin_, administration_); });
        };
        const auto idsOf = [](const Answer& answer) {
            std::vector<std::string> ids;
            for (const auto& each : *answer.body->getArray("messages"))
                ids.push_back(each.extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("id"));
            return ids;
        };
        const auto id = [&](int i) { return outbox_.entries.at(static_cast<std::size_t>(i)).message.id.toString(); };
        // Nobody's message takes a place, and is not shown.
        const Answer first = list("state=dead&limit=2");
        CPPUNIT_ASSERT(std::vector{id(0)} == idsOf(first));
        const Answer second = list("state=dead&limit=2&cursor=" + first.text("next_cursor"));
        CPPUNIT_ASSERT(std::vector{id(3)} == idsOf(second) && second.body->isNull("next_cursor"));
        CPPUNIT_ASSERT((std::vector{id(0), id(1), id(3)}) == idsOf(list("")));
        CPPUNIT_ASSERT_EQUAL("state"s, list("state=alive").field());
        CPPUNIT_ASSERT_EQUAL("cursor"s, list("cursor=" + toBase64Url("x")).field());
    }

    void sendsAMessageAgain() {
        outbox_.entries = {messageOf(domain::OutboxState::Dead)};
        const Uuid id = outbox_.entries[0].message.id;
        CPPUNIT_ASSERT_EQUAL(204, resend(id).status);
        CPPUNIT_ASSERT(outbox_.sent.at(0).first == id);
        CPPUNIT_ASSERT(outbox_.sent[0].second.client.actor == admin_.user.id);
        outbox_.hasChanged = true;
        CPPUNIT_ASSERT_EQUAL(409, resend(id).status);
        CPPUNIT_ASSERT_EQUAL(404, resend(admin_.user.id).status);
    }

    void sendsNothingThatIsVoid() {
        using State = domain::CodeState;
        outbox_.entries = {messageOf(domain::OutboxState::Dead)};
        const Uuid id = outbox_.entries[0].message.id;
        for (const State state : {State::Used, State::Voided, State::Exhausted}) {
            outbox_.code = state;
            const Answer refused = resend(id);
            CPPUNIT_ASSERT_EQUAL("CONFLICT"s, refused.code());
            CPPUNIT_ASSERT_EQUAL(std::string{toString(state)} + ": it is never sent", refused.text("reason"));
        }
        outbox_.code = State::Good;
        outbox_.entries[0].state = domain::OutboxState::Leased;
        CPPUNIT_ASSERT_EQUAL("is being sent; try again when that has come to an end, in a minute or so"s,
                             resend(id).text("reason"));
        outbox_.entries[0].state = domain::OutboxState::Waiting;
        outbox_.entries[0].message.expiresAt = clock_.now();
        CPPUNIT_ASSERT(resend(id).text("reason").starts_with("expired at "));
        outbox_.entries[0].message.isDiscarded = true;
        CPPUNIT_ASSERT_EQUAL(404, resend(id).status);
        CPPUNIT_ASSERT(outbox_.sent.empty());
    }

    void sendsTheLastOfAUser() {
        CPPUNIT_ASSERT_EQUAL(404, act(sendUsersLastMessageAgain));
        people_.messages = {messageOf(domain::OutboxState::Waiting)};
        CPPUNIT_ASSERT_EQUAL(204, act(sendUsersLastMessageAgain));
        CPPUNIT_ASSERT(outbox_.sent.at(0).first == people_.messages[0].message.id);
        CPPUNIT_ASSERT(people_.asked == std::vector{ann_.value()});
        accountStore_.known.reset();
        CPPUNIT_ASSERT_EQUAL(404, act(sendUsersLastMessageAgain));
    }

    void listsTheGroups() {
        groups_.groups = {{"staff", 7, clock_.now()}};
        const Answer shown = answerOf([&] { return listGroups(of(), admin_, administration_); });
        const auto group = shown.body->getArray("groups")->getObject(0);
        CPPUNIT_ASSERT_EQUAL("staff"s, group->getValue<std::string>("name"));
        CPPUNIT_ASSERT_EQUAL(7, group->getValue<int>("members"));
        CPPUNIT_ASSERT_EQUAL(formatRfc3339(clock_.now()), group->getValue<std::string>("created_at"));
    }

    Answer onGroup(http::Response (*endpoint)(const http::Request&, const Administrator&, domain::Administration&),
                   const std::string& group, const std::string& query = "") {
        return answerOf([&] { return endpoint(of(query, {{"group", group}}), admin_, administration_); });
    }
    std::vector<domain::User> people(int count) {
        std::vector<domain::User> all(static_cast<std::size_t>(count));
        for (domain::User& user : all) {
            clock_.advance(1ms);
            user.id = Uuid::makeV7(clock_.now(), random_);
        }
        return all;
    }

    void makesAGroup() {
        CPPUNIT_ASSERT_EQUAL(204, onGroup(createGroup, "Staff").status);
        CPPUNIT_ASSERT_EQUAL("staff"s, groups_.acts.at(0).group);
        CPPUNIT_ASSERT(groups_.acts[0].client.actor == admin_.user.id);
        groups_.groups = {{"staff", 7, clock_.now()}};
        CPPUNIT_ASSERT_EQUAL(204, onGroup(createGroup, "staff").status);
        for (const char* name : {"", "the staff", "..", "gr\xc3\xbcn", "<b>"})
            CPPUNIT_ASSERT_EQUAL_MESSAGE(name, "group"s, onGroup(createGroup, name).field());
    }

    void takesTheMembersOutOfAGroupThatIsRemoved() {
        groups_.groups = {{"staff", 3, clock_.now()}};
        groups_.members = people(3);
        CPPUNIT_ASSERT_EQUAL(404, onGroup(removeGroup, "editors").status);
        CPPUNIT_ASSERT_EQUAL(404, onGroup(removeGroup, "no group").status);
        CPPUNIT_ASSERT_EQUAL(204, onGroup(removeGroup, "staff").status);
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, groups_.removed.size());
        for (const auto& change : groups_.removed) CPPUNIT_ASSERT(change.client.actor == admin_.user.id);
        CPPUNIT_ASSERT(groups_.groups.empty() && groups_.acts.at(0).client.actor == admin_.user.id);
        CPPUNIT_ASSERT_EQUAL(404, onGroup(removeGroup, "staff").status);
    }

    void leavesAVeryLargeGroupToTheCommand() {
        groups_.groups = {{"staff", domain::kMostMembersToRemove + 1, clock_.now()}};
        groups_.members = people(1);
        const Answer refused = onGroup(removeGroup, "staff");
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, refused.code());
        CPPUNIT_ASSERT_EQUAL("The group has more than 500 members. Remove it by the command otpgate group delete."s,
                             refused.text("detail"));
        CPPUNIT_ASSERT(groups_.removed.empty() && groups_.acts.empty());
    }

    void listsMembersPageByPage() {
        CPPUNIT_ASSERT_EQUAL(404, onGroup(listMembers, "staff").status);
        groups_.groups = {{"staff", 3, clock_.now()}};
        groups_.members = people(3);
        const Answer first = onGroup(listMembers, "staff", "limit=2");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, first.body->getArray("members")->size());
        const Answer rest = onGroup(listMembers, "staff", "limit=2&cursor=" + first.text("next_cursor"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rest.body->getArray("members")->size());
        CPPUNIT_ASSERT_EQUAL(groups_.members[2].id.toString(),
                             rest.body->getArray("members")->getObject(0)->getValue<std::string>("id"));
        CPPUNIT_ASSERT(rest.body->isNull("next_cursor"));
        CPPUNIT_ASSERT_EQUAL("cursor"s, onGroup(listMembers, "staff", "cursor=x").field());
    }

    void listsEverybodysApiKeysPageByPage() {
        for (domain::User& owner : people(3)) {
            owner.username = "ann";
            domain::ApiKey key;
            key.id = owner.id;
            key.name = "shop";
            key.sendLimit = "5/1h";
            keyTable_.everybodys.insert(keyTable_.everybodys.begin(), {key, owner});
        }
        const auto list = [&](const std::string& query) {
            return answerOf([&] { return listEverybodysApiKeys(of(query), admin_, apiKeys_); });
        };
        const Answer first = list("limit=2");
        const auto keys = first.body->getArray("api_keys");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, keys->size());
        const auto newest = keys->getObject(0);
        CPPUNIT_ASSERT_EQUAL(keyTable_.everybodys[0].key.id.toString(), newest->getValue<std::string>("id"));
        CPPUNIT_ASSERT_EQUAL("5/1h"s, newest->getValue<std::string>("send_limit"));
        CPPUNIT_ASSERT(newest->isNull("last_used_at") && !newest->has("key"));
        CPPUNIT_ASSERT_EQUAL("ann"s, newest->getObject("owner")->getValue<std::string>("username"));
        const Answer rest = list("limit=2&cursor=" + first.text("next_cursor"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rest.body->getArray("api_keys")->size());
        CPPUNIT_ASSERT(rest.body->isNull("next_cursor"));
        CPPUNIT_ASSERT_EQUAL("cursor"s, list("cursor=x").field());
    }

    void revokesAnybodysApiKey() {
        domain::ApiKey key;
        key.id = session_.id;
        key.userId = user_.id;
        keyTable_.stored = domain::StoredApiKey{key, ""};
        const auto revoke = [&](const std::string& id) {
            return answerOf([&] { return revokeAnyApiKey(of("", {{"id", id}}), admin_, apiKeys_); }).status;
        };
        CPPUNIT_ASSERT_EQUAL(204, revoke(key.id.toString()));
        CPPUNIT_ASSERT(!keyTable_.revocations.at(0).userId);
        CPPUNIT_ASSERT(keyTable_.revocations[0].client.actor == admin_.user.id);
        CPPUNIT_ASSERT_EQUAL(404, revoke(user_.id.toString()));
        CPPUNIT_ASSERT_EQUAL(404, revoke("x"));
    }

    Answer sendTest(const std::string& body) {
        return answerOf([&] { return sendTestMessage(post(body), admin_, administration_, sender_, settings_); });
    }

    void sendsATestMessage() {
        const Answer sent = sendTest(R"({"destination":"Root@example.com"})");
        CPPUNIT_ASSERT_EQUAL(200, sent.status);
        CPPUNIT_ASSERT_EQUAL("true"s, sent.text("sent"));
        const auto said = sent.body->getArray("said");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, said->size());
        CPPUNIT_ASSERT_EQUAL("S: 220 hello"s, said->getElement<std::string>(0));
        CPPUNIT_ASSERT_EQUAL("root@example.com"s, sender_.recipients.at(0));
        CPPUNIT_ASSERT_EQUAL("root@example.com"s, people_.testRequests.at(0).recipient.value());
        CPPUNIT_ASSERT(people_.testRequests[0].client.actor == admin_.user.id);
        sender_.sending = domain::TestSending{false, "failed: 550 no"};
        CPPUNIT_ASSERT_EQUAL("false"s, sendTest(R"({"destination":"root@example.com"})").text("sent"));
        sender_.sending.reset();
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, sendTest(R"({"destination":"root@example.com"})").code());
    }

    // Whatever is refused costs nothing, and asks nobody.
    void refusesTestsThatGoNowhere() {
        CPPUNIT_ASSERT_EQUAL("MISSING_FIELDS"s, sendTest("{}").code());
        for (const char* recipient : {"ann", "+1", "a@b\\r\\nBcc: c@d", "+4930123456"})
            CPPUNIT_ASSERT_EQUAL("destination"s, sendTest(R"({"destination":")"s + recipient + R"("})").field());
        settings_.smsIsSetUp = true;
        settings_.phoneNumbers =
            domain::PhoneNumbers{domain::PhoneValidation::Any, domain::AllowedPrefixes::parse({"+49"}).value()};
        CPPUNIT_ASSERT_EQUAL("destination"s, sendTest(R"({"destination":"+4312345678"})").field());
        CPPUNIT_ASSERT(sender_.recipients.empty() && people_.testRequests.empty());
        CPPUNIT_ASSERT_EQUAL(200, sendTest(R"({"destination":"+4930123456"})").status);
    }

    void sharesTheLimitOfTestsAmongAdministrators() {
        const std::string body = R"({"destination":"root@example.com"})";
        for (int i = 0; i < 10; ++i) {
            admin_.user.id = Uuid::makeV7(clock_.now(), random_);
            CPPUNIT_ASSERT_EQUAL(200, sendTest(body).status);
        }
        const Answer refused = sendTest(body);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, refused.code());
        CPPUNIT_ASSERT(refused.header("RateLimit-Policy").starts_with("\"test_messages\""));
        CPPUNIT_ASSERT_EQUAL(std::size_t{10}, sender_.recipients.size());
        clock_.advance(1h);
        CPPUNIT_ASSERT_EQUAL(200, sendTest(body).status);
    }

    void tellsWhatTheDoctorSays() {
        std::optional<Findings> found;
        const Examination examination = [&] { return found; };
        const auto show = [&] { return answerOf([&] { return showFindings(of(), admin_, examination); }); };
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, show().code());
        found.emplace().good("database", "it answers");
        CPPUNIT_ASSERT_EQUAL("true"s, show().text("well"));
        found->wrong("mail", "nobody answers", "no code leaves by it", "start it");
        const Answer shown = show();
        CPPUNIT_ASSERT_EQUAL("false"s, shown.text("well"));
        const auto finding = shown.body->getArray("findings")->getObject(1);
        for (const auto& [member, value] : std::map<std::string, std::string>{{"check", "mail"},
                                                                              {"level", "wrong"},
                                                                              {"what", "nobody answers"},
                                                                              {"why", "no code leaves by it"},
                                                                              {"todo", "start it"}}) {
            CPPUNIT_ASSERT_EQUAL(value, finding->getValue<std::string>(member));
        }
    }

    void showsStatistics() {
        const auto show = [&](const std::string& query) {
            return answerOf([&] { return showStatistics(of(query), admin_, statistics_, clock_); });
        };
        CPPUNIT_ASSERT(show("").body->isNull("counted_until"));
        CPPUNIT_ASSERT(counts_.asked.first == domain::CountedBy::Day);
        counts_.last = std::chrono::floor<std::chrono::hours>(clock_.now());
        counts_.periods = {{clock_.now(), {{"OTP_SENT", 7}}}};
        const Answer shown = show("by=hour&from_date=2026-11-20&to_date=2026-11-20");
        CPPUNIT_ASSERT(counts_.asked.first == domain::CountedBy::Hour);
        CPPUNIT_ASSERT(counts_.asked.second.end - counts_.asked.second.begin == 24h);
        CPPUNIT_ASSERT_EQUAL(formatRfc3339(*counts_.last + 1h), shown.text("counted_until"));
        const auto period = shown.body->getArray("periods")->getObject(0);
        CPPUNIT_ASSERT_EQUAL(7, period->getObject("events")->getValue<int>("OTP_SENT"));
        CPPUNIT_ASSERT_EQUAL("by"s, show("by=week").field());
        CPPUNIT_ASSERT_EQUAL("to_date"s, show("to_date=soon").field());
        CPPUNIT_ASSERT_EQUAL("from_date"s, show("by=hour&from_date=2026-01-01&to_date=2026-11-20").field());
    }

    void showsWhatIsWrong() {
        const Readiness readiness = [] {
            return std::vector<ReadinessCheck>{{"database", "", "host-1"}, {"clock", "42 seconds ahead"}};
        };
        const Answer shown = answerOf([&] {
            return showServiceHealth(of(), admin_, readiness, administration_, statistics_,
                                     {signingKeys_, idTokenKeys_}, clock_);
        });
        const auto keys = shown.body->getArray("signing_keys");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, keys->size());
        CPPUNIT_ASSERT_EQUAL(signingKeys_.current(clock_.now())->id(),
                             keys->getObject(0)->getValue<std::string>("kid"));
        CPPUNIT_ASSERT_EQUAL("ES256"s, keys->getObject(0)->getValue<std::string>("alg"));
        CPPUNIT_ASSERT_EQUAL("RS256"s, keys->getObject(1)->getValue<std::string>("alg"));
        CPPUNIT_ASSERT_EQUAL("current"s, keys->getObject(1)->getValue<std::string>("state"));
        CPPUNIT_ASSERT_EQUAL(formatRfc3339(clock_.now()), keys->getObject(1)->getValue<std::string>("signs_from"));
        const auto checks = shown.body->getArray("checks");
        CPPUNIT_ASSERT(checks->getObject(0)->isNull("fault"));
        CPPUNIT_ASSERT_EQUAL("host-1"s, checks->getObject(0)->getValue<std::string>("detail"));
        CPPUNIT_ASSERT_EQUAL("42 seconds ahead"s, checks->getObject(1)->getValue<std::string>("fault"));
        CPPUNIT_ASSERT_EQUAL(2, shown.body->getObject("messages")->getValue<int>("dead"));
        CPPUNIT_ASSERT_EQUAL(3, shown.body->getObject("messages")->getValue<int>("waiting"));
    }

    void notesWhoTookAnExport() {
        const auto take = [&] {
            return answerOf([&] { return exportUser(of(), admin_, administration_, accounts_, trail_, clock_); });
        };
        const Answer taken = take();
        CPPUNIT_ASSERT_EQUAL(user_.id.toString(), taken.body->getObject("user")->getValue<std::string>("id"));
        CPPUNIT_ASSERT(people_.acts.at(0).event == domain::AuditEvent::AccountExported);
        CPPUNIT_ASSERT(people_.acts[0].userId == user_.id && people_.acts[0].client.actor == admin_.user.id);
        accountStore_.known.reset();
        CPPUNIT_ASSERT_EQUAL(404, take().status);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, people_.acts.size());
    }

    void letsInAdministratorsWithARecentSignInAlone() {
        const auto enter = [&] {
            sessionStore_.active = domain::AuthenticatedSession{session_, user_};
            const std::string token = sessions_.issueFirst(signIn()).access;
            return answerOf([&] {
                authenticateAdministrator(sessions_, cors_, clock_, 15min, get({{"authorization", "Bearer " + token}}));
                return http::Response{};
            });
        };
        CPPUNIT_ASSERT_EQUAL("FORBIDDEN"s, enter().code());
        user_.role = domain::Role::Admin;
        CPPUNIT_ASSERT_EQUAL(200, enter().status);
        session_.authenticatedAt = clock_.now() - 16min;
        CPPUNIT_ASSERT_EQUAL("SIGN_IN_TOO_OLD"s, enter().code());
    }

    void isThereForTheAddressesOfTheSetting() {
        const http::AddressList none({}, "admin.allowed_addresses");
        const http::AddressList some({"192.0.2.0/24"}, "admin.allowed_addresses");
        http::Request request = get();
        CPPUNIT_ASSERT(isAdminAddress({none}, request) && isAdminAddress({some}, request));
        for (const char* address : {"198.51.100.7", "", "unix:"}) {
            request.clientAddress = address;
            CPPUNIT_ASSERT(isAdminAddress({none}, request) && !isAdminAddress({some}, request));
        }
    }

    FakePeopleStore people_;
    FakeGroupStore groups_;
    FakeTrail trail_;
    FakeOutboxStore outbox_;
    FakeStatistics counts_;
    domain::UnfinishedHours unfinished_;
    domain::Statistics statistics_{counts_, unfinished_, clock_};
    FakeTestSender sender_;
    test::FakeSigningKeyStore idKeyStore_;
    domain::SigningKeys idTokenKeys_{ring_, 900s, crypto::SigningAlgorithm::Rs256};
    domain::AccountService accounts_{accountStore_, clock_, random_};
    test::FakeApiKeyStore keyTable_;
    Administrator admin_;
    const http::Cors cors_{{}, "https://login.example.org", {}};
    domain::ApiKeyService apiKeys_{keyTable_, clock_, random_, domain::ApiKeyHolders::Admins};
    domain::Administration administration_{
        {people_, accountStore_, sessionStore_, groups_, outbox_},
        messenger_,
        clock_,
        random_,
        {domain::LimitRule::parse("5/1h").value(), domain::LimitRule::parse("10/1h").value(),
         domain::LimitRule::parse("10/1h").value(), domain::LimitRule::parse("60/1h").value()},
        {}};
};

CPPUNIT_TEST_SUITE_REGISTRATION(AdministrationTest);

}  // namespace administration_test
}  // namespace otpgate::api
