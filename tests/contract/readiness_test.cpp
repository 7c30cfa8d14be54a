// Whether a database does what a login needs, and keeps the same time: asked of real ones.
#include "readiness.h"

#include "contract/store_test.h"
#include "otpgate/base/errors.h"
#include "otpgate/store/login_trial.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace readiness_test {

using namespace std::chrono_literals;

template <class Engine>
class ReadinessTest : public StoreTest<ReadinessTest<Engine>, Engine> {
    using Base = StoreTest<ReadinessTest<Engine>, Engine>;
    using Base::connection_;
    using Base::count;
    using Base::now;
    using Base::random_;

    CPPUNIT_TEST_SUITE(ReadinessTest);
    CPPUNIT_TEST(triesALoginAndLeavesNoRow);
    CPPUNIT_TEST(namesTheTableThatIsMissing);
    CPPUNIT_TEST(missesEachTableThatTheMigrationsMake);
    CPPUNIT_TEST(refusesAClockThatIsNotTheDatabases);
    CPPUNIT_TEST(remembersWhoHoldsWhichKeys);
    CPPUNIT_TEST_SUITE_END();

    void triesALoginAndLeavesNoRow() {
        store::tryLogin(*connection_, random_, now());
        for (const char* table :
             {"audit_events", "devices", "otp_requests", "outbox", "rate_limits", "sessions", "users"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(table, std::int64_t{0}, count(table));
        }
    }

    void namesTheTableThatIsMissing() {
        for (const std::string table :
             {"audit_events", "devices", "otp_requests", "outbox", "rate_limits", "sessions", "users"}) {
            connection_->executeRaw("ALTER TABLE " + table + " RENAME TO gone");
            std::string told;
            try {
                store::tryLogin(*connection_, random_, now());
            } catch (const ServiceUnavailable& error) {
                told = error.what();
            }
            connection_->executeRaw("ALTER TABLE gone RENAME TO " + table);
            CPPUNIT_ASSERT_MESSAGE(table + ": " + told, told.find(table) != std::string::npos);
        }
        store::tryLogin(*connection_, random_, now());
    }

    // Of all, also those that a login by code does without.
    void missesEachTableThatTheMigrationsMake() {
        for (const std::string table :
             {"api_keys", "audit_events", "devices", "group_members", "key_holders", "otp_requests", "outbox",
              "passkey_site", "passkeys", "password_costs", "rate_limits", "sessions", "signing_keys", "sms_budgets",
              "user_groups", "usernames", "users", "verification_attempts"}) {
            requireMigrated(*connection_);
            connection_->executeRaw("ALTER TABLE " + table + " RENAME TO gone");
            std::string told;
            try {
                requireMigrated(*connection_);
            } catch (const ServiceUnavailable& error) {
                told = error.what();
            }
            connection_->executeRaw("ALTER TABLE gone RENAME TO " + table);
            CPPUNIT_ASSERT_MESSAGE(table + ": " + told, told.find(table) != std::string::npos);
        }
    }

    void refusesAClockThatIsNotTheDatabases() {
        const SystemClock system;
        for (const auto ahead : {-35s, -25s, 0s, 25s, 35s}) {
            const FakeClock clock{system.now() + ahead};
            const bool isFar = std::chrono::abs(ahead) > 30s && Engine::kEngine == db::Engine::Mysql;
            if (isFar)
                CPPUNIT_ASSERT_THROW(requireSameClock(*connection_, clock), ServiceUnavailable);
            else
                requireSameClock(*connection_, clock);
        }
    }

    void remembersWhoHoldsWhichKeys() {
        const auto store = store::makeKeyHolderStore(*connection_);
        const domain::KeyHolder first{Base::newId(), "first", {"new", "old"}, now()};
        const domain::KeyHolder second{Base::newId(), "second", {"old"}, now() + 1min};
        store->note(first, now() - 1min);
        store->note(first, now() - 1min);
        store->note(second, now());
        auto holders = store->list();
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, holders.size());
        CPPUNIT_ASSERT(holders[0].host == "first" && holders[0].fingerprints == first.fingerprints);
        CPPUNIT_ASSERT(holders[0].id == first.id && holders[0].seenAt == first.seenAt);
        store->note(second, now() + 1s);  // so long nobody has seen the first
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store->list().size());
        store->forget(second.id);
        CPPUNIT_ASSERT(store->list().empty());
    }
};

REGISTER_ON_BOTH_ENGINES(ReadinessTest);

}  // namespace readiness_test
}  // namespace otpgate::test
