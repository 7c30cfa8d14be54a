// Accounts, limits and messages as an administrator looks for them, and the address that he gives.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <atomic>

namespace otpgate::test {
namespace people_store_test {

using domain::SearchField;

template <class Engine>
class PeopleStoreTest : public StoreTest<PeopleStoreTest<Engine>, Engine> {
    using Base = StoreTest<PeopleStoreTest<Engine>, Engine>;
    using Base::client;
    using Base::connection_;
    using Base::newId;
    using Base::now;
    using typename Base::Words;

    CPPUNIT_TEST_SUITE(PeopleStoreTest);
    CPPUNIT_TEST(findsByTheBeginningInOrder);
    CPPUNIT_TEST(findsIdsBehindAnyText);
    CPPUNIT_TEST(listsTheNewestFirst);
    CPPUNIT_TEST(clearsLimitsAndSaysWhoDidIt);
    CPPUNIT_TEST(resetsFactorsOnce);
    CPPUNIT_TEST(assignsAnAddress);
    CPPUNIT_TEST(saysWhoDeletedAnAccount);
    CPPUNIT_TEST(allowsSoManyTestMessages);
    CPPUNIT_TEST(allowsTenOfSixteenAtOnce);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        people_ = store::makePeopleStore(*connection_);
        accounts_ = store::makeAccountStore(*connection_);
    }

private:
    domain::User addUser(const std::string& email) {
        domain::User user;
        user.id = newId();
        user.email = email;
        user.joinedAt = now();
        domain::NewAccount account;
        account.user = user;
        account.now = now();
        account.auditId = newId();
        account.client = client();
        accounts_->create(account);
        return user;
    }
    std::vector<std::string> found(SearchField field, const std::string& prefix, const std::string& after = "",
                                   unsigned limit = 10) {
        std::vector<std::string> values;
        for (const auto& each : people_->find(field, prefix, after, limit)) values.push_back(each.value);
        return values;
    }
    domain::Client acting(const Uuid& actor) {
        domain::Client by = client();
        by.actor = actor;
        return by;
    }
    std::string lastMetadata(const std::string& event) {
        const auto rows = connection_->query(
            "SELECT metadata FROM audit_events WHERE event = ? ORDER BY id DESC LIMIT 1", {std::string_view{event}});
        return rows.empty() ? "no event" : rows[0].optionalText(0).value_or("");
    }

    void findsByTheBeginningInOrder() {
        for (const char* email : {"bob@example.org", "annb@example.org", "an\xc3\xa9@example.org", "anna@example.org",
                                  "a%_b@example.org", "am@example.org"}) {
            addUser(email);
        }
        CPPUNIT_ASSERT((Words{"anna@example.org", "annb@example.org", "an\xc3\xa9@example.org"}) ==
                       found(SearchField::Email, "an"));
        CPPUNIT_ASSERT(Words{"annb@example.org"} == found(SearchField::Email, "an", "anna@example.org", 1));
        CPPUNIT_ASSERT(Words{"a%_b@example.org"} == found(SearchField::Email, "a%"));
        CPPUNIT_ASSERT(found(SearchField::Email, "an%").empty() && found(SearchField::Email, "An").empty());
        CPPUNIT_ASSERT(found(SearchField::PhoneNumber, "+49").empty() && found(SearchField::Username, "an").empty());
    }

    void findsIdsBehindAnyText() {
        std::vector<std::string> ids;
        for (int i = 0; i < 5; ++i) ids.push_back(addUser("u" + std::to_string(i) + "@example.org").id.toString());
        std::ranges::sort(ids);
        const std::string prefix = ids[0].substr(0, 10);
        CPPUNIT_ASSERT(ids == found(SearchField::Id, prefix));
        for (const std::string& after : {ids[0], ids[2], ids[4], prefix + "@example.org", prefix + "-x", prefix + "zz",
                                         std::string{"zoe"}, std::string{"0"}, ids[2] + "@example.org"}) {
            std::vector<std::string> wanted;
            for (const std::string& id : ids) {
                if (id > after) wanted.push_back(id);
            }
            CPPUNIT_ASSERT_MESSAGE(after, wanted == found(SearchField::Id, prefix, after));
        }
    }

    void listsTheNewestFirst() {
        const auto first = addUser("a@example.org");
        const auto second = addUser("b@example.org");
        const auto users = people_->newest(std::nullopt, 10);
        CPPUNIT_ASSERT(users.size() == 2 && users[0].id == second.id && users[1].id == first.id);
        CPPUNIT_ASSERT(people_->newest(second.id, 10).at(0).id == first.id);
        CPPUNIT_ASSERT(people_->newest(first.id, 10).empty());
    }

    void resetsFactorsOnce() {
        const auto user = addUser("a@example.org");
        const auto other = addUser("b@example.org");
        for (const Uuid& id : {user.id, other.id}) {
            for (const int verifies : {1, 0}) Base::addPasskey(id, verifies);
        }
        connection_->execute(
            "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,"
            " ip_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, '192.0.2.7', 'x')",
            {newId(), user.id, now(), now(), now() + std::chrono::hours{1}, now()});
        const Uuid admin = newId();
        const auto reset = [&] { return people_->resetFactors({user.id, now(), newId(), acting(admin)}); };
        const auto first = reset();
        CPPUNIT_ASSERT(first.isUser && first.removed == 2);
        CPPUNIT_ASSERT(!accounts_->find(user.id)->hasFactor && accounts_->find(other.id)->hasFactor);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, Base::count("sessions WHERE revoked_reason = 'factors_reset'"));
        CPPUNIT_ASSERT_EQUAL(R"({"by":")" + admin.toString() + R"("})", lastMetadata("FACTORS_RESET"));
        const auto second = reset();
        CPPUNIT_ASSERT(second.isUser && second.removed == 0);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, Base::count("audit_events WHERE event = 'FACTORS_RESET'"));
        CPPUNIT_ASSERT(!people_->resetFactors({newId(), now(), newId(), acting(admin)}).isUser);
    }

    domain::TestRequest testRequest(const Uuid& actor) {
        return {domain::Destination::parse("root@example.org").value(),
                domain::limitBucket("test-messages", ""),
                domain::LimitRule::parse("10/1h").value(),
                now(),
                newId(),
                acting(actor)};
    }
    std::int64_t testsInTheTrail() {
        return Base::count(
            "audit_events WHERE event = 'TEST_MESSAGE_REQUESTED' AND destination = 'root@example.org'"
            " AND user_id IS NULL");
    }

    void allowsSoManyTestMessages() {
        const Uuid admin = newId();
        for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT(people_->askForTest(testRequest(admin)).isAllowed);
        const auto refused = people_->askForTest(testRequest(newId()));
        CPPUNIT_ASSERT(!refused.isAllowed);
        CPPUNIT_ASSERT_EQUAL(std::size_t{80}, refused.hits.size());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, testsInTheTrail());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, Base::count("audit_events WHERE metadata = ?",
                                                           {R"({"by":")" + admin.toString() + R"("})"}));
        Base::clock_.advance(std::chrono::hours{1});
        CPPUNIT_ASSERT(people_->askForTest(testRequest(admin)).isAllowed);
    }

    void allowsTenOfSixteenAtOnce() {
        std::vector<domain::TestRequest> requests;
        for (std::size_t i = 0; i < Base::kThreads; ++i) requests.push_back(testRequest(newId()));
        std::atomic<int> allowed = 0;
        Base::onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            if (store::makePeopleStore(connection)->askForTest(requests[i]).isAllowed) ++allowed;
        });
        CPPUNIT_ASSERT_EQUAL(10, allowed.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, testsInTheTrail());
    }

    void clearsLimitsAndSaysWhoDidIt() {
        const auto user = addUser("a@example.org");
        const Uuid admin = newId();
        const std::string bucket = domain::limitBucket("guess", "a@example.org");
        const std::string other = domain::limitBucket("guess", "b@example.org");
        for (const std::string& each : {bucket, other}) {
            connection_->execute("INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (?, ?, ?)",
                                 {db::Param::blob(each), now(), db::Param::blob(domain::packTime(now()))});
        }
        CPPUNIT_ASSERT((std::vector<std::string>{domain::packTime(now()), ""}) ==
                       people_->hits({bucket, domain::limitBucket("request", "a@example.org")}));
        people_->clear({user.id, {bucket}, now(), newId(), acting(admin)});
        CPPUNIT_ASSERT((std::vector<std::string>{"", domain::packTime(now())}) == people_->hits({bucket, other}));
        CPPUNIT_ASSERT_EQUAL(R"({"by":")" + admin.toString() + R"("})", lastMetadata("LIMITS_CLEARED"));
    }

    void assignsAnAddress() {
        using Outcome = domain::AddressAssigned::Outcome;
        const auto user = addUser("a@example.org");
        addUser("b@example.org");
        const Uuid admin = newId();
        const auto assign = [&](const Uuid& id, const std::string& address) {
            domain::AddressAssignment assignment{.userId = id,
                                                 .address = destination(address),
                                                 .now = now(),
                                                 .auditId = newId(),
                                                 .client = acting(admin),
                                                 .secondNoticeId = newId()};
            assignment.notice = domain::NoticeDraft{
                newId(), domain::MessageKind::AddressChanged, {},   domain::NoticeBySms::Never, "request-1",
                now(),   now() + std::chrono::hours{1},       now()};
            return accounts_->assignAddress(assignment);
        };
        CPPUNIT_ASSERT(assign(user.id, "b@example.org").outcome == Outcome::Taken);
        CPPUNIT_ASSERT(assign(newId(), "c@example.org").outcome == Outcome::NoSuchUser);
        // Confirmed: nobody is told of an address that was there already.
        CPPUNIT_ASSERT(assign(user.id, "a@example.org").notices.empty());
        CPPUNIT_ASSERT(accounts_->find(user.id)->emailVerified);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, assign(user.id, "c@example.org").notices.size());
        CPPUNIT_ASSERT(accounts_->find(user.id)->email == "c@example.org");
        CPPUNIT_ASSERT(lastMetadata("ADDRESS_CHANGED").starts_with(R"({"by":")" + admin.toString() + R"(","old":")"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, people_->messagesTo({"a@example.org"}, 10, now()).size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, people_->messagesTo({"a@example.org", "c@example.org"}, 10, now()).size());
    }

    void saysWhoDeletedAnAccount() {
        const Uuid admin = newId();
        accounts_->remove({addUser("a@example.org"), {}, now(), newId(), admin});
        CPPUNIT_ASSERT_EQUAL(R"({"by":")" + admin.toString() + R"("})", lastMetadata("USER_DELETED"));
        accounts_->remove({addUser("b@example.org"), {}, now(), newId()});
        CPPUNIT_ASSERT_EQUAL(std::string{}, lastMetadata("USER_DELETED"));
    }

    std::unique_ptr<domain::PeopleStore> people_;
    std::unique_ptr<domain::AccountStore> accounts_;
};

REGISTER_ON_BOTH_ENGINES(PeopleStoreTest);

}  // namespace people_store_test
}  // namespace otpgate::test
