// The daily budgets of SMS are exact, however many processes send at once.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace sms_budget_store_test {

template <class Engine>
class SmsBudgetStoreTest : public StoreTest<SmsBudgetStoreTest<Engine>, Engine> {
    using Base = StoreTest<SmsBudgetStoreTest<Engine>, Engine>;
    using Base::connection_;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(SmsBudgetStoreTest);
    CPPUNIT_TEST(countsUpToTheLimit);
    CPPUNIT_TEST(countsNothingWithALimitOfNone);
    CPPUNIT_TEST(keepsPrefixesAndDaysApart);
    CPPUNIT_TEST(obeysAChangedLimit);
    CPPUNIT_TEST(takesBackWhatWasNotSent);
    CPPUNIT_TEST(neverCountsBelowNothing);
    CPPUNIT_TEST(givesExactlyAsManyPlacesToSixteenThreads);
    CPPUNIT_TEST(losesNoPlaceBetweenTakingAndGivingBack);
    CPPUNIT_TEST(beginsManyBudgetsOnSixteenThreadsAtOnce);
    CPPUNIT_TEST_SUITE_END();

    static constexpr std::int64_t kDay = 20'777;

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeSmsBudgetStore(*connection_);
    }

private:
    int takeAll(int tries, std::int64_t limit, const std::string& prefix = "+49", std::int64_t day = kDay) {
        int taken = 0;
        for (int i = 0; i < tries; ++i) taken += store_->take(prefix, day, limit) ? 1 : 0;
        return taken;
    }
    std::int64_t sent(const std::string& prefix = "+49", std::int64_t day = kDay) {
        const auto row =
            connection_->queryOne("SELECT sent FROM sms_budgets WHERE prefix = ? AND day = ?", {prefix, day});
        return row ? row->integer(0) : 0;
    }

    void countsUpToTheLimit() {
        CPPUNIT_ASSERT_EQUAL(3, takeAll(10, 3));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, sent());
    }

    void countsNothingWithALimitOfNone() {
        CPPUNIT_ASSERT_EQUAL(0, takeAll(2, 0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, Base::count("sms_budgets"));
    }

    void keepsPrefixesAndDaysApart() {
        CPPUNIT_ASSERT_EQUAL(1, takeAll(2, 1));
        CPPUNIT_ASSERT_EQUAL(1, takeAll(2, 1, "+491"));
        CPPUNIT_ASSERT_EQUAL(1, takeAll(2, 1, "*"));
        CPPUNIT_ASSERT_EQUAL(1, takeAll(2, 1, "+123456789012345"));
        CPPUNIT_ASSERT_EQUAL(1, takeAll(2, 1, "+49", kDay + 1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, Base::count("sms_budgets"));
    }

    void obeysAChangedLimit() {
        takeAll(5, 5);
        CPPUNIT_ASSERT_EQUAL(0, takeAll(5, 2));
        CPPUNIT_ASSERT_EQUAL(2, takeAll(5, 7));
    }

    void takesBackWhatWasNotSent() {
        takeAll(3, 3);
        store_->giveBack("+49", kDay);
        CPPUNIT_ASSERT_EQUAL(1, takeAll(5, 3));
    }

    void neverCountsBelowNothing() {
        store_->giveBack("+49", kDay);
        takeAll(1, 3);
        store_->giveBack("+49", kDay);
        store_->giveBack("+49", kDay);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, sent());
        CPPUNIT_ASSERT_EQUAL(3, takeAll(5, 3));
    }

    void givesExactlyAsManyPlacesToSixteenThreads() {
        for (const std::int64_t day : {kDay, kDay + 1, kDay + 2}) {
            std::atomic<int> taken{0};
            onSixteenThreads([&](db::Connection& connection, std::size_t) {
                const auto store = store::makeSmsBudgetStore(connection);
                for (int i = 0; i < 10; ++i) taken += store->take("+49", day, 100) ? 1 : 0;
            });
            CPPUNIT_ASSERT_EQUAL(100, taken.load());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{100}, sent("+49", day));
        }
    }

    // As a provider that refuses every second message.
    void losesNoPlaceBetweenTakingAndGivingBack() {
        std::atomic<int> kept{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto store = store::makeSmsBudgetStore(connection);
            for (int i = 0; i < 20; ++i) {
                if (!store->take("+49", kDay, 50)) continue;
                if (i % 2 == 0)
                    ++kept;
                else
                    store->giveBack("+49", kDay);
            }
        });
        CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(kept.load()), sent());
        CPPUNIT_ASSERT(kept.load() <= 50);
    }

    void beginsManyBudgetsOnSixteenThreadsAtOnce() {
        std::atomic<int> taken{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto store = store::makeSmsBudgetStore(connection);
            for (int i = 1; i <= 20; ++i) taken += store->take("+" + std::to_string(i), kDay, 5) ? 1 : 0;
        });
        CPPUNIT_ASSERT_EQUAL(100, taken.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{20}, Base::count("sms_budgets WHERE sent = 5"));
    }

    std::unique_ptr<domain::SmsBudgetStore> store_;
};

REGISTER_ON_BOTH_ENGINES(SmsBudgetStoreTest);

}  // namespace sms_budget_store_test
}  // namespace otpgate::test
