// The sessions of protected sites: what a ticket and a cookie are good for, and for nobody else.
#include "otpgate/domain/site_sessions.h"

#include "otpgate/base/encoding.h"
#include "otpgate/domain/session_service.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_session_store.h"
#include "support_cpp/fake_signing_key_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <set>

namespace otpgate::domain {
namespace site_sessions_test {

using namespace std::chrono_literals;

const std::string kWiki = "https://wiki.example.com";
const std::string kShop = "https://shop.example.com";

class FakeTicketStore final : public TicketStore {
public:
    bool use(const Uuid& ticket, Timestamp expiresAt) override {
        lastExpiry = expiresAt;
        return used.insert(ticket).second;
    }
    std::set<Uuid> used;
    Timestamp lastExpiry{};
};

class SiteSessionsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SiteSessionsTest);
    CPPUNIT_TEST(makesANonceForEachBrowser);
    CPPUNIT_TEST(handsTheSessionOver);
    CPPUNIT_TEST(takesATicketOnce);
    CPPUNIT_TEST(takesATicketForAMinute);
    CPPUNIT_TEST(takesATicketAtItsSiteAlone);
    CPPUNIT_TEST(takesATicketFromItsBrowserAlone);
    CPPUNIT_TEST(usesUpWhateverTicketIsShown);
    CPPUNIT_TEST(handsOverNoSessionThatIsOver);
    CPPUNIT_TEST(takesNoOtherTextForATicket);
    CPPUNIT_TEST(recognisesTheVisitorByTheCookieOfThisPlace);
    CPPUNIT_TEST(recognisesNobodyWhoseSessionIsOver);
    CPPUNIT_TEST(opensNoAccountByTheCookieOfASite);
    CPPUNIT_TEST(letsASessionInUseLiveOn);
    CPPUNIT_TEST_SUITE_END();

    test::FakeClock clock_;
    test::CountingRandom random_;
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    test::FakeSessionStore store_;
    FakeTicketStore tickets_;
    SiteSessions sites_{store_, tickets_, ring_, clock_, random_, SessionLifetimes{}};
    const Uuid session_ = Uuid::makeV7(clock_.now(), random_);
    const std::string nonce_ = sites_.makeNonce();

    std::string ticket(const std::string& site = kWiki) {
        return sites_.ticketFor(session_, site, SiteSessions::challengeOf(nonce_));
    }

    void makesANonceForEachBrowser() {
        CPPUNIT_ASSERT(SiteSessions::isNonce(nonce_));
        CPPUNIT_ASSERT(nonce_ != sites_.makeNonce());
        CPPUNIT_ASSERT(SiteSessions::isChallenge(SiteSessions::challengeOf(nonce_)));
        for (const char* text : {"", "x", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA="}) {
            CPPUNIT_ASSERT(!SiteSessions::isNonce(text));
            CPPUNIT_ASSERT(!SiteSessions::isChallenge(text));
        }
    }

    void handsTheSessionOver() {
        CPPUNIT_ASSERT(sites_.redeem(ticket(), kWiki, nonce_));
        CPPUNIT_ASSERT(store_.found.back().first == session_);
        CPPUNIT_ASSERT(tickets_.lastExpiry == clock_.now() + SiteSessions::kTicketLifetime);
    }

    void takesATicketOnce() {
        const std::string shown = ticket();
        CPPUNIT_ASSERT(sites_.redeem(shown, kWiki, nonce_));
        CPPUNIT_ASSERT(!sites_.redeem(shown, kWiki, nonce_));
        CPPUNIT_ASSERT(sites_.redeem(ticket(), kWiki, nonce_));
    }

    void takesATicketForAMinute() {
        const std::string early = ticket();
        const std::string late = ticket();
        clock_.advance(60s - 1us);
        CPPUNIT_ASSERT(sites_.redeem(early, kWiki, nonce_));
        clock_.advance(1us);
        CPPUNIT_ASSERT(!sites_.redeem(late, kWiki, nonce_));
    }

    void takesATicketAtItsSiteAlone() {
        for (const char* site : {"https://shop.example.com", "http://wiki.example.com", "https://wiki.example.com:8443",
                                 "https://wiki.example.com/", ""}) {
            CPPUNIT_ASSERT_MESSAGE(site, !sites_.redeem(ticket(), site, nonce_));
        }
    }

    void takesATicketFromItsBrowserAlone() {
        for (const std::string& nonce :
             {std::string{}, sites_.makeNonce(), SiteSessions::challengeOf(nonce_), nonce_ + "A"}) {
            CPPUNIT_ASSERT_MESSAGE(nonce, !sites_.redeem(ticket(), kWiki, nonce));
        }
    }

    // Somebody sends others to a ticket for a nonce of his own, to read it where it lies.
    void usesUpWhateverTicketIsShown() {
        for (const auto& [site, nonce] : {std::pair{kShop, nonce_}, {kWiki, sites_.makeNonce()}, {kWiki, ""}}) {
            const std::string shown = ticket();
            CPPUNIT_ASSERT(!sites_.redeem(shown, site, nonce));
            CPPUNIT_ASSERT(!sites_.redeem(shown, kWiki, nonce_));
        }
    }

    void handsOverNoSessionThatIsOver() {
        store_.active.reset();
        CPPUNIT_ASSERT(!sites_.redeem(ticket(), kWiki, nonce_));
    }

    void takesNoOtherTextForATicket() {
        std::string forged = ticket();
        forged[30] = forged[30] == 'A' ? 'B' : 'A';
        for (const std::string& text :
             {std::string{}, std::string{"x"}, forged, ticket() + "A", sites_.cookieOf(session_, kWiki), nonce_}) {
            CPPUNIT_ASSERT(!sites_.redeem(text, kWiki, nonce_));
        }
        CPPUNIT_ASSERT(store_.found.empty());
    }

    void recognisesTheVisitorByTheCookieOfThisPlace() {
        const std::string cookie = sites_.cookieOf(session_, kWiki);
        CPPUNIT_ASSERT(sites_.authenticate(cookie, kWiki));
        CPPUNIT_ASSERT(store_.found.back().first == session_);
        for (const char* place : {"https://shop.example.com", "http://wiki.example.com", "https://wiki.example.com:444",
                                  ".example.com", ""}) {
            CPPUNIT_ASSERT_MESSAGE(place, !sites_.authenticate(cookie, place));
        }
        CPPUNIT_ASSERT(!sites_.authenticate(ticket(), kWiki));
        CPPUNIT_ASSERT(!sites_.authenticate(sites_.cookieOf(session_, ".example.com"), kWiki));
    }

    void recognisesNobodyWhoseSessionIsOver() {
        store_.active.reset();
        CPPUNIT_ASSERT(!sites_.authenticate(sites_.cookieOf(session_, kWiki), kWiki));
    }

    void opensNoAccountByTheCookieOfASite() {
        test::FakeSigningKeyStore keyStore;
        SigningKeys keys{ring_, 900s};
        keys.reload(keyStore, random_, clock_.now());
        SessionService accounts{store_, keys, ring_, clock_, random_, {}};
        const std::string cookie = sites_.cookieOf(session_, kWiki);
        CPPUNIT_ASSERT(!accounts.authenticateCookie(cookie));
        CPPUNIT_ASSERT(!accounts.authenticate(cookie));
        CPPUNIT_ASSERT(!accounts.inspectRefreshToken(cookie));
        CPPUNIT_ASSERT(!accounts.authenticateCookie(ticket()));
        // Nor the other way: a site is shown no login.
        CPPUNIT_ASSERT(!sites_.authenticate(accounts.cookieOf(session_), kWiki));
    }

    void letsASessionInUseLiveOn() {
        store_.active->session.id = session_;
        store_.active->session.lastSeenAt = clock_.now() - 5min;
        CPPUNIT_ASSERT(sites_.authenticate(sites_.cookieOf(session_, kWiki), kWiki));
        CPPUNIT_ASSERT(store_.touches.empty());
        clock_.advance(1us);
        CPPUNIT_ASSERT(sites_.authenticate(sites_.cookieOf(session_, kWiki), kWiki));
        CPPUNIT_ASSERT(store_.touches.back().expiresAt == clock_.now() + 168h);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SiteSessionsTest);

}  // namespace site_sessions_test
}  // namespace otpgate::domain
