// A mixed load for some seconds (OTPGATE_SOAK_SECONDS for longer) while transactions fail between what they read and
// what they write, connections are killed and rows are held by others. Whatever a caller was told, the tables must
// agree with each other: no limit exceeded, no code accepted twice, nothing half written.
#include "contract/otp_store_test.h"
#include "support_cpp/faulty_database.h"
#include "support_cpp/soak_time.h"

#include <map>
#include <mutex>

namespace otpgate::test {
namespace otp_soak_test {

using namespace std::chrono_literals;
using domain::Guess;
using SteadyClock = std::chrono::steady_clock;

template <class Engine>
class OtpSoakTest : public OtpStoreTest<OtpSoakTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpSoakTest<Engine>, Engine>;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::newGuess;
    using Base::newRequest;

    CPPUNIT_TEST_SUITE(OtpSoakTest);
    CPPUNIT_TEST(keepsItsPromisesWhileTransactionsFail);
    CPPUNIT_TEST_SUITE_END();

    static constexpr std::size_t kWorkers = 8;
    static constexpr std::uint64_t kAddresses = 24;
    static constexpr std::uint64_t kClients = 3;
    static constexpr std::int64_t kPerAddress = 12;
    static constexpr std::int64_t kPerClient = 90;
    static constexpr std::int64_t kWrongGuesses = 10;

    static std::string address(std::uint64_t i) { return "user" + std::to_string(i) + "@example.org"; }
    static std::string network(std::uint64_t i) { return "192.0.2." + std::to_string(i); }

    // What the callers were told.
    struct Told {
        std::mutex mutex;
        std::vector<Uuid> codes;
        std::map<Uuid, int> accepted;
        std::int64_t answers = 0;
        std::int64_t failures = 0;
    };

    domain::NewOtpRequest makeRequest(Dice& dice) {
        const std::string to = address(dice.below(kAddresses));
        const std::string from = network(dice.below(kClients));
        auto request = newRequest(to);
        request.client = Base::client(from);
        request.clientBucket = domain::limitBucket("request-client", from);
        request.clientRule = rule(std::to_string(kPerClient) + "/1h");
        request.destinationRule = rule(std::to_string(kPerAddress) + "/1h,1000/1d");
        return request;
    }

    void ask(domain::OtpStore& store, Dice& dice, Told& told) {
        domain::NewOtpRequest request = [&] {
            const std::lock_guard lock(told.mutex);  // ids and time are the suite's
            clock_.advance(1us);
            return makeRequest(dice);
        }();
        if (store.request(request).outcome != RequestOutcome::Accepted) return;
        const std::lock_guard lock(told.mutex);
        told.codes.push_back(request.id);
    }

    void guess(domain::OtpStore& store, Dice& dice, Told& told) {
        std::optional<domain::OtpVerification> verification;
        {
            const std::lock_guard lock(told.mutex);
            if (told.codes.empty()) return;
            clock_.advance(1us);
            const Uuid code =
                told.codes[told.codes.size() - 1 - dice.below(std::min<std::size_t>(told.codes.size(), 40))];
            verification = newGuess(code, dice.below(3) == 0 ? Guess::Right : Guess::Wrong,
                                    rule(std::to_string(kWrongGuesses) + "/1h"));
        }
        if (store.verify(*verification).outcome != VerifyOutcome::Verified) return;
        const std::lock_guard lock(told.mutex);
        ++told.accepted[verification->otpId];
    }

    void work(db::Database& database, store::Groups& groups, std::size_t number, SteadyClock::time_point end,
              Told& told) {
        const auto connection = database.connect();
        const auto store = store::makeOtpStore(*connection, &groups);
        Dice dice(number + 1);
        while (SteadyClock::now() < end) {
            bool hasFailed = false;
            try {
                if (dice.below(2) == 0)
                    ask(*store, dice, told);
                else
                    guess(*store, dice, told);
            } catch (const ServiceUnavailable&) {
                hasFailed = true;
            }
            const std::lock_guard lock(told.mutex);
            ++(hasFailed ? told.failures : told.answers);
        }
    }

    // Kills connections of the others, and holds rows in an order of its own. The server alone can do that.
    void disturb(db::Database& database, SteadyClock::time_point end) {
        if (Engine::kEngine == db::Engine::Sqlite) return;
        const auto connection = database.connect();
        Dice dice(99);
        while (SteadyClock::now() < end) {
            std::this_thread::sleep_for(10ms);
            try {
                if (dice.below(3) == 0) {
                    const auto others = connection->query(
                        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> "
                        "CONNECTION_ID()");
                    if (others.empty()) continue;
                    connection->executeRaw("KILL " + std::to_string(others[dice.below(others.size())].integer(0)));
                    continue;
                }
                connection->transact([&] {
                    connection->query("SELECT id FROM users WHERE email = ? FOR UPDATE",
                                      {address(dice.below(kAddresses))});
                    const std::string bucket = domain::limitBucket("request-client", network(dice.below(kClients)));
                    connection->query("SELECT bucket FROM rate_limits WHERE bucket = ? FOR UPDATE",
                                      {db::Param::blob(bucket)});
                    std::this_thread::sleep_for(3ms);
                });
            } catch (const db::DbError&) {
                // The one that was killed may have been about to end by itself.
            }
        }
    }

    void loadFor(std::chrono::seconds time, Told& told) {
        db::Database& real = Base::scratch().database();
        FaultyDatabase faulty(real);
        store::Groups groups(faulty);
        const auto end = SteadyClock::now() + time;
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < kWorkers; ++i) {
            threads.emplace_back([&, i] { work(faulty, groups, i, end, told); });
        }
        threads.emplace_back([&] { disturb(real, end); });
        for (std::thread& thread : threads) thread.join();
    }

    std::int64_t hitsOf(const std::string& bucket) {
        const auto row =
            connection_->queryOne("SELECT LENGTH(hits) FROM rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
        return row ? row->integer(0) / 8 : 0;
    }

    void requireAgreement(const Told& told) {
        for (std::uint64_t i = 0; i < kAddresses; ++i) {
            const std::string to = address(i);
            const std::int64_t codes = count("otp_requests WHERE destination = ?", {to});
            CPPUNIT_ASSERT(codes <= kPerAddress);
            CPPUNIT_ASSERT_EQUAL(codes, hitsOf(domain::limitBucket("request", to)));
            CPPUNIT_ASSERT_EQUAL(codes, count("outbox WHERE destination = ?", {to}));
            CPPUNIT_ASSERT_EQUAL(codes, count("audit_events WHERE event = 'OTP_REQUESTED' AND destination = ?", {to}));
            const std::int64_t wrong = count("audit_events WHERE event = 'OTP_FAILED' AND destination = ?", {to});
            CPPUNIT_ASSERT(wrong <= kWrongGuesses);
            CPPUNIT_ASSERT_EQUAL(wrong, hitsOf(domain::limitBucket("guess", to)));
            CPPUNIT_ASSERT(count("otp_requests WHERE destination = ? AND consumed_at_us IS NULL AND expires_at_us > ?",
                                 {to, Base::now()}) <= 1);
        }
        for (std::uint64_t i = 0; i < kClients; ++i) {
            const std::int64_t hits = hitsOf(domain::limitBucket("request-client", network(i)));
            CPPUNIT_ASSERT(hits <= kPerClient);
            CPPUNIT_ASSERT_EQUAL(hits,
                                 count("audit_events WHERE event = 'OTP_REQUESTED' AND ip_address = ?", {network(i)}));
        }
        const std::int64_t consumed = count("otp_requests WHERE consumed_at_us IS NOT NULL");
        CPPUNIT_ASSERT_EQUAL(consumed, count("sessions JOIN users ON users.id = sessions.user_id"));
        for (const char* event : {"OTP_VERIFIED", "LOGIN_SUCCEEDED"}) {
            CPPUNIT_ASSERT_EQUAL(consumed, count("audit_events WHERE event = ?", {event}));
        }
        CPPUNIT_ASSERT_EQUAL(count("users"), count("audit_events WHERE event = 'USER_REGISTERED'"));
        const auto tries = connection_->queryOne("SELECT SUM(attempts) FROM otp_requests").value();
        CPPUNIT_ASSERT_EQUAL(tries.optionalInteger(0).value_or(0),
                             consumed + count("audit_events WHERE event = 'OTP_FAILED'"));
        for (const auto& [code, times] : told.accepted) {
            CPPUNIT_ASSERT_EQUAL(1, times);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1},
                                 count("otp_requests WHERE id = ? AND consumed_at_us IS NOT NULL", {code}));
        }
    }

    void keepsItsPromisesWhileTransactionsFail() {
        const auto end = SteadyClock::now() + soakTime();
        bool hasSeenAll = false;  // in any of the rounds: on a busy machine a round may be short of one
        do {
            Base::scratch().emptyTables();
            Told told;
            loadFor(2s, told);
            hasSeenAll |= told.answers > 0 && told.failures > 0 && !told.accepted.empty();
            requireAgreement(told);
        } while (SteadyClock::now() < end);
        CPPUNIT_ASSERT(hasSeenAll);
    }
};

REGISTER_ON_BOTH_ENGINES(OtpSoakTest);

}  // namespace otp_soak_test
}  // namespace otpgate::test
