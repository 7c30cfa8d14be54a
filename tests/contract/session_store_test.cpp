// Finding, listing and ending sessions.
#include "contract/session_store_test.h"

#include <atomic>

namespace otpgate::test {
namespace session_store_test {

using namespace std::chrono_literals;

template <class Engine>
class SessionStoreActiveTest : public SessionStoreTest<SessionStoreActiveTest<Engine>, Engine> {
    using Base = SessionStoreTest<SessionStoreActiveTest<Engine>, Engine>;
    using Base::addDevice;
    using Base::addSession;
    using Base::addUser;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::kLifetime;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using Base::revoke;
    using Base::session_;
    using Base::store_;
    using Base::user_;

    CPPUNIT_TEST_SUITE(SessionStoreActiveTest);
    CPPUNIT_TEST(findsAnActiveSessionAndItsUser);
    CPPUNIT_TEST(findsNoSessionThatIsOver);
    CPPUNIT_TEST(listsTheActiveSessionsOfAUserNewestFirst);
    CPPUNIT_TEST(listsAtMostAHundred);
    CPPUNIT_TEST(revokesASession);
    CPPUNIT_TEST(revokesNoSessionThatIsNotThere);
    CPPUNIT_TEST(revokesOnceWhereSixteenThreadsAsk);
    CPPUNIT_TEST(tellsTheDeviceAndHowItsUserSignedIn);
    CPPUNIT_TEST(movesTheEndOfASession);
    CPPUNIT_TEST(movesNoEndOfARevokedSession);
    CPPUNIT_TEST(forgetsTheDeviceOfASession);
    CPPUNIT_TEST(forgetsNoDeviceOfASessionThatItDoesNotEnd);
    CPPUNIT_TEST(revokesAllSessionsOfAUser);
    CPPUNIT_TEST(revokesAllButTheKeptSession);
    CPPUNIT_TEST(revokesHoweverManyThereAre);
    CPPUNIT_TEST(forgetsEveryDeviceWhereTheKeptSessionHasNone);
    CPPUNIT_TEST(revokesEachSessionOnceForSixteenThreads);
    CPPUNIT_TEST_SUITE_END();

    void findsAnActiveSessionAndItsUser() {
        connection_->execute("UPDATE users SET phone_number = '+4366012345678', first_name = 'Ada', locale = 'de'", {});
        const auto found = store_->findActive(session_, now()).value();
        CPPUNIT_ASSERT(found.session.id == session_);
        CPPUNIT_ASSERT(found.session.userId == user_);
        CPPUNIT_ASSERT(found.session.createdAt == now());
        CPPUNIT_ASSERT(found.session.lastSeenAt == now());
        CPPUNIT_ASSERT(found.session.expiresAt == now() + kLifetime);
        CPPUNIT_ASSERT(found.session.authenticatedAt == now());
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, found.session.address);
        CPPUNIT_ASSERT_EQUAL(std::string{"Browser/1.0"}, found.session.userAgent);
        CPPUNIT_ASSERT_EQUAL(std::string{"install-1"}, found.session.device.installId);
        CPPUNIT_ASSERT_EQUAL(std::string{"ios"}, found.session.device.platform);
        CPPUNIT_ASSERT_EQUAL(std::string{"4.2"}, found.session.device.appVersion);
        CPPUNIT_ASSERT_EQUAL(keys(25), found.session.device.name);
        CPPUNIT_ASSERT(found.user.id == user_);
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, found.user.email.value());
        CPPUNIT_ASSERT_EQUAL(std::string{"+4366012345678"}, found.user.phoneNumber.value());
        CPPUNIT_ASSERT(found.user.emailVerified && !found.user.phoneVerified);
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada"}, found.user.firstName);
        CPPUNIT_ASSERT_EQUAL(std::string{"de"}, found.user.locale);
        CPPUNIT_ASSERT(found.user.status == domain::UserStatus::Active);
        CPPUNIT_ASSERT(found.user.lastLoginAt == now());
    }

    void findsNoSessionThatIsOver() {
        CPPUNIT_ASSERT(!store_->findActive(newId(), now()));
        CPPUNIT_ASSERT(store_->findActive(session_, now() + kLifetime - 1us));
        CPPUNIT_ASSERT(!store_->findActive(session_, now() + kLifetime));
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        CPPUNIT_ASSERT(!store_->findActive(session_, now()));
        connection_->execute("UPDATE users SET status = 'active'", {});
        CPPUNIT_ASSERT(revoke(session_, user_));
        CPPUNIT_ASSERT(!store_->findActive(session_, now()));
    }

    void listsTheActiveSessionsOfAUserNewestFirst() {
        const Uuid second = addSession(user_);
        clock_.advance(1h);
        const Uuid third = addSession(user_);
        const Uuid revoked = addSession(user_);
        CPPUNIT_ASSERT(revoke(revoked, user_));
        const Uuid others = addSession(addUser("eve@example.org"));

        const auto list = [this](Timestamp time) {
            std::vector<Uuid> ids;
            for (const auto& session : store_->listActive(user_, time)) ids.push_back(session.id);
            return ids;
        };
        CPPUNIT_ASSERT((list(now()) == std::vector{third, second, session_}));
        CPPUNIT_ASSERT((list(now() + 167h) == std::vector{third}));
        CPPUNIT_ASSERT(list(now() + kLifetime).empty());
        CPPUNIT_ASSERT(store_->listActive(newId(), now()).empty());
        CPPUNIT_ASSERT_EQUAL(keys(25), store_->listActive(user_, now()).front().device.name);
        CPPUNIT_ASSERT(store_->findActive(others, now()));
    }

    void listsAtMostAHundred() {
        Uuid last;
        for (int i = 0; i < 101; ++i) last = addSession(user_);
        const auto sessions = store_->listActive(user_, now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{100}, sessions.size());
        CPPUNIT_ASSERT(sessions.front().id == last);
    }

    void revokesASession() {
        const Uuid other = addSession(user_);
        const domain::RevokeSession revocation{session_, user_,   "logout", domain::DeviceFate::Keep,
                                               now(),    newId(), client()};
        CPPUNIT_ASSERT(store_->revoke(revocation));
        const db::Row row = only("SELECT revoked_at_us, revoked_reason FROM sessions WHERE id = ?", {session_});
        CPPUNIT_ASSERT(row.timestamp(0) == now());
        CPPUNIT_ASSERT_EQUAL(std::string{"logout"}, row.text(1));
        const db::Row audit = only(
            "SELECT id, event, user_id, ip_address, user_agent, request_id, created_at_us"
            " FROM audit_events");
        CPPUNIT_ASSERT(audit.uuid(0) == revocation.auditId);
        CPPUNIT_ASSERT_EQUAL(std::string{"SESSION_REVOKED"}, audit.text(1));
        CPPUNIT_ASSERT(audit.uuid(2) == user_);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, audit.text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"Browser/1.0"}, audit.text(4));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, audit.text(5));
        CPPUNIT_ASSERT(audit.timestamp(6) == now());
        CPPUNIT_ASSERT(store_->findActive(other, now()));
    }

    void revokesNoSessionThatIsNotThere() {
        const Uuid eve = addUser("eve@example.org");
        CPPUNIT_ASSERT(!revoke(newId(), user_));
        CPPUNIT_ASSERT(!revoke(session_, eve));
        CPPUNIT_ASSERT(store_->findActive(session_, now()));
        clock_.advance(kLifetime);
        CPPUNIT_ASSERT(!revoke(session_, user_));
        clock_.advance(-1us);
        CPPUNIT_ASSERT(revoke(session_, user_));
        CPPUNIT_ASSERT(!revoke(session_, user_));
        assertWords({"SESSION_REVOKED"}, auditEvents());
    }

    void revokesOnceWhereSixteenThreadsAsk() {
        std::atomic<int> won{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            if (store::makeSessionStore(connection)
                    ->revoke({session_, user_, "logout", domain::DeviceFate::Keep, now(), newId(), client()}))
                ++won;
        });
        CPPUNIT_ASSERT_EQUAL(1, won.load());
        assertWords({"SESSION_REVOKED"}, auditEvents());
    }

    void tellsTheDeviceAndHowItsUserSignedIn() {
        const auto first = store_->findActive(session_, now()).value();
        CPPUNIT_ASSERT(!first.session.deviceId);
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, first.session.methods);
        const Uuid device = addDevice(user_);
        const Uuid second = addSession(user_, device);
        const auto found = store_->findActive(second, now()).value();
        CPPUNIT_ASSERT(found.session.deviceId == device);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, found.session.methods);
        const auto listed = store_->listActive(user_, now());
        CPPUNIT_ASSERT(listed.at(0).deviceId == device);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, listed.at(0).methods);
        CPPUNIT_ASSERT(!listed.at(1).deviceId);
    }

    void movesTheEndOfASession() {
        const Uuid other = addSession(user_);
        clock_.advance(1h);
        store_->touch(session_, now(), now() + kLifetime);
        const auto touched = store_->findActive(session_, now()).value().session;
        CPPUNIT_ASSERT(touched.lastSeenAt == now());
        CPPUNIT_ASSERT(touched.expiresAt == now() + kLifetime);
        CPPUNIT_ASSERT(touched.createdAt == now() - 1h && touched.authenticatedAt == now() - 1h);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, touched.refreshCounter);
        CPPUNIT_ASSERT(store_->findActive(other, now()).value().session.lastSeenAt == now() - 1h);
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void movesNoEndOfARevokedSession() {
        CPPUNIT_ASSERT(revoke(session_, user_));
        clock_.advance(1h);
        store_->touch(session_, now(), now() + kLifetime);
        store_->touch(newId(), now(), now() + kLifetime);
        CPPUNIT_ASSERT(!store_->findActive(session_, now()));
        CPPUNIT_ASSERT(only("SELECT last_seen_at_us FROM sessions").timestamp(0) == now() - 1h);
    }

    bool isForgotten(const Uuid& device) {
        return !only("SELECT revoked_at_us FROM devices WHERE id = ?", {device}).isNull(0);
    }

    void forgetsTheDeviceOfASession() {
        const Uuid kept = addDevice(user_);
        const Uuid forgotten = addDevice(user_);
        const Uuid other = addDevice(user_);
        CPPUNIT_ASSERT(revoke(addSession(user_, kept), user_, domain::DeviceFate::Keep));
        CPPUNIT_ASSERT(revoke(addSession(user_, forgotten), user_, domain::DeviceFate::Forget));
        CPPUNIT_ASSERT(revoke(session_, user_, domain::DeviceFate::Forget));
        CPPUNIT_ASSERT(isForgotten(forgotten) && !isForgotten(kept) && !isForgotten(other));
        CPPUNIT_ASSERT(only("SELECT revoked_at_us FROM devices WHERE id = ?", {forgotten}).timestamp(0) == now());
        assertWords({"SESSION_REVOKED", "SESSION_REVOKED", "SESSION_REVOKED"}, auditEvents());
    }

    void forgetsNoDeviceOfASessionThatItDoesNotEnd() {
        const Uuid eve = addUser("eve@example.org");
        const Uuid device = addDevice(user_);
        const Uuid session = addSession(user_, device);
        CPPUNIT_ASSERT(!revoke(session, eve, domain::DeviceFate::Forget));
        CPPUNIT_ASSERT(!isForgotten(device));
        CPPUNIT_ASSERT(revoke(session, user_, domain::DeviceFate::Keep));
        CPPUNIT_ASSERT(!revoke(session, user_, domain::DeviceFate::Forget));
        CPPUNIT_ASSERT(!isForgotten(device));
    }

    std::uint64_t revokeAll(const std::optional<Uuid>& kept) {
        return store_->revokeAll({user_, kept, "logout_all", now(), newId(), client()});
    }

    // Whoever got in for a while makes sessions and devices by the thousands.
    void revokesHoweverManyThereAre() {
        constexpr int kMany = 1000;
        connection_->transact([&] {
            for (int i = 0; i < kMany; ++i) addSession(user_, addDevice(user_));
        });
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{kMany}, revokeAll(session_));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE revoked_at_us IS NULL"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("devices WHERE revoked_at_us IS NULL"));
        CPPUNIT_ASSERT(store_->findActive(session_, now()));
    }

    void revokesAllSessionsOfAUser() {
        const Uuid eve = addUser("eve@example.org");
        const Uuid evesDevice = addDevice(eve);
        const Uuid eves = addSession(eve, evesDevice);
        const Uuid device = addDevice(user_);
        const Uuid deviceWithoutSession = addDevice(user_);
        const Uuid second = addSession(user_, device);
        const Uuid ended = addSession(user_);
        CPPUNIT_ASSERT(revoke(ended, user_));
        const Uuid expired = addSession(user_);
        connection_->execute("UPDATE sessions SET expires_at_us = ? WHERE id = ?", {now(), expired});
        connection_->execute("DELETE FROM audit_events", {});
        clock_.advance(1s);

        const domain::RevokeAllSessions revocation{user_, std::nullopt, "logout_all", now(), newId(), client()};
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, store_->revokeAll(revocation));
        CPPUNIT_ASSERT(!store_->findActive(session_, now()) && !store_->findActive(second, now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count("sessions WHERE revoked_reason = 'logout_all' AND revoked_at_us = ?", {now()}));
        CPPUNIT_ASSERT(isForgotten(device) && isForgotten(deviceWithoutSession));
        CPPUNIT_ASSERT(store_->findActive(eves, now()));
        CPPUNIT_ASSERT(!isForgotten(evesDevice));

        const db::Row audit =
            only("SELECT id, event, user_id, ip_address, request_id, created_at_us FROM audit_events");
        CPPUNIT_ASSERT(audit.uuid(0) == revocation.auditId);
        CPPUNIT_ASSERT_EQUAL(std::string{"SESSION_REVOKED"}, audit.text(1));
        CPPUNIT_ASSERT(audit.uuid(2) == user_);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, audit.text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, audit.text(4));
        CPPUNIT_ASSERT(audit.timestamp(5) == now());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, revokeAll({}));
    }

    void revokesAllButTheKeptSession() {
        const Uuid device = addDevice(user_);
        const Uuid otherDevice = addDevice(user_);
        const Uuid kept = addSession(user_, device);
        const Uuid other = addSession(user_, otherDevice);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, revokeAll(kept));
        CPPUNIT_ASSERT(store_->findActive(kept, now()));
        CPPUNIT_ASSERT(!store_->findActive(other, now()) && !store_->findActive(session_, now()));
        CPPUNIT_ASSERT(!isForgotten(device) && isForgotten(otherDevice));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, revokeAll(kept));
        CPPUNIT_ASSERT(store_->findActive(kept, now()));
    }

    void forgetsEveryDeviceWhereTheKeptSessionHasNone() {
        const Uuid device = addDevice(user_);
        addSession(user_, device);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, revokeAll(session_));
        CPPUNIT_ASSERT(isForgotten(device));
        CPPUNIT_ASSERT(store_->findActive(session_, now()));
    }

    void revokesEachSessionOnceForSixteenThreads() {
        for (int i = 0; i < 9; ++i) addSession(user_, addDevice(user_));
        std::atomic<std::uint64_t> ended{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            ended += store::makeSessionStore(connection)
                         ->revokeAll({user_, session_, "logout_all", now(), newId(), client()});
        });
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{9}, ended.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("devices WHERE revoked_at_us IS NULL"));
        CPPUNIT_ASSERT(store_->findActive(session_, now()));
    }
};

REGISTER_ON_BOTH_ENGINES(SessionStoreActiveTest);

}  // namespace session_store_test
}  // namespace otpgate::test
