// What a refresh token does to a session, and what is told of it.
#include "otpgate/domain/session_rules.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace session_rules_test {

using namespace std::chrono_literals;
using Outcome = SessionRefreshResult::Outcome;

class SessionRulesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SessionRulesTest);
    CPPUNIT_TEST(rotatesTheNewestToken);
    CPPUNIT_TEST(auditsARotationFromElsewhereOnly);
    CPPUNIT_TEST(repeatsThePredecessorWithinTheGrace);
    CPPUNIT_TEST(revokesWhereThePredecessorComesLate);
    CPPUNIT_TEST(revokesForAnOlderTokenEvenWithinTheGrace);
    CPPUNIT_TEST(endsWithoutRevokingATokenAheadOfTheRow);
    CPPUNIT_TEST(endsWhereThereIsNoSession);
    CPPUNIT_TEST(endsAtItsTime);
    CPPUNIT_TEST(endsOnceItIsRevoked);
    CPPUNIT_TEST(endsWhereTheUserIsNotActive);
    CPPUNIT_TEST(refreshesNoSessionFromBeforeTheFactor);
    CPPUNIT_TEST(refreshesForWhomTheRuleLetsInAlone);
    CPPUNIT_TEST(decidesOneAfterTheOtherOverOneRow);
    CPPUNIT_TEST(tellsOfMovesOnceInAWhile);
    CPPUNIT_TEST(knowsARecentSignIn);
    CPPUNIT_TEST(endsWhenItsWholeTimeIsOverHoweverOftenItIsRefreshed);
    CPPUNIT_TEST(endsAtOnceWhereASettingHasMadeSessionsShorter);
    CPPUNIT_TEST(endsSoonerByTwoFactors);
    CPPUNIT_TEST(beginsItsTimeAtTwoFactorsWhenItIsRaised);
    CPPUNIT_TEST(refreshesNobodyWhoMustAddAFactorFirst);
    CPPUNIT_TEST_SUITE_END();

    StoredSession session() const {
        return {.id = id_,
                .userId = user_,
                .userIsActive = true,
                .createdAt = now_ - 48h,
                .authenticatedAt = now_ - 48h,
                .methods = "pwd otp",
                .refreshCounter = 7,
                .rotatedAt = now_ - 10s,
                .lastSeenAt = now_ - 10s,
                .expiresAt = now_ + 24h,
                .revokedAt = std::nullopt,
                .address = "192.0.2.7",
                .userAgent = "Browser/1.0"};
    }
    SessionRefresh refresh(std::int64_t counter) const {
        return {.sessionId = id_,
                .counter = counter,
                .now = now_,
                .lifetimes = {168h, 720h},
                .graceSince = now_ - 30s,
                .auditId = {},
                .client = {"192.0.2.7", "192.0.2.7", "Browser/1.0", "request-1"}};
    }
    void assertGranted(Outcome outcome, const RefreshRuling& ruling) const {
        CPPUNIT_ASSERT(ruling.result.outcome == outcome);
        CPPUNIT_ASSERT(ruling.result.userId == user_);
        CPPUNIT_ASSERT(ruling.result.authenticatedAt == now_ - 48h);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, ruling.result.methods);
    }
    // Nobody learns whose session it was.
    static void assertRefused(Outcome outcome, const RefreshRuling& ruling) {
        CPPUNIT_ASSERT(ruling.result.outcome == outcome);
        CPPUNIT_ASSERT(ruling.result.userId == Uuid{});
        CPPUNIT_ASSERT(ruling.result.methods.empty());
    }
    static void assertSame(const StoredSession& expected, const StoredSession& actual) {
        CPPUNIT_ASSERT(expected.refreshCounter == actual.refreshCounter);
        CPPUNIT_ASSERT(expected.rotatedAt == actual.rotatedAt);
        CPPUNIT_ASSERT(expected.lastSeenAt == actual.lastSeenAt);
        CPPUNIT_ASSERT(expected.expiresAt == actual.expiresAt);
        CPPUNIT_ASSERT(expected.revokedAt == actual.revokedAt);
        CPPUNIT_ASSERT(expected.address == actual.address);
        CPPUNIT_ASSERT(expected.userAgent == actual.userAgent);
        CPPUNIT_ASSERT(expected.movedAt == actual.movedAt);
    }
    void assertEndedAndUntouched(StoredSession row, std::int64_t counter) const {
        const StoredSession before = row;
        const RefreshRuling ruling = ruleOnRefresh(refresh(counter), &row);
        assertRefused(Outcome::Ended, ruling);
        CPPUNIT_ASSERT(!ruling.event);
        assertSame(before, row);
    }

    void endsWhenItsWholeTimeIsOverHoweverOftenItIsRefreshed() {
        StoredSession row = session();
        row.createdAt = now_;
        SessionRefresh each = refresh(7);
        int refreshed = 0;
        for (; ruleOnRefresh(each, &row).result.outcome == Outcome::Rotated; ++refreshed) {
            CPPUNIT_ASSERT(row.expiresAt == std::min<Timestamp>(each.now + 168h, row.createdAt + 720h));
            each.now += 1min;
            each.graceSince += 1min;
            ++each.counter;
        }
        CPPUNIT_ASSERT_EQUAL(720 * 60, refreshed);
        CPPUNIT_ASSERT(each.now == row.createdAt + 720h);
        // Neither does the predecessor get anything.
        --each.counter;
        assertRefused(Outcome::Ended, ruleOnRefresh(each, &row));
    }

    void refreshesNoSessionFromBeforeTheFactor() {
        StoredSession row = session();
        row.userHasFactor = true;
        const StoredSession before = row;
        const RefreshRuling ruling = ruleOnRefresh(refresh(7), &row);
        assertRefused(Outcome::NeedsFactor, ruling);
        CPPUNIT_ASSERT(!ruling.event);
        assertSame(before, row);
        row.methods = "hwk user mfa";
        row.authenticatedAt = now_;
        CPPUNIT_ASSERT(ruleOnRefresh(refresh(7), &row).result.outcome == Outcome::Rotated);
    }

    // Its row says that it has a day.
    void endsAtOnceWhereASettingHasMadeSessionsShorter() {
        StoredSession row = session();
        SessionRefresh shorter = refresh(7);
        shorter.lifetimes.total = 48h;
        assertRefused(Outcome::Ended, ruleOnRefresh(shorter, &row));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, row.refreshCounter);
        shorter.lifetimes.total += 1s;
        const RefreshRuling last = ruleOnRefresh(shorter, &row);
        assertGranted(Outcome::Rotated, last);
        CPPUNIT_ASSERT(last.result.lastsUntil == now_ + 1s);
        CPPUNIT_ASSERT(row.expiresAt == now_ + 1s);
    }

    // The shorter of the two times counts, of those without use and of those in all.
    void endsSoonerByTwoFactors() {
        struct Case {
            const char* methods;
            SessionLifetimes lifetimes;
            std::chrono::seconds idle, total;
        };
        const Case cases[] = {
            {"pwd otp", {168h, 720h, 1h, 24h}, 168h, 720h},      {"otp totp", {168h, 720h, 1h, 24h}, 168h, 720h},
            {"hwk user mfa", {168h, 720h, 1h, 24h}, 1h, 24h},    {"pwd otp totp mfa", {168h, 720h, 1h, 24h}, 1h, 24h},
            {"hwk user mfa", {30min, 12h, 1h, 24h}, 30min, 12h},
        };
        for (const Case& each : cases) {
            CPPUNIT_ASSERT_MESSAGE(each.methods,
                                   newSessionEndsAt(each.methods, now_, each.lifetimes) == now_ + each.idle);
            Session used;
            used.methods = each.methods;
            used.createdAt = used.authenticatedAt = now_;
            used.lastSeenAt = now_ + each.total - 1s;
            used.expiresAt = now_ + 10'000h;
            CPPUNIT_ASSERT(sessionEndsAt(used, used.lastSeenAt, each.lifetimes) == now_ + each.total);
            CPPUNIT_ASSERT(isWithinLifetime(used, each.lifetimes, now_ + each.total - 1us));
            CPPUNIT_ASSERT(used.expiresAt == now_ + each.total);
            CPPUNIT_ASSERT(!isWithinLifetime(used, each.lifetimes, now_ + each.total));
            used.lastSeenAt = now_;
            CPPUNIT_ASSERT(isWithinLifetime(used, each.lifetimes, now_ + each.idle - 1us));
            CPPUNIT_ASSERT(!isWithinLifetime(used, each.lifetimes, now_ + each.idle));
        }
        StoredSession row = session();
        row.methods = "hwk user mfa";
        row.authenticatedAt = now_ - 24h;
        assertRefused(Outcome::Ended, ruleOnRefresh(refresh(7), &row));
        row.authenticatedAt = now_ - 24h + 10min;
        CPPUNIT_ASSERT(ruleOnRefresh(refresh(7), &row).result.lastsUntil == now_ + 10min &&
                       row.expiresAt == now_ + 10min);
        row.lastSeenAt = now_ - 1h;
        assertRefused(Outcome::Ended, ruleOnRefresh(refresh(8), &row));
    }

    // Its row says a week, and it was seen last when it began.
    void beginsItsTimeAtTwoFactorsWhenItIsRaised() {
        Session raised;
        raised.methods = "hwk user mfa";
        raised.createdAt = raised.lastSeenAt = now_ - 48h;
        raised.authenticatedAt = now_;
        raised.expiresAt = now_ + 120h;
        const SessionLifetimes lifetimes{168h, 720h, 1h, 24h};
        CPPUNIT_ASSERT(isWithinLifetime(raised, lifetimes, now_ + 1h - 1us) && raised.expiresAt == now_ + 1h);
        CPPUNIT_ASSERT(!isWithinLifetime(raised, lifetimes, now_ + 1h));
        CPPUNIT_ASSERT(sessionEndsAt(raised, now_ + 24h - 1min, lifetimes) == now_ + 24h);
    }

    void refreshesNobodyWhoMustAddAFactorFirst() {
        SignInRule rule;
        rule.factors = {.whom = FactorRule::Whom::Group, .group = "staff", .grace = 24h};
        StoredSession row = session();
        row.userGroups = {"staff"};
        const auto outcome = [&] {
            SessionRefresh asked = refresh(row.refreshCounter);
            asked.signIn = &rule;
            return ruleOnRefresh(asked, &row).result.outcome;
        };
        row.userFactorWantedSince = now_ - 24h + 1us;
        CPPUNIT_ASSERT(outcome() == Outcome::Rotated);
        row.userFactorWantedSince = now_ - 24h;
        CPPUNIT_ASSERT(outcome() == Outcome::NeedsFactor);
        row.userGroups = {"guests"};
        CPPUNIT_ASSERT(outcome() == Outcome::Rotated);
        row.userGroups = {"staff"};
        row.userHasFactor = true;
        row.methods = "otp totp";
        CPPUNIT_ASSERT(outcome() == Outcome::Rotated);
    }

    void rotatesTheNewestToken() {
        StoredSession row = session();
        const RefreshRuling ruling = ruleOnRefresh(refresh(7), &row);
        assertGranted(Outcome::Rotated, ruling);
        CPPUNIT_ASSERT(!ruling.event);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{8}, row.refreshCounter);
        CPPUNIT_ASSERT(row.rotatedAt == now_);
        CPPUNIT_ASSERT(row.lastSeenAt == now_);
        CPPUNIT_ASSERT(row.expiresAt == now_ + 168h);
        CPPUNIT_ASSERT(row.authenticatedAt == now_ - 48h);
        CPPUNIT_ASSERT(!row.revokedAt);
    }

    void auditsARotationFromElsewhereOnly() {
        SessionRefresh moved = refresh(7);
        moved.client.address = "192.0.2.8";
        StoredSession row = session();
        CPPUNIT_ASSERT(ruleOnRefresh(moved, &row).event == AuditEvent::TokenRefreshed);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.8"}, row.address);
        moved.counter = 8;
        CPPUNIT_ASSERT(!ruleOnRefresh(moved, &row).event);

        SessionRefresh updated = refresh(7);
        updated.client.userAgent = "Browser/2.0";
        row = session();
        CPPUNIT_ASSERT(ruleOnRefresh(updated, &row).event == AuditEvent::TokenRefreshed);
        CPPUNIT_ASSERT_EQUAL(std::string{"Browser/2.0"}, row.userAgent);
    }

    // Whoever comes from elsewhere at each refresh leaves a row in five minutes, and is found by the first one after.
    void tellsOfMovesOnceInAWhile() {
        StoredSession row = session();
        SessionRefresh moving = refresh(7);
        int told = 0;
        for (int i = 0; i < 3000; ++i) {
            moving.client.userAgent = "Browser/" + std::to_string(i + 2);
            if (ruleOnRefresh(moving, &row).event) {
                ++told;
                CPPUNIT_ASSERT_EQUAL(moving.client.userAgent, row.userAgent);
            }
            ++moving.counter;
            moving.now += 200ms;
        }
        CPPUNIT_ASSERT_EQUAL(2, told);
        CPPUNIT_ASSERT(row.userAgent != moving.client.userAgent);
        moving.now = row.movedAt + 5min;
        CPPUNIT_ASSERT(ruleOnRefresh(moving, &row).event == AuditEvent::TokenRefreshed);
        CPPUNIT_ASSERT_EQUAL(moving.client.userAgent, row.userAgent);
    }

    void knowsARecentSignIn() {
        Session signedIn;
        signedIn.authenticatedAt = now_;
        CPPUNIT_ASSERT(signedInRecently(signedIn, 900s, now_));
        CPPUNIT_ASSERT(signedInRecently(signedIn, 900s, now_ + 900s));
        CPPUNIT_ASSERT(!signedInRecently(signedIn, 900s, now_ + 900s + 1us));
    }

    void repeatsThePredecessorWithinTheGrace() {
        StoredSession row = session();
        row.rotatedAt = now_ - 30s + 1us;
        const StoredSession before = row;
        // From elsewhere too: its own answer may have been lost on the way.
        SessionRefresh repeated = refresh(6);
        repeated.client.address = "192.0.2.8";
        const RefreshRuling ruling = ruleOnRefresh(repeated, &row);
        assertGranted(Outcome::Repeated, ruling);
        CPPUNIT_ASSERT(!ruling.event);
        assertSame(before, row);
    }

    void revokesWhereThePredecessorComesLate() {
        StoredSession row = session();
        row.rotatedAt = now_ - 30s;
        const RefreshRuling ruling = ruleOnRefresh(refresh(6), &row);
        assertRefused(Outcome::Reused, ruling);
        CPPUNIT_ASSERT(ruling.event == AuditEvent::TokenReused);
        CPPUNIT_ASSERT(row.revokedAt == now_);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, row.refreshCounter);
    }

    void revokesForAnOlderTokenEvenWithinTheGrace() {
        for (const std::int64_t counter : {5, 0}) {
            StoredSession row = session();
            row.rotatedAt = now_;
            const RefreshRuling ruling = ruleOnRefresh(refresh(counter), &row);
            assertRefused(Outcome::Reused, ruling);
            CPPUNIT_ASSERT(ruling.event == AuditEvent::TokenReused);
            CPPUNIT_ASSERT(row.revokedAt == now_);
        }
    }

    void endsWithoutRevokingATokenAheadOfTheRow() {
        assertEndedAndUntouched(session(), 8);
        assertEndedAndUntouched(session(), 1000);
    }

    void endsWhereThereIsNoSession() {
        const RefreshRuling ruling = ruleOnRefresh(refresh(0), nullptr);
        assertRefused(Outcome::Ended, ruling);
        CPPUNIT_ASSERT(!ruling.event);
    }

    void endsAtItsTime() {
        StoredSession row = session();
        row.expiresAt = now_;
        // Nothing is revoked by what comes too late, not even by a token that was used before.
        for (const std::int64_t counter : {7, 6, 5}) assertEndedAndUntouched(row, counter);
        row.expiresAt = now_ + 1us;
        CPPUNIT_ASSERT(ruleOnRefresh(refresh(7), &row).result.outcome == Outcome::Rotated);
    }

    void endsOnceItIsRevoked() {
        StoredSession row = session();
        row.revokedAt = now_ - 1s;
        for (const std::int64_t counter : {7, 6, 5}) assertEndedAndUntouched(row, counter);
    }

    void endsWhereTheUserIsNotActive() {
        StoredSession row = session();
        row.userIsActive = false;
        for (const std::int64_t counter : {7, 6, 5}) assertEndedAndUntouched(row, counter);
    }

    // He may be a member again, so nothing is revoked.
    void refreshesForWhomTheRuleLetsInAlone() {
        const SignInRule staff{{"staff"}};
        StoredSession row = session();
        row.userGroups = {"guests"};
        const auto outcome = [&] {
            SessionRefresh asked = refresh(row.refreshCounter);
            asked.signIn = &staff;
            return ruleOnRefresh(asked, &row).result.outcome;
        };
        CPPUNIT_ASSERT(outcome() == Outcome::Ended && !row.revokedAt && row.refreshCounter == 7);
        row.userGroups = {"staff"};
        CPPUNIT_ASSERT(outcome() == Outcome::Rotated);
        row.userGroups.clear();
        row.userRole = Role::Admin;
        CPPUNIT_ASSERT(outcome() == Outcome::Rotated);
    }

    // As a group does.
    void decidesOneAfterTheOtherOverOneRow() {
        StoredSession row = session();
        const auto outcomeOf = [&](std::int64_t counter) {
            return ruleOnRefresh(refresh(counter), &row).result.outcome;
        };
        CPPUNIT_ASSERT(outcomeOf(7) == Outcome::Rotated);
        for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(outcomeOf(7) == Outcome::Repeated);
        CPPUNIT_ASSERT(outcomeOf(8) == Outcome::Rotated);
        CPPUNIT_ASSERT(outcomeOf(7) == Outcome::Reused);
        CPPUNIT_ASSERT(outcomeOf(9) == Outcome::Ended);
        CPPUNIT_ASSERT(outcomeOf(7) == Outcome::Ended);
    }

    test::CountingRandom random_;
    const Timestamp now_ = test::FakeClock{}.now();
    const Uuid id_ = Uuid::makeV7(now_, random_);
    const Uuid user_ = Uuid::makeV7(now_, random_);
};

CPPUNIT_TEST_SUITE_REGISTRATION(SessionRulesTest);

}  // namespace session_rules_test
}  // namespace otpgate::domain
