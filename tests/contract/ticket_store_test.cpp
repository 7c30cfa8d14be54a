// Tickets that are good once.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <atomic>

namespace otpgate::test {
namespace ticket_store_test {

using namespace std::chrono_literals;

template <class Engine>
class TicketStoreTest : public StoreTest<TicketStoreTest<Engine>, Engine> {
    using Base = StoreTest<TicketStoreTest<Engine>, Engine>;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(TicketStoreTest);
    CPPUNIT_TEST(letsEachTicketBeUsedOnce);
    CPPUNIT_TEST(letsExactlyOneOfSixteenWin);
    CPPUNIT_TEST(isForgottenWhenNoHostTakesItAnyMore);
    CPPUNIT_TEST_SUITE_END();

    void letsEachTicketBeUsedOnce() {
        const auto store = store::makeTicketStore(*connection_);
        const Uuid one = newId();
        const Uuid other = newId();
        CPPUNIT_ASSERT(store->use(one, now() + 60s));
        CPPUNIT_ASSERT(!store->use(one, now() + 60s));
        CPPUNIT_ASSERT(store->use(other, now() + 60s));
        CPPUNIT_ASSERT(!store->use(one, now() + 60s));
    }

    void letsExactlyOneOfSixteenWin() {
        const Uuid ticket = newId();
        const Timestamp until = now() + 60s;
        std::atomic<int> won{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            if (store::makeTicketStore(connection)->use(ticket, until)) ++won;
        });
        CPPUNIT_ASSERT_EQUAL(1, won.load());
    }

    void isForgottenWhenNoHostTakesItAnyMore() {
        const auto store = store::makeTicketStore(*connection_);
        store->use(newId(), now() + 60s);
        const auto purge = [&](Timestamp time) {
            const auto retention = store::makeRetentionStore(*connection_);
            while (!retention->purge({time, {}, {}, {}, {}, {}}, 100).isOver) {
            }
            return count("rate_limits");
        };
        CPPUNIT_ASSERT_EQUAL(1, static_cast<int>(purge(now() + 60s + 59min)));
        CPPUNIT_ASSERT_EQUAL(0, static_cast<int>(purge(now() + 60s + 1h)));
    }
};

REGISTER_ON_BOTH_ENGINES(TicketStoreTest);

}  // namespace ticket_store_test
}  // namespace otpgate::test
