// What the clean-up deletes, and what it must leave.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace retention_store_test {

using namespace std::chrono_literals;
using std::chrono::days;

template <class Engine>
class RetentionStoreTest : public StoreTest<RetentionStoreTest<Engine>, Engine> {
    using Base = StoreTest<RetentionStoreTest<Engine>, Engine>;
    using Base::connection_;
    using Base::count;
    using Base::now;
    using Base::random_;

    CPPUNIT_TEST_SUITE(RetentionStoreTest);
    CPPUNIT_TEST(deletesNothingFromAnEmptyDatabase);
    CPPUNIT_TEST(deletesOldCodes);
    CPPUNIT_TEST(deletesOldAuditEvents);
    CPPUNIT_TEST(deletesSessionsThatEndedLongAgo);
    CPPUNIT_TEST(deletesDevicesThatNobodySignsInFrom);
    CPPUNIT_TEST(deletesLimitsThatHaveRunOut);
    CPPUNIT_TEST(deletesInBatches);
    CPPUNIT_TEST(walksAllOfTheLimits);
    CPPUNIT_TEST(findsTheOneLimitThatHasRunOutBehindManyThatHaveNot);
    CPPUNIT_TEST(looksAtTheFirstAndTheLastBucketThatThereCanBe);
    CPPUNIT_TEST(beginsTheWalkAnew);
    CPPUNIT_TEST(walksPastSessionsThatAreRefreshedForever);
    CPPUNIT_TEST(deletesOldDeadLetters);
    CPPUNIT_TEST(deletesTheSmsBudgetsOfLongAgo);
    CPPUNIT_TEST(leavesUsersMessagesAndKeys);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeRetentionStore(*connection_);
    }

private:
    domain::RetentionStore::Bounds bounds() const {
        return {.now = now(),
                .otpRequestsBefore = now() - days{1},
                .sessionsBefore = now() - days{30},
                .devicesBefore = now() - days{180},
                .auditBefore = now() - days{365},
                .deadLettersBefore = now() - days{7}};
    }
    std::uint64_t purge(unsigned batch = 500) { return store_->purge(bounds(), batch).deleted; }
    // How many went in all, and in how many calls.
    std::pair<std::uint64_t, int> purgeAll(unsigned batch) {
        std::pair<std::uint64_t, int> done{0, 0};
        for (bool isOver = false; !isOver; ++done.second) {
            const auto progress = store_->purge(bounds(), batch);
            done.first += progress.deleted;
            isOver = progress.isOver;
        }
        return done;
    }
    Uuid idOf(Timestamp time) { return Uuid::makeV7(time, random_); }

    Uuid addCode(Timestamp created) {
        const Uuid id = idOf(created);
        connection_->execute(
            "INSERT INTO otp_requests (id, destination, channel, purpose, guess_bucket, created_at_us,"
            " expires_at_us, max_attempts) VALUES (?, 'ada@example.org', 'email', 'login', ?, ?, ?, 3)",
            {id, id, created, created + 10min});
        return id;
    }
    Uuid addEvent(Timestamp created) {
        const Uuid id = idOf(created);
        connection_->execute("INSERT INTO audit_events (id, event, created_at_us) VALUES (?, 'OTP_SENT', ?)",
                             {id, created});
        return id;
    }
    Uuid addSession(Timestamp created, Timestamp expires, std::optional<Timestamp> revoked = {}) {
        const Uuid id = idOf(created);
        connection_->execute(
            "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us,"
            " authenticated_at_us, revoked_at_us, ip_address, user_agent)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",
            {id, id, created, created, expires, created, revoked});
        return id;
    }
    Uuid addDevice(Timestamp created, Timestamp seen, std::optional<Timestamp> revoked = {}) {
        const Uuid id = idOf(created);
        connection_->execute(
            "INSERT INTO devices (id, user_id, created_at_us, last_seen_at_us, revoked_at_us) VALUES (?, ?, ?, ?, ?)",
            {id, id, created, seen, revoked});
        return id;
    }
    void addLimit(const std::string& bucket, Timestamp expires) {
        connection_->execute("INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (?, ?, ?)",
                             {db::Param::blob(bucket), expires, db::Param::blob(std::string(8, '\1'))});
    }
    void addLimit(int number, Timestamp expires) {
        addLimit(domain::limitBucket("test", std::to_string(number)), expires);
    }
    bool has(const std::string& table, const Uuid& id) { return count(table + " WHERE id = ?", {id}) == 1; }

    void deletesNothingFromAnEmptyDatabase() { CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, purge()); }

    // A millisecond is what an id tells.
    void deletesOldCodes() {
        const Uuid old = addCode(now() - days{1} - 1ms);
        const Uuid young = addCode(now() - days{1});
        const Uuid alive = addCode(now());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, purge());
        CPPUNIT_ASSERT(!has("otp_requests", old));
        CPPUNIT_ASSERT(has("otp_requests", young) && has("otp_requests", alive));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, purge());
    }

    void deletesOldAuditEvents() {
        const Uuid old = addEvent(now() - days{365} - 1ms);
        const Uuid young = addEvent(now() - days{365});
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, purge());
        CPPUNIT_ASSERT(!has("audit_events", old) && has("audit_events", young));
    }

    void deletesSessionsThatEndedLongAgo() {
        const Timestamp longAgo = now() - days{300};
        const Timestamp bound = now() - days{30};
        const Uuid expired = addSession(longAgo, bound - 1us);
        const Uuid revoked = addSession(longAgo, now() + days{7}, bound - 1us);
        const Uuid expiredLater = addSession(longAgo, bound);
        const Uuid revokedLater = addSession(longAgo, now() + days{7}, bound);
        const Uuid alive = addSession(longAgo, now() + days{7});
        const Uuid young = addSession(now() - days{29}, now() - days{22});
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, purge());
        CPPUNIT_ASSERT(!has("sessions", expired) && !has("sessions", revoked));
        for (const Uuid& id : {expiredLater, revokedLater, alive, young}) CPPUNIT_ASSERT(has("sessions", id));
    }

    // Its budget is that of strangers again. One that was revoked lately stays with the session that names it.
    void deletesDevicesThatNobodySignsInFrom() {
        const Timestamp bound = now() - days{180};
        const Uuid unused = addDevice(bound - 1ms, bound - 1us);
        const Uuid revoked = addDevice(now() - days{300}, now() - days{200}, now() - days{190});
        const Uuid seenLater = addDevice(now() - days{300}, bound);
        const Uuid revokedLately = addDevice(now() - days{300}, now() - days{10}, now() - days{9});
        const Uuid young = addDevice(bound, bound);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, purge());
        CPPUNIT_ASSERT(!has("devices", unused) && !has("devices", revoked));
        for (const Uuid& id : {seenLater, revokedLately, young}) CPPUNIT_ASSERT(has("devices", id));
        for (int i = 0; i < 25; ++i) addDevice(now() - days{300}, now() - days{200});
        CPPUNIT_ASSERT((purgeAll(10) == std::pair<std::uint64_t, int>{25, 3}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("devices"));
    }

    void deletesLimitsThatHaveRunOut() {
        addLimit(1, now() - 1us);
        addLimit(2, now());
        addLimit(3, now() + 1us);
        addLimit(4, now() + days{1});
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, purge());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("rate_limits WHERE expires_at_us > ?", {now()}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("rate_limits"));
    }

    void deletesInBatches() {
        for (int i = 0; i < 25; ++i) {
            addCode(now() - days{2});
            addEvent(now() - days{400});
            addSession(now() - days{100}, now() - days{93});
        }
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{30}, purge(10));
        for (const char* table : {"otp_requests", "audit_events", "sessions"}) {
            CPPUNIT_ASSERT_EQUAL(std::int64_t{15}, count(table));
        }
        CPPUNIT_ASSERT((purgeAll(10) == std::pair<std::uint64_t, int>{45, 2}));
    }

    // Each call looks at the next ten, in the order of the buckets.
    void walksAllOfTheLimits() {
        for (int i = 0; i < 95; ++i) addLimit(i, i % 3 == 0 ? now() - 1s : now() + 1h);
        CPPUNIT_ASSERT((purgeAll(10) == std::pair<std::uint64_t, int>{32, 10}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{63}, count("rate_limits"));
    }

    void findsTheOneLimitThatHasRunOutBehindManyThatHaveNot() {
        for (int i = 0; i < 105; ++i) addLimit("first " + std::to_string(1'000'000'000 + i), now() + 1h);
        addLimit("last  0123456789", now());
        CPPUNIT_ASSERT((purgeAll(10) == std::pair<std::uint64_t, int>{1, 11}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{105}, count("rate_limits"));
    }

    void looksAtTheFirstAndTheLastBucketThatThereCanBe() {
        addLimit(std::string(16, '\0'), now());
        addLimit(std::string(16, '\xff'), now());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, purge());
    }

    void beginsTheWalkAnew() {
        for (int i = 0; i < 20; ++i) addLimit(i, now() + 1h);
        CPPUNIT_ASSERT((purgeAll(15) == std::pair<std::uint64_t, int>{0, 2}));
        connection_->execute("UPDATE rate_limits SET expires_at_us = ?", {now()});
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{15}, purge(15));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{5}, purge(15));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, purge(15));
        for (int i = 0; i < 20; ++i) addLimit(i, now());
        CPPUNIT_ASSERT((purgeAll(15) == std::pair<std::uint64_t, int>{20, 2}));
    }

    // Sessions that are alive and old stay where they are, and do not keep the walk from those behind them.
    void walksPastSessionsThatAreRefreshedForever() {
        for (int i = 0; i < 25; ++i) addSession(now() - days{400} + std::chrono::seconds{i}, now() + days{7});
        const Uuid ended = addSession(now() - days{300}, now() - days{290});
        CPPUNIT_ASSERT((purgeAll(10) == std::pair<std::uint64_t, int>{1, 3}));
        CPPUNIT_ASSERT(!has("sessions", ended));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{25}, count("sessions"));
    }

    void deletesTheSmsBudgetsOfLongAgo() {
        const std::int64_t today = std::chrono::floor<days>(now()).time_since_epoch().count();
        for (const std::int64_t age : {0, 1, 31, 32, 400}) {
            connection_->execute("INSERT INTO sms_budgets (prefix, day, sent) VALUES ('+49', ?, 5)", {today - age});
        }
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, purge());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("sms_budgets WHERE day >= ?", {today - 31}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("sms_budgets"));
    }

    void deletesOldDeadLetters() {
        const auto add = [this](Timestamp created, std::optional<Timestamp> died) {
            connection_->execute(
                "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id,"
                " created_at_us, expires_at_us, available_at_us, dead_at_us)"
                " VALUES (?, ?, 'email', 'login', 'ada@example.org', '', '', 0, 0, ?, ?)",
                {idOf(created), idOf(created), died ? domain::kNever : created, died});
        };
        for (int i = 0; i < 5; ++i) add(now() - days{8}, now() - days{7} - std::chrono::microseconds{1});
        add(now() - days{8}, now() - days{7});
        add(now() - days{1}, now());
        add(now() - days{8}, std::nullopt);
        CPPUNIT_ASSERT((purgeAll(2) == std::pair<std::uint64_t, int>{5, 4}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("outbox"));
    }

    void leavesUsersMessagesAndKeys() {
        const Uuid old = idOf(now() - days{1000});
        connection_->execute("INSERT INTO users (id, username, joined_at_us) VALUES (?, 'ada', 0)", {old});
        connection_->execute(
            "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id,"
            " created_at_us, expires_at_us, available_at_us)"
            " VALUES (?, ?, 'email', 'login', 'ada@example.org', '', '', 0, 0, 0)",
            {old, old});
        connection_->execute(
            "INSERT INTO signing_keys (sequence, key_id, sealed_pem, created_at_us, active_from_us)"
            " VALUES (1, 'k', 'sealed', 0, 0)",
            {});
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, purge());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("users") + count("outbox") + count("signing_keys"));
    }

    std::unique_ptr<domain::RetentionStore> store_;
};

REGISTER_ON_BOTH_ENGINES(RetentionStoreTest);

}  // namespace retention_store_test
}  // namespace otpgate::test
