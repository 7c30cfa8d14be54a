// What monitors are told of the outbox.
#include "otpgate/store/outbox_levels.h"

#include "contract/store_test.h"

namespace otpgate::test {
namespace outbox_levels_test {

using namespace std::chrono_literals;

template <class Engine>
class OutboxLevelsTest : public StoreTest<OutboxLevelsTest<Engine>, Engine> {
    using Base = StoreTest<OutboxLevelsTest<Engine>, Engine>;
    using Base::clock_;
    using Base::connection_;
    using Base::kEngine;
    using Base::newId;
    using Base::now;

    CPPUNIT_TEST_SUITE(OutboxLevelsTest);
    CPPUNIT_TEST(tellsOfAnEmptyOutbox);
    CPPUNIT_TEST(countsWhatWaitsAndWhatIsLeased);
    CPPUNIT_TEST(countsTheDeadApart);
    CPPUNIT_TEST(tellsSinceWhenTheOldestHasWaited);
    CPPUNIT_TEST(countsByTheIndex);
    CPPUNIT_TEST_SUITE_END();

    Uuid add(Timestamp availableAt) {
        const Uuid id = newId();
        const Uuid otpId = newId();
        connection_->execute(
            "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us,"
            " expires_at_us, available_at_us) VALUES (?, ?, 'email', 'login', 'ada@example.org', '', 'r', ?, ?, ?)",
            {id, otpId, now(), now() + 10min, availableAt});
        return id;
    }
    void bury(const Uuid& id) {
        connection_->execute("UPDATE outbox SET dead_at_us = ?, available_at_us = ? WHERE id = ?",
                             {now(), domain::kNever, id});
    }

    void tellsOfAnEmptyOutbox() {
        const auto levels = store::readOutboxLevels(*connection_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, levels.waiting);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, levels.dead);
        CPPUNIT_ASSERT(!levels.oldest);
    }

    void countsWhatWaitsAndWhatIsLeased() {
        add(now() - 1s);
        add(now());
        add(now() + 300s);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, store::readOutboxLevels(*connection_).waiting);
    }

    void countsTheDeadApart() {
        bury(add(now()));
        bury(add(now()));
        add(now());
        const auto levels = store::readOutboxLevels(*connection_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, levels.waiting);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, levels.dead);
    }

    void tellsSinceWhenTheOldestHasWaited() {
        bury(add(now()));
        clock_.advance(10s);
        const Timestamp oldest = now();
        add(oldest + 60s);
        clock_.advance(10s);
        add(now());
        CPPUNIT_ASSERT(store::readOutboxLevels(*connection_).oldest == oldest);
    }

    void countsByTheIndex() {
        for (int i = 0; i < 50; ++i) add(now());
        const bool isMysql = kEngine == db::Engine::Mysql;
        const std::string explain = isMysql ? "EXPLAIN FORMAT=JSON " : "EXPLAIN QUERY PLAN ";
        const auto plan =
            connection_
                ->query(explain +
                        "SELECT COUNT(*) FROM outbox WHERE channel IN ('email', 'sms') AND available_at_us < 1")
                .at(0);
        const std::string text = isMysql ? plan.text(0) : plan.text(3);
        CPPUNIT_ASSERT_MESSAGE(text, text.find("outbox_") != std::string::npos);
    }
};

REGISTER_ON_BOTH_ENGINES(OutboxLevelsTest);

}  // namespace outbox_levels_test
}  // namespace otpgate::test
