// Reading the audit trail: who sees which events, and in which order.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <set>

namespace otpgate::test {
namespace audit_log_test {

using domain::AuditEvent;
using domain::AuditFilter;
using domain::AuditScope;
using namespace std::chrono_literals;

constexpr const char* kAda = "ada@example.com";
constexpr const char* kPhone = "+1555000123";

template <class Engine>
class AuditLogTest : public StoreTest<AuditLogTest<Engine>, Engine> {
    using Base = StoreTest<AuditLogTest<Engine>, Engine>;

    CPPUNIT_TEST_SUITE(AuditLogTest);
    CPPUNIT_TEST(showsAnEventWithAllThatIsKnownOfIt);
    CPPUNIT_TEST(showsTheNewestFirst);
    CPPUNIT_TEST(cutsIntoPagesThatMeetWithoutGapOrOverlap);
    CPPUNIT_TEST(walksThroughAllByTheLastId);
    CPPUNIT_TEST(showsAnAdminEverything);
    CPPUNIT_TEST(showsAUserTheirOwnEventsAndThoseOfTheirAddresses);
    CPPUNIT_TEST(keepsAnotherAccountsEventsFromWhoHoldsTheAddressNow);
    CPPUNIT_TEST(beginsWithTheAccountWhereTheAddressMayHaveBeenSomebodyElses);
    CPPUNIT_TEST(beginsWithTheChangeWhereTheAddressCameToTheAccountLater);
    CPPUNIT_TEST(showsEachEventOnceThoughItIsOfTheUserAndTheAddress);
    CPPUNIT_TEST(filtersByEvent);
    CPPUNIT_TEST(filtersByDestination);
    CPPUNIT_TEST(filtersByTimeWithAnOpenEnd);
    CPPUNIT_TEST(combinesFilters);
    CPPUNIT_TEST(stopsCountingAtTheMost);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        log_ = store::makeAuditStore(*Base::connection_);
    }

private:
    Uuid write(AuditEvent event, const std::optional<Uuid>& userId, const std::optional<std::string>& destination) {
        const Uuid id = Base::newId();
        Base::connection_->execute(
            "INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id,"
            " metadata, created_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {id, domain::toString(event), userId, destination, "192.0.2.7", "Browser/1.0", "request-1",
             R"({"reason":"because"})", Base::now()});
        return id;
    }
    void write(unsigned count, AuditEvent event = AuditEvent::OtpRequested) {
        for (unsigned i = 0; i < count; ++i) write(event, std::nullopt, kAda);
    }
    std::vector<Uuid> page(const AuditFilter& filter, unsigned offset = 0, unsigned limit = 50) {
        return idsOf(log_->page(filter, offset, limit));
    }
    static std::vector<Uuid> idsOf(const std::vector<domain::AuditEntry>& entries) {
        std::vector<Uuid> ids;
        ids.reserve(entries.size());
        for (const auto& entry : entries) ids.push_back(entry.id);
        return ids;
    }
    // The page and the count must tell the same.
    void assertFinds(const std::vector<Uuid>& expected, const AuditFilter& filter) {
        CPPUNIT_ASSERT(expected == page(filter));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{expected.size()}, log_->count(filter, 100));
    }

    void showsAnEventWithAllThatIsKnownOfIt() {
        const Uuid user = Base::newId();
        const Uuid id = write(AuditEvent::LoginFailed, user, kAda);
        Base::connection_->execute("INSERT INTO audit_events (id, event, created_at_us) VALUES (?, 'OTP_SENT', ?)",
                                   {Base::newId(), Base::now()});

        const auto entries = log_->page({}, 0, 10);

        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, entries.size());
        CPPUNIT_ASSERT(id == entries[1].id);
        CPPUNIT_ASSERT_EQUAL(std::string{"LOGIN_FAILED"}, entries[1].event);
        CPPUNIT_ASSERT(user == entries[1].userId);
        CPPUNIT_ASSERT(std::string{kAda} == entries[1].destination);
        CPPUNIT_ASSERT(std::string{"192.0.2.7"} == entries[1].ipAddress);
        CPPUNIT_ASSERT(std::string{"Browser/1.0"} == entries[1].userAgent);
        CPPUNIT_ASSERT(std::string{"request-1"} == entries[1].requestId);
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"reason":"because"})"}, entries[1].metadata);
        CPPUNIT_ASSERT(Base::now() == entries[1].createdAt);
        CPPUNIT_ASSERT(!entries[0].userId && !entries[0].destination && !entries[0].ipAddress);
        CPPUNIT_ASSERT_EQUAL(std::string{"{}"}, entries[0].metadata);
    }

    void showsTheNewestFirst() {
        const Uuid first = write(AuditEvent::OtpRequested, std::nullopt, kAda);
        Base::clock_.advance(1s);
        const Uuid second = write(AuditEvent::OtpVerified, std::nullopt, kAda);

        assertFinds({second, first}, {});
    }

    void cutsIntoPagesThatMeetWithoutGapOrOverlap() {
        write(25);
        std::set<Uuid> seen;
        for (const unsigned offset : {0U, 10U, 20U}) {
            for (const Uuid& id : page({}, offset, 10)) seen.insert(id);
        }

        CPPUNIT_ASSERT_EQUAL(std::size_t{25}, seen.size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{5}, page({}, 20, 10).size());
        CPPUNIT_ASSERT(page({}, 30, 10).empty());
    }

    void walksThroughAllByTheLastId() {
        write(25);
        std::vector<Uuid> walked;
        std::optional<Uuid> last;
        for (;;) {
            const auto ids = idsOf(log_->next({}, last, 10));
            if (ids.empty()) break;
            walked.insert(walked.end(), ids.begin(), ids.end());
            last = ids.back();
        }

        CPPUNIT_ASSERT(page({}) == walked);
    }

    void showsAnAdminEverything() {
        domain::User admin;
        admin.id = Base::newId();
        admin.role = domain::Role::Admin;
        const Uuid event = write(AuditEvent::LoginSucceeded, Base::newId(), kAda);

        AuditFilter filter;
        filter.scope = domain::auditScopeOf(admin);
        assertFinds({event}, filter);
    }

    void showsAUserTheirOwnEventsAndThoseOfTheirAddresses() {
        domain::User user;
        user.id = Base::newId();
        user.email = kAda;
        user.emailVerified = true;
        user.phoneNumber = kPhone;
        const Uuid own = write(AuditEvent::TokenRefreshed, user.id, std::nullopt);
        const Uuid byMail = write(AuditEvent::OtpFailed, std::nullopt, kAda);
        write(AuditEvent::OtpFailed, std::nullopt, kPhone);  // not verified: who knows whose it is
        write(AuditEvent::OtpFailed, std::nullopt, "bob@example.com");
        write(AuditEvent::LoginSucceeded, Base::newId(), "bob@example.com");

        AuditFilter filter;
        filter.scope = domain::auditScopeOf(user);
        assertFinds({byMail, own}, filter);
        user.phoneVerified = true;
        filter.scope = domain::auditScopeOf(user);
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, page(filter).size());
    }

    void keepsAnotherAccountsEventsFromWhoHoldsTheAddressNow() {
        const Uuid somebodyElse = Base::newId();
        write(AuditEvent::VerificationRequested, somebodyElse, kAda);

        AuditFilter filter;
        filter.scope = AuditScope{Base::newId(), {kAda}};
        assertFinds({}, filter);
    }

    void beginsWithTheAccountWhereTheAddressMayHaveBeenSomebodyElses() {
        write(AuditEvent::OtpFailed, std::nullopt, kAda);
        Base::clock_.advance(std::chrono::hours{2});
        const Uuid own = write(AuditEvent::OtpFailed, std::nullopt, kAda);
        domain::User user;
        user.id = Base::newId();
        user.email = kAda;
        user.emailVerified = true;
        user.joinedAt = Base::now();

        AuditFilter filter;
        filter.scope = domain::auditScopeOf(user);
        assertFinds({own}, filter);
    }

    void beginsWithTheChangeWhereTheAddressCameToTheAccountLater() {
        domain::User user;
        user.id = Base::newId();
        user.email = kAda;
        user.emailVerified = true;
        user.joinedAt = Base::now();
        Base::clock_.advance(std::chrono::hours{2});
        write(AuditEvent::OtpFailed, std::nullopt, kAda);
        write(AuditEvent::AddressChanged, Base::newId(), kAda);
        write(AuditEvent::OtpFailed, std::nullopt, kAda);
        const Uuid change = write(AuditEvent::AddressChanged, user.id, kAda);
        const Uuid own = write(AuditEvent::OtpFailed, std::nullopt, kAda);

        AuditFilter filter;
        filter.scope = domain::auditScopeOf(user);
        assertFinds({own, change}, filter);
    }

    void showsEachEventOnceThoughItIsOfTheUserAndTheAddress() {
        const Uuid user = Base::newId();
        const Uuid event = write(AuditEvent::LoginSucceeded, user, kAda);

        AuditFilter filter;
        filter.scope = AuditScope{user, {kAda, kPhone}};
        assertFinds({event}, filter);
    }

    void filtersByEvent() {
        write(3);
        const Uuid failed = write(AuditEvent::LoginFailed, std::nullopt, kAda);

        AuditFilter filter;
        filter.event = AuditEvent::LoginFailed;
        assertFinds({failed}, filter);
    }

    void filtersByDestination() {
        write(3);
        const Uuid byPhone = write(AuditEvent::OtpRequested, Base::newId(), kPhone);

        AuditFilter filter;
        filter.destination = kPhone;
        assertFinds({byPhone}, filter);
    }

    void filtersByTimeWithAnOpenEnd() {
        const Timestamp begin = Base::now();
        const Uuid early = write(AuditEvent::OtpRequested, std::nullopt, kAda);
        Base::clock_.advance(1s);
        const Uuid late = write(AuditEvent::OtpRequested, std::nullopt, kAda);

        AuditFilter filter;
        filter.since = begin;
        assertFinds({late, early}, filter);
        filter.before = begin + 1s;
        assertFinds({early}, filter);
        filter.since = begin + 1ms;
        assertFinds({}, filter);
        filter.before.reset();
        assertFinds({late}, filter);
    }

    void combinesFilters() {
        const Uuid user = Base::newId();
        write(AuditEvent::LoginFailed, user, kAda);
        Base::clock_.advance(1min);
        const Uuid wanted = write(AuditEvent::LoginFailed, user, kAda);
        write(AuditEvent::LoginSucceeded, user, kAda);
        write(AuditEvent::LoginFailed, user, kPhone);
        write(AuditEvent::LoginFailed, Base::newId(), kAda);

        AuditFilter filter;
        filter.scope = AuditScope{user, {kAda}};
        filter.event = AuditEvent::LoginFailed;
        filter.destination = kAda;
        filter.since = Base::now();
        assertFinds({wanted}, filter);
    }

    void stopsCountingAtTheMost() {
        write(20);
        AuditFilter filter;
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, log_->count(filter, 7));
        filter.scope = AuditScope{Base::newId(), {kAda}};
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{20}, log_->count(filter, 20));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{20}, log_->count(filter, 21));
    }

    std::unique_ptr<domain::AuditStore> log_;
};

REGISTER_ON_BOTH_ENGINES(AuditLogTest);

}  // namespace audit_log_test
}  // namespace otpgate::test
