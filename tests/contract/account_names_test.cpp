// User names: one account's alone, for ever; what became of those of older versions; and groups.
#include "contract/store_test.h"
#include "otpgate/store/adopt_usernames.h"
#include "otpgate/store/stores.h"

#include <atomic>
#include <tuple>

namespace otpgate::test {
namespace account_names_test {

using domain::ImportResult;
using domain::MembershipOutcome;
using domain::NameGiver;
using Outcome = domain::ProfileUpdate::Outcome;

template <class Engine>
class AccountNamesTest : public StoreTest<AccountNamesTest<Engine>, Engine> {
    using Base = StoreTest<AccountNamesTest<Engine>, Engine>;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::client;
    using Base::connection_;
    using Base::count;
    using Base::kThreads;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using typename Base::Words;

    CPPUNIT_TEST_SUITE(AccountNamesTest);
    CPPUNIT_TEST(takesAFreeNameOnce);
    CPPUNIT_TEST(givesNobodyANameThatSomebodyHas);
    CPPUNIT_TEST(givesNobodyTheNameOfADeletedAccount);
    CPPUNIT_TEST(letsAnAdministratorRenameAndTakeBack);
    CPPUNIT_TEST(changesNothingWhereTheNameIsRefused);
    CPPUNIT_TEST(givesANameToOneOfSixteen);
    CPPUNIT_TEST(givesOneOfSixteenNamesToOneAccount);
    CPPUNIT_TEST(importsANameOnlyToTheFirst);
    CPPUNIT_TEST(adoptsTheNamesOfOlderVersions);
    CPPUNIT_TEST(adoptsOnce);
    CPPUNIT_TEST(keepsGroupsWithTheirMembers);
    CPPUNIT_TEST(keepsTheGroupsOfAUserBesideIt);
    CPPUNIT_TEST(refusesGroupsWithoutEnd);
    CPPUNIT_TEST(joinsSixteenGroupsAtOnce);
    CPPUNIT_TEST(forgetsTheMembershipsOfADeletedAccount);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeAccountStore(*connection_);
        groups_ = store::makeUserGroupStore(*connection_);
        ada_ = addUser("ada@example.org");
        eve_ = addUser("eve@example.org");
    }

private:
    Uuid addUser(const std::string& email) {
        domain::NewAccount account;
        account.user.id = newId();
        account.user.email = email;
        account.user.joinedAt = now();
        account.now = now();
        account.auditId = newId();
        CPPUNIT_ASSERT(store_->create(account).outcome == domain::AccountCreation::Outcome::Created);
        connection_->execute("DELETE FROM audit_events", {});
        return account.user.id;
    }
    domain::ProfileChange naming(const Uuid& user, const std::string& name, NameGiver giver = NameGiver::Owner) {
        domain::ProfileChange change;
        change.userId = user;
        change.username = name;
        change.giver = giver;
        change.now = now();
        change.auditId = newId();
        change.client = client();
        return change;
    }
    Outcome name(const Uuid& user, const std::string& name, NameGiver giver = NameGiver::Owner) {
        return store_->updateProfile(naming(user, name, giver)).outcome;
    }
    std::string nameOf(const Uuid& user) { return store_->find(user).value().username.value_or(""); }
    domain::GroupAct act(const std::string& group) { return {group, now(), newId(), client()}; }
    MembershipOutcome join(const Uuid& user, const std::string& group) {
        return groups_->add({user, group, now(), newId(), client()});
    }
    MembershipOutcome leave(const Uuid& user, const std::string& group) {
        return groups_->remove({user, group, now(), newId(), client()});
    }
    Words groupsOf(const Uuid& user) { return store_->find(user).value().groups; }

    void takesAFreeNameOnce() {
        CPPUNIT_ASSERT(name(ada_, "ada") == Outcome::Updated);
        CPPUNIT_ASSERT_EQUAL(std::string{"ada"}, nameOf(ada_));
        CPPUNIT_ASSERT(store_->findNamed("ada").value().id == ada_);
        CPPUNIT_ASSERT(!store_->findNamed("eve"));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"fields":["username"]})"},
                             only("SELECT metadata FROM audit_events WHERE event = 'PROFILE_UPDATED'").text(0));
        // The same again is none.
        CPPUNIT_ASSERT(name(ada_, "ada") == Outcome::Updated);
        CPPUNIT_ASSERT(name(ada_, "countess") == Outcome::NamedBefore);
        CPPUNIT_ASSERT_EQUAL(std::string{"ada"}, nameOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("usernames"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events"));
        CPPUNIT_ASSERT(name(newId(), "nobody") == Outcome::NoSuchUser);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("usernames"));
    }

    void givesNobodyANameThatSomebodyHas() {
        CPPUNIT_ASSERT(name(ada_, "ada") == Outcome::Updated);
        CPPUNIT_ASSERT(name(eve_, "ada") == Outcome::NameTaken);
        CPPUNIT_ASSERT(name(eve_, "ada", NameGiver::Administrator) == Outcome::NameTaken);
        CPPUNIT_ASSERT_EQUAL(std::string{}, nameOf(eve_));
        CPPUNIT_ASSERT(name(eve_, "eve") == Outcome::Updated);
    }

    void givesNobodyTheNameOfADeletedAccount() {
        CPPUNIT_ASSERT(name(ada_, "ada") == Outcome::Updated);
        CPPUNIT_ASSERT(store_->remove({store_->find(ada_).value(), {}, now(), newId()}));
        CPPUNIT_ASSERT(!store_->findNamed("ada"));
        CPPUNIT_ASSERT(name(eve_, "ada") == Outcome::NameTaken);
        CPPUNIT_ASSERT(name(eve_, "ada", NameGiver::Administrator) == Outcome::NameTaken);
        // Not even who comes again with the same address.
        CPPUNIT_ASSERT(name(addUser("ada@example.org"), "ada") == Outcome::NameTaken);
    }

    void letsAnAdministratorRenameAndTakeBack() {
        CPPUNIT_ASSERT(name(ada_, "ada") == Outcome::Updated);
        CPPUNIT_ASSERT(name(ada_, "countess", NameGiver::Administrator) == Outcome::Updated);
        CPPUNIT_ASSERT_EQUAL(std::string{"countess"}, nameOf(ada_));
        // What was hers is nobody else's, and can be hers again.
        CPPUNIT_ASSERT(name(eve_, "ada") == Outcome::NameTaken);
        CPPUNIT_ASSERT(name(ada_, "ada", NameGiver::Administrator) == Outcome::Updated);
        CPPUNIT_ASSERT_EQUAL(std::string{"ada"}, nameOf(ada_));
    }

    void changesNothingWhereTheNameIsRefused() {
        CPPUNIT_ASSERT(name(ada_, "ada") == Outcome::Updated);
        auto change = naming(eve_, "ada");
        change.firstName = change.displayName = "Ada";
        CPPUNIT_ASSERT(store_->updateProfile(change).outcome == Outcome::NameTaken);
        const auto eve = store_->find(eve_).value();
        CPPUNIT_ASSERT(eve.firstName.empty() && eve.displayName.empty());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("audit_events WHERE user_id = ?", {eve_}));
    }

    void givesANameToOneOfSixteen() {
        std::vector<domain::ProfileChange> changes;
        for (std::size_t i = 0; i < kThreads; ++i) {
            changes.push_back(naming(addUser("u" + std::to_string(i) + "@example.org"), "wanted"));
        }
        std::atomic<int> given{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto outcome = store::makeAccountStore(connection)->updateProfile(changes[i]).outcome;
            CPPUNIT_ASSERT(outcome == Outcome::Updated || outcome == Outcome::NameTaken);
            if (outcome == Outcome::Updated) ++given;
        });
        CPPUNIT_ASSERT_EQUAL(1, given.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE unique_name = 'wanted'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1},
                             count("usernames n JOIN users u ON u.id = n.user_id AND u.unique_name = n.name"));
    }

    void givesOneOfSixteenNamesToOneAccount() {
        std::vector<domain::ProfileChange> changes;
        for (std::size_t i = 0; i < kThreads; ++i) changes.push_back(naming(ada_, "ada" + std::to_string(i)));
        std::atomic<int> given{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto outcome = store::makeAccountStore(connection)->updateProfile(changes[i]).outcome;
            CPPUNIT_ASSERT(outcome == Outcome::Updated || outcome == Outcome::NamedBefore);
            if (outcome == Outcome::Updated) ++given;
        });
        CPPUNIT_ASSERT_EQUAL(1, given.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("usernames"));
    }

    void importsANameOnlyToTheFirst() {
        std::vector<domain::ImportedUser> users(3);
        const char* const addresses[] = {"one@example.org", "two@example.org", "ada@example.org"};
        for (std::size_t i = 0; i < users.size(); ++i) {
            domain::User& user = users[i].user;
            user.id = newId();
            user.email = addresses[i];
            user.username = "one";
            user.joinedAt = now();
        }
        users[1].user.displayName = "One";
        const std::vector expected{ImportResult::Added, ImportResult::AddedUnnamed, ImportResult::Unchanged};
        CPPUNIT_ASSERT(store_->import(users, now()) == expected);
        CPPUNIT_ASSERT_EQUAL(std::string{"one"}, nameOf(users[0].user.id));
        const auto second = store_->find(users[1].user.id).value();
        CPPUNIT_ASSERT(!second.username && second.displayName == "One");
        CPPUNIT_ASSERT(!store_->find(ada_).value().username);
    }

    // As they stand in the table of a version before.
    Uuid addOlder(const std::string& oldName, const char* email) {
        const Uuid id = newId();
        connection_->execute("INSERT INTO users (id, username, email, joined_at_us) VALUES (?, ?, ?, ?)",
                             {id, oldName, email, now()});
        return id;
    }

    void adoptsTheNamesOfOlderVersions() {
        CPPUNIT_ASSERT(name(eve_, "eve") == Outcome::Updated);
        const Uuid plain = addOlder("bob", "bob@example.org");
        const Uuid written = addOlder("Carol", "carol@example.org");
        const Uuid unnamed = addOlder("dan@example.org", "dan@example.org");
        const Uuid moved = addOlder("former@example.org", "now@example.org");
        const Uuid twin = addOlder("CAROL", "carol2@example.org");
        const Uuid taker = addOlder("eve", "eve2@example.org");
        const Uuid free = addOlder("\u674e Lovelace", "li@example.org");
        const Uuid reserved = addOlder("Admin", "mallory@example.org");
        Words told;
        const auto adopted = store::adoptUsernames(
            *connection_, now(), [&](const Uuid& user, std::string_view oldName, std::string_view reason) {
                CPPUNIT_ASSERT(store_->find(user).has_value());
                told.push_back(std::string{oldName} + ": " + std::string{reason});
            });
        assertWords(
            {"CAROL: another account's", "eve: another account's", "\u674e Lovelace: does not fit", "Admin: reserved"},
            told);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, adopted.kept);
        CPPUNIT_ASSERT_EQUAL(std::size_t{4}, adopted.displayed);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, adopted.addresses);
        const std::vector<std::tuple<Uuid, std::string, std::string>> expected{
            {plain, "bob", ""},           {written, "carol", "Carol"}, {unnamed, "", ""},       {moved, "", ""},
            {twin, "", "CAROL"},          {taker, "", "eve"},          {reserved, "", "Admin"}, {ada_, "", ""},
            {free, "", "\u674e Lovelace"}};
        for (const auto& [id, uniqueName, displayName] : expected) {
            const auto user = store_->find(id).value();
            CPPUNIT_ASSERT_EQUAL(uniqueName, user.username.value_or(""));
            CPPUNIT_ASSERT_EQUAL(displayName, user.displayName);
        }
        // No row is lost, and a version before goes on showing what it did.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, count("users"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Carol"},
                             only("SELECT username FROM users WHERE email = 'carol@example.org'").text(0));
    }

    void adoptsOnce() {
        const Uuid bob = addOlder("Bob", "bob@example.org");
        const auto adopt = [&] { return store::adoptUsernames(*connection_, now(), [](auto&&...) {}).kept; };
        std::atomic<std::size_t> kept{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            kept += store::adoptUsernames(connection, now(), [](auto&&...) {}).kept;
        });
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, kept.load());
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, adopt());
        // What somebody chooses later is not decided about again.
        auto change = naming(ada_, "ada");
        change.displayName = "Bob";
        CPPUNIT_ASSERT(store_->updateProfile(change).outcome == Outcome::Updated);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, adopt());
        CPPUNIT_ASSERT_EQUAL(std::string{"bob"}, nameOf(bob));
    }

    void keepsGroupsWithTheirMembers() {
        CPPUNIT_ASSERT(groups_->create(act("staff")));
        CPPUNIT_ASSERT(!groups_->create(act("staff")));
        CPPUNIT_ASSERT(groups_->create(act("editors")));
        CPPUNIT_ASSERT(join(ada_, "staff") == MembershipOutcome::Changed);
        CPPUNIT_ASSERT(join(eve_, "staff") == MembershipOutcome::Changed);
        CPPUNIT_ASSERT(join(eve_, "staff") == MembershipOutcome::Unchanged);
        CPPUNIT_ASSERT(join(eve_, "nobodys") == MembershipOutcome::NoSuchGroup);
        CPPUNIT_ASSERT(join(newId(), "staff") == MembershipOutcome::NoSuchUser);
        const auto list = groups_->list();
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, list.size());
        CPPUNIT_ASSERT(list[0].name == "editors" && list[0].members == 0);
        CPPUNIT_ASSERT(list[1].name == "staff" && list[1].members == 2 && list[1].createdAt == now());
        CPPUNIT_ASSERT(!groups_->find("nobodys") && groups_->find("staff").value().members == 2);
        const auto first = groups_->listMembers("staff", {}, 1);
        CPPUNIT_ASSERT(first.size() == 1 && first[0].id == ada_);
        const auto rest = groups_->listMembers("staff", ada_, 9);
        CPPUNIT_ASSERT(rest.size() == 1 && rest[0].id == eve_);
        CPPUNIT_ASSERT(!groups_->removeEmpty(act("staff")));
        CPPUNIT_ASSERT(leave(ada_, "staff") == MembershipOutcome::Changed);
        CPPUNIT_ASSERT(leave(ada_, "staff") == MembershipOutcome::Unchanged);
        CPPUNIT_ASSERT(leave(eve_, "staff") == MembershipOutcome::Changed);
        CPPUNIT_ASSERT(groups_->removeEmpty(act("staff")) && !groups_->removeEmpty(act("staff")));
        assertWords({"GROUP_CREATED", "GROUP_CREATED", "GROUP_JOINED", "GROUP_JOINED", "GROUP_LEFT", "GROUP_LEFT",
                     "GROUP_DELETED"},
                    auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count(R"(audit_events WHERE user_id IS NULL AND metadata = '{"group":"staff"}')"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count(R"(audit_events WHERE user_id = ? AND metadata = '{"group":"staff"}')", {ada_}));
    }

    void keepsTheGroupsOfAUserBesideIt() {
        for (const char* group : {"staff", "admins", "editors"}) groups_->create(act(group));
        assertWords({}, groupsOf(ada_));
        join(ada_, "staff");
        join(ada_, "admins");
        join(ada_, "editors");
        assertWords({"admins", "editors", "staff"}, groupsOf(ada_));
        assertWords({}, groupsOf(eve_));
        leave(ada_, "editors");
        assertWords({"admins", "staff"}, groupsOf(ada_));
        leave(ada_, "admins");
        leave(ada_, "staff");
        assertWords({}, groupsOf(ada_));
    }

    void refusesGroupsWithoutEnd() {
        const auto nameOfGroup = [](int i) { return std::string(60, 'g') + std::to_string(1000 + i); };
        for (int i = 0; i < 16; ++i) groups_->create(act(nameOfGroup(i)));
        for (int i = 0; i < 15; ++i) CPPUNIT_ASSERT(join(ada_, nameOfGroup(i)) == MembershipOutcome::Changed);
        CPPUNIT_ASSERT(join(ada_, nameOfGroup(15)) == MembershipOutcome::TooMany);
        CPPUNIT_ASSERT_EQUAL(std::size_t{15}, groupsOf(ada_).size());
        leave(ada_, nameOfGroup(3));
        CPPUNIT_ASSERT(join(ada_, nameOfGroup(15)) == MembershipOutcome::Changed);
    }

    void joinsSixteenGroupsAtOnce() {
        std::vector<domain::MembershipChange> changes;
        for (std::size_t i = 0; i < kThreads; ++i) {
            const std::string group = "g" + std::to_string(10 + i);
            groups_->create(act(group));
            changes.push_back({ada_, group, now(), newId(), client()});
        }
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            CPPUNIT_ASSERT(store::makeUserGroupStore(connection)->add(changes[i]) == MembershipOutcome::Changed);
        });
        CPPUNIT_ASSERT_EQUAL(kThreads, groupsOf(ada_).size());
        CPPUNIT_ASSERT_EQUAL(std::string{"g10"}, groupsOf(ada_).front());
    }

    void forgetsTheMembershipsOfADeletedAccount() {
        groups_->create(act("staff"));
        join(ada_, "staff");
        join(eve_, "staff");
        CPPUNIT_ASSERT(store_->remove({store_->find(ada_).value(), {}, now(), newId()}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, groups_->find("staff").value().members);
        CPPUNIT_ASSERT(join(ada_, "staff") == MembershipOutcome::NoSuchUser);
        // A version that knew no groups left the membership.
        connection_->execute("DELETE FROM users WHERE id = ?", {eve_});
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, groups_->find("staff").value().members);
        CPPUNIT_ASSERT(groups_->removeEmpty(act("staff")));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("group_members"));
    }

    std::unique_ptr<domain::AccountStore> store_;
    std::unique_ptr<domain::UserGroupStore> groups_;
    Uuid ada_;
    Uuid eve_;
};

REGISTER_ON_BOTH_ENGINES(AccountNamesTest);

}  // namespace account_names_test
}  // namespace otpgate::test
