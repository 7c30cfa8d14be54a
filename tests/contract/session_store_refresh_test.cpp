// Rotating refresh tokens.
#include "contract/session_store_test.h"

#include <array>
#include <atomic>

namespace otpgate::test {
namespace session_store_refresh_test {

using namespace std::chrono_literals;
using Outcome = domain::SessionRefreshResult::Outcome;

template <class Engine>
class SessionStoreRefreshTest : public SessionStoreTest<SessionStoreRefreshTest<Engine>, Engine> {
    using Base = SessionStoreTest<SessionStoreRefreshTest<Engine>, Engine>;
    using Base::addSession;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::kLifetime;
    using Base::kThreads;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using Base::revoke;
    using Base::session_;
    using Base::store_;
    using Base::user_;

    CPPUNIT_TEST_SUITE(SessionStoreRefreshTest);
    CPPUNIT_TEST(rotatesTheToken);
    CPPUNIT_TEST(repeatsTheSuccessorWithinTheGrace);
    CPPUNIT_TEST(revokesTheSessionOfAReusedToken);
    CPPUNIT_TEST(revokesForAnOlderTokenEvenWithinTheGrace);
    CPPUNIT_TEST(endsUnknownRevokedExpiredAndDisabledSessions);
    CPPUNIT_TEST(endsWithoutRevokingWhereTheCounterIsAhead);
    CPPUNIT_TEST(livesAsLongAsItIsRefreshed);
    CPPUNIT_TEST(endsAtItsCapThoughItIsRefreshedEveryMinute);
    CPPUNIT_TEST(leavesNoRowForAThousandRefreshes);
    CPPUNIT_TEST(auditsARefreshFromElsewhere);
    CPPUNIT_TEST(touchesNoOtherSession);
    CPPUNIT_TEST(rotatesOnceForTwoThreads);
    CPPUNIT_TEST(rotatesOnceForSixteenThreads);
    CPPUNIT_TEST(revokesOnceForSixteenThreads);
    CPPUNIT_TEST_SUITE_END();

    domain::SessionRefresh newRefresh(std::int64_t counter) {
        return {.sessionId = session_,
                .counter = counter,
                .now = now(),
                .lifetimes = {kLifetime, 1000 * kLifetime},
                .graceSince = now() - 30s,
                .auditId = newId(),
                .client = client()};
    }
    domain::SessionRefreshResult refresh(std::int64_t counter) { return store_->refresh(newRefresh(counter)); }
    void assertOutcome(Outcome expected, std::int64_t counter) {
        const auto result = refresh(counter);
        CPPUNIT_ASSERT_EQUAL(expected, result.outcome);
        const bool isGood = expected == Outcome::Rotated || expected == Outcome::Repeated;
        CPPUNIT_ASSERT(result.userId == (isGood ? user_ : Uuid{}));
    }
    std::int64_t counter() { return only("SELECT refresh_counter FROM sessions WHERE id = ?", {session_}).integer(0); }
    bool isRevoked() { return !only("SELECT revoked_at_us FROM sessions WHERE id = ?", {session_}).isNull(0); }

    void rotatesTheToken() {
        clock_.advance(1h);
        const auto result = refresh(0);
        CPPUNIT_ASSERT_EQUAL(Outcome::Rotated, result.outcome);
        CPPUNIT_ASSERT(result.userId == user_);
        CPPUNIT_ASSERT(result.authenticatedAt == now() - 1h);
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, result.methods);
        const db::Row row = only(
            "SELECT refresh_counter, rotated_at_us, last_seen_at_us, expires_at_us, created_at_us,"
            " authenticated_at_us FROM sessions");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, row.integer(0));
        CPPUNIT_ASSERT(row.timestamp(1) == now());
        CPPUNIT_ASSERT(row.timestamp(2) == now());
        CPPUNIT_ASSERT(row.timestamp(3) == now() + kLifetime);
        CPPUNIT_ASSERT(row.timestamp(4) == now() - 1h);
        CPPUNIT_ASSERT(row.timestamp(5) == now() - 1h);
        assertOutcome(Outcome::Rotated, 1);
    }

    // Ten hours of it, of which one without use would be the end.
    void endsAtItsCapThoughItIsRefreshedEveryMinute() {
        const Timestamp end = now() + 10h;
        const auto refreshed = [&](std::int64_t counter) {
            domain::SessionRefresh next = newRefresh(counter);
            next.lifetimes = {1h, 10h};
            return store_->refresh(next);
        };
        std::int64_t counter = 0;
        for (clock_.advance(1min); now() < end; clock_.advance(1min)) {
            const auto result = refreshed(counter++);
            CPPUNIT_ASSERT_EQUAL(Outcome::Rotated, result.outcome);
            CPPUNIT_ASSERT(result.lastsUntil == std::min<Timestamp>(now() + 1h, end));
            CPPUNIT_ASSERT(only("SELECT expires_at_us FROM sessions").timestamp(0) ==
                           std::min<Timestamp>(now() + 1h, end));
            CPPUNIT_ASSERT(store_->findActive(session_, now()).has_value());
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{599}, counter);
        CPPUNIT_ASSERT_EQUAL(Outcome::Ended, refreshed(counter).outcome);
        CPPUNIT_ASSERT_EQUAL(Outcome::Ended, refreshed(counter - 1).outcome);
        CPPUNIT_ASSERT(!store_->findActive(session_, now()));
        CPPUNIT_ASSERT(store_->listActive(user_, now()).empty());
    }

    void repeatsTheSuccessorWithinTheGrace() {
        connection_->execute("UPDATE sessions SET amr = 'pwd otp'", {});
        assertOutcome(Outcome::Rotated, 0);
        clock_.advance(30s - 1us);
        const auto result = refresh(0);
        CPPUNIT_ASSERT_EQUAL(Outcome::Repeated, result.outcome);
        CPPUNIT_ASSERT(result.userId == user_);
        CPPUNIT_ASSERT(result.authenticatedAt == now() - 30s + 1us);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, result.methods);
        // It changes nothing: neither the successor nor how long the grace lasts.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, counter());
        CPPUNIT_ASSERT(only("SELECT rotated_at_us FROM sessions").timestamp(0) == now() - 30s + 1us);
        assertOutcome(Outcome::Rotated, 1);
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void revokesTheSessionOfAReusedToken() {
        assertOutcome(Outcome::Rotated, 0);
        clock_.advance(30s);
        const auto reuse = newRefresh(0);
        CPPUNIT_ASSERT_EQUAL(Outcome::Reused, store_->refresh(reuse).outcome);
        const db::Row row = only("SELECT revoked_at_us, revoked_reason FROM sessions");
        CPPUNIT_ASSERT(row.timestamp(0) == now());
        CPPUNIT_ASSERT_EQUAL(std::string{"token_reused"}, row.text(1));
        clock_.advance(1s);
        assertOutcome(Outcome::Ended, 0);
        assertOutcome(Outcome::Ended, 1);
        CPPUNIT_ASSERT(only("SELECT revoked_at_us FROM sessions").timestamp(0) == now() - 1s);
        const db::Row audit = only("SELECT id, event, user_id, ip_address, user_agent, request_id FROM audit_events");
        CPPUNIT_ASSERT(audit.uuid(0) == reuse.auditId);
        CPPUNIT_ASSERT_EQUAL(std::string{"TOKEN_REUSED"}, audit.text(1));
        CPPUNIT_ASSERT(audit.uuid(2) == user_);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, audit.text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"Browser/1.0"}, audit.text(4));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, audit.text(5));
    }

    void revokesForAnOlderTokenEvenWithinTheGrace() {
        assertOutcome(Outcome::Rotated, 0);
        assertOutcome(Outcome::Rotated, 1);
        assertOutcome(Outcome::Repeated, 1);
        assertOutcome(Outcome::Reused, 0);
        assertOutcome(Outcome::Ended, 1);
        assertOutcome(Outcome::Ended, 2);
    }

    void endsUnknownRevokedExpiredAndDisabledSessions() {
        const auto state = [this] {
            return only("SELECT refresh_counter, expires_at_us, last_seen_at_us FROM sessions WHERE id = ?",
                        {session_});
        };
        const Uuid good = session_;
        session_ = newId();
        assertOutcome(Outcome::Ended, 0);
        session_ = good;

        connection_->execute("UPDATE users SET status = 'disabled'", {});
        assertOutcome(Outcome::Ended, 0);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, state().integer(0));
        connection_->execute("UPDATE users SET status = 'active'", {});
        assertOutcome(Outcome::Rotated, 0);

        connection_->execute("UPDATE sessions SET expires_at_us = ?", {now()});
        assertOutcome(Outcome::Ended, 1);
        CPPUNIT_ASSERT(state().timestamp(1) == now());
        clock_.advance(-1us);
        assertOutcome(Outcome::Rotated, 1);

        CPPUNIT_ASSERT(revoke(session_, user_));
        assertOutcome(Outcome::Ended, 2);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, state().integer(0));
        assertWords({"SESSION_REVOKED"}, auditEvents());
    }

    void endsWithoutRevokingWhereTheCounterIsAhead() {
        assertOutcome(Outcome::Ended, 1);
        assertOutcome(Outcome::Ended, 1000);
        CPPUNIT_ASSERT(!isRevoked());
        CPPUNIT_ASSERT(auditEvents().empty());
        assertOutcome(Outcome::Rotated, 0);
    }

    void livesAsLongAsItIsRefreshed() {
        for (std::int64_t i = 0; i < 10; ++i) {
            clock_.advance(167h);
            assertOutcome(Outcome::Rotated, i);
        }
        clock_.advance(kLifetime);
        assertOutcome(Outcome::Ended, 10);
    }

    void leavesNoRowForAThousandRefreshes() {
        for (std::int64_t i = 0; i < 1000; ++i) {
            clock_.advance(1s);
            CPPUNIT_ASSERT_EQUAL(Outcome::Rotated, refresh(i).outcome);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1000}, counter());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("audit_events"));
    }

    void auditsARefreshFromElsewhere() {
        auto moved = newRefresh(0);
        moved.client.address = "192.0.2.8";
        store_->refresh(moved);
        clock_.advance(5min);  // within which a session is told of once
        auto updated = newRefresh(1);
        updated.client.address = "192.0.2.8";
        updated.client.userAgent = keys(63);
        updated.client.requestId = "request-2";
        store_->refresh(updated);
        auto same = updated;
        same.counter = 2;
        same.auditId = newId();
        store_->refresh(same);
        auto repeated = newRefresh(2);
        CPPUNIT_ASSERT_EQUAL(Outcome::Repeated, store_->refresh(repeated).outcome);
        assertWords({"TOKEN_REFRESHED", "TOKEN_REFRESHED"}, auditEvents());
        const db::Row audit = only("SELECT user_id, ip_address, user_agent, request_id FROM audit_events WHERE id = ?",
                                   {updated.auditId});
        CPPUNIT_ASSERT(audit.uuid(0) == user_);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.8"}, audit.text(1));
        CPPUNIT_ASSERT_EQUAL(keys(63), audit.text(2));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-2"}, audit.text(3));
        const db::Row row = only("SELECT ip_address, user_agent FROM sessions");
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.8"}, row.text(0));
        CPPUNIT_ASSERT_EQUAL(keys(63), row.text(1));
    }

    void touchesNoOtherSession() {
        const Uuid other = addSession(user_);
        assertOutcome(Outcome::Rotated, 0);
        assertOutcome(Outcome::Rotated, 1);
        assertOutcome(Outcome::Reused, 0);
        session_ = other;
        assertOutcome(Outcome::Rotated, 0);
    }

    std::array<int, 4> refreshOnThreads(std::size_t threads, std::int64_t shown) {
        std::array<std::atomic<int>, 4> counts{};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            if (i >= threads) return;
            const auto outcome =
                store::makeSessionStore(connection, Base::groupsOf(i))->refresh(newRefresh(shown)).outcome;
            ++counts.at(static_cast<std::size_t>(outcome));
        });
        return {counts[0], counts[1], counts[2], counts[3]};
    }

    void rotatesOnceForTwoThreads() {
        for (std::int64_t i = 0; i < 20; ++i) {
            CPPUNIT_ASSERT((refreshOnThreads(2, i) == std::array{1, 1, 0, 0}));
            CPPUNIT_ASSERT_EQUAL(i + 1, counter());
        }
    }

    void rotatesOnceForSixteenThreads() {
        for (std::int64_t i = 0; i < 5; ++i) CPPUNIT_ASSERT((refreshOnThreads(kThreads, i) == std::array{1, 15, 0, 0}));
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void revokesOnceForSixteenThreads() {
        assertOutcome(Outcome::Rotated, 0);
        clock_.advance(1h);
        const auto [rotated, repeated, reused, ended] = refreshOnThreads(kThreads, 0);
        CPPUNIT_ASSERT_EQUAL(0, rotated + repeated);
        CPPUNIT_ASSERT_EQUAL(1, reused);
        CPPUNIT_ASSERT_EQUAL(15, ended);
        assertWords({"TOKEN_REUSED"}, auditEvents());
    }
};

REGISTER_ON_BOTH_ENGINES(SessionStoreRefreshTest);

}  // namespace session_store_refresh_test
}  // namespace otpgate::test
