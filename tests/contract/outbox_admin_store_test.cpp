// What an administrator sees of the outbox, and may do to it.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"
#include "store/outbox_rows.h"

namespace otpgate::test {
namespace outbox_admin_store_test {

using namespace std::chrono_literals;
using domain::OutboxEntry;
using domain::OutboxMessage;
using domain::OutboxState;
using Which = domain::OutboxAdminStore::Which;

template <class Engine>
class OutboxAdminStoreTest : public StoreTest<OutboxAdminStoreTest<Engine>, Engine> {
    using Base = StoreTest<OutboxAdminStoreTest<Engine>, Engine>;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::only;

    CPPUNIT_TEST_SUITE(OutboxAdminStoreTest);
    CPPUNIT_TEST(tellsTheStateOfAMessage);
    CPPUNIT_TEST(listsPageByPage);
    CPPUNIT_TEST(findsNothingThatIsNotThere);
    CPPUNIT_TEST(letsADeadMessageBeSent);
    CPPUNIT_TEST(letsARestingMessageBeSent);
    CPPUNIT_TEST(changesNothingThatHasChanged);
    CPPUNIT_TEST(removesAWaitingMessageAndSaysSo);
    CPPUNIT_TEST(removesADeadMessageWithoutAWord);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        admin_ = store::makeOutboxAdminStore(*connection_);
        courier_ = store::makeOutboxStore(*connection_);
    }

private:
    OutboxMessage add(Timestamp availableAt) {
        OutboxMessage message{.id = newId(),
                              .otpId = newId(),
                              .destination = destination("ada@example.org"),
                              .locale = "",
                              .requestId = "request-1",
                              .createdAt = now(),
                              .expiresAt = now() + 10min,
                              .availableAt = availableAt};
        connection_->transact([&] { store::insertMessage(*connection_, message); });
        return message;
    }
    OutboxMessage bury(Timestamp availableAt) {
        OutboxMessage message = add(availableAt);
        message.attempts = 1;
        courier_->finish(std::vector{domain::FinishedMessage{message, domain::MessageEnd::GivenUp, "550 no", newId()}},
                         now());
        return message;
    }
    OutboxEntry entryOf(const OutboxMessage& message) { return admin_->find(message.id, now()).value(); }
    std::size_t countClaimable() {
        return courier_->claimAvailable(domain::Channel::Email, now(), now() + 1min, 10).size();
    }

    domain::SendingAgain again() {
        domain::Client client;
        client.userAgent = "otpgate outbox retry";
        return {newId(), client, now()};
    }

    void tellsTheStateOfAMessage() {
        CPPUNIT_ASSERT(entryOf(add(now())).state == OutboxState::Waiting);
        const OutboxMessage leased = add(now() + 10s);
        CPPUNIT_ASSERT(entryOf(leased).state == OutboxState::Leased);
        courier_->postpone(std::vector{domain::PostponedMessage{leased, now() + 5s, "451 later"}});
        CPPUNIT_ASSERT(entryOf(leased).state == OutboxState::Waiting);
        CPPUNIT_ASSERT_EQUAL(std::string{"451 later"}, entryOf(leased).lastError);
        const OutboxEntry dead = entryOf(bury(now()));
        CPPUNIT_ASSERT(dead.state == OutboxState::Dead);
        CPPUNIT_ASSERT(dead.diedAt == now());
        CPPUNIT_ASSERT_EQUAL(1U, dead.message.attempts);
        CPPUNIT_ASSERT_EQUAL(std::string{"550 no"}, dead.lastError);
        CPPUNIT_ASSERT(dead.message.destination == destination("ada@example.org"));
    }

    void listsPageByPage() {
        std::vector<Uuid> all;
        std::vector<Uuid> dead;
        for (int i = 0; i < 7; ++i) {
            all.push_back((i % 2 == 0 ? add(now()) : bury(now())).id);
            if (i % 2 != 0) dead.push_back(all.back());
            clock_.advance(1ms);
        }
        for (const auto& [which, expected] : {std::pair{Which::All, all}, std::pair{Which::Dead, dead}}) {
            std::vector<Uuid> found;
            while (true) {
                const auto page = admin_->list(which, found.empty() ? Uuid{} : found.back(), 2, now());
                CPPUNIT_ASSERT(page.size() <= 2);
                for (const OutboxEntry& entry : page) found.push_back(entry.message.id);
                if (page.empty()) break;
            }
            CPPUNIT_ASSERT(found == expected);
        }
    }

    void findsNothingThatIsNotThere() { CPPUNIT_ASSERT(!admin_->find(newId(), now())); }

    void letsADeadMessageBeSent() {
        const OutboxMessage dead = bury(now());
        CPPUNIT_ASSERT(admin_->retry(entryOf(dead), again()));
        CPPUNIT_ASSERT(entryOf(dead).state == OutboxState::Waiting);
        CPPUNIT_ASSERT(!entryOf(dead).diedAt);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, countClaimable());
        assertWords({"OTP_SEND_FAILED", "MESSAGE_SENT_AGAIN"}, auditEvents());
        const auto event = only("SELECT destination, user_agent FROM audit_events WHERE event = 'MESSAGE_SENT_AGAIN'");
        CPPUNIT_ASSERT(event.text(0) == "ada@example.org" && event.text(1) == "otpgate outbox retry");
    }

    void letsARestingMessageBeSent() {
        const OutboxMessage resting = add(now());
        courier_->postpone(std::vector{domain::PostponedMessage{resting, now() + 1min, "451 later"}});
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countClaimable());
        CPPUNIT_ASSERT(admin_->retry(entryOf(resting), again()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, countClaimable());
    }

    void changesNothingThatHasChanged() {
        const OutboxEntry seen = entryOf(add(now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, countClaimable());
        CPPUNIT_ASSERT(!admin_->retry(seen, again()));
        CPPUNIT_ASSERT(!admin_->remove(seen, "no more", newId(), now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE available_at_us = ?", {now() + 1min}));
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void removesAWaitingMessageAndSaysSo() {
        CPPUNIT_ASSERT(admin_->remove(entryOf(add(now())), "no more", newId(), now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
        assertWords({"OTP_SEND_FAILED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"reason":"no more"})"}, only("SELECT metadata FROM audit_events").text(0));
    }

    void removesADeadMessageWithoutAWord() {
        CPPUNIT_ASSERT(admin_->remove(entryOf(bury(now())), "no more", newId(), now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
        assertWords({"OTP_SEND_FAILED"}, auditEvents());  // of when it was given up
    }

    std::unique_ptr<domain::OutboxAdminStore> admin_;
    std::unique_ptr<domain::OutboxStore> courier_;
};

REGISTER_ON_BOTH_ENGINES(OutboxAdminStoreTest);

}  // namespace outbox_admin_store_test
}  // namespace otpgate::test
