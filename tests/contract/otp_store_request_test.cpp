// Asking for a code: what is written, what is voided, and what limits hold.
#include "contract/otp_store_test.h"

namespace otpgate::test {
namespace otp_store_request_test {

using namespace std::chrono_literals;

template <class Engine>
class OtpStoreRequestTest : public OtpStoreTest<OtpStoreRequestTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreRequestTest<Engine>, Engine>;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::guessRight;
    using Base::kLifetime;
    using Base::newRequest;
    using Base::now;
    using Base::only;
    using Base::requestCode;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreRequestTest);
    CPPUNIT_TEST(writesOneCode);
    CPPUNIT_TEST(writesOneMessageForTheOutbox);
    CPPUNIT_TEST(writesTheLanguagesOfTheMessage);
    CPPUNIT_TEST(writesOneAuditRow);
    CPPUNIT_TEST(keepsLongValuesWhole);
    CPPUNIT_TEST(voidsTheOlderCodeOfTheDestination);
    CPPUNIT_TEST(leavesOtherDestinationsAndPurposesAlone);
    CPPUNIT_TEST(leavesASpentCodeSpent);
    CPPUNIT_TEST(acceptsAsManyAsTheDestinationMay);
    CPPUNIT_TEST(acceptsAsManyAsTheClientMay);
    CPPUNIT_TEST(givesTheClientsPlaceBackWhereTheDestinationRefuses);
    CPPUNIT_TEST(givesBackThePlaceThatWasTheClientsLast);
    CPPUNIT_TEST(givesBackAPlaceThatTheWindowHadJustFreed);
    CPPUNIT_TEST(keepsTheDestinationsPlaceWhereTheClientIsRefused);
    CPPUNIT_TEST(writesNothingButTheAuditRowOfARefusal);
    CPPUNIT_TEST(leavesTheOldCodeAliveWhereItRefuses);
    CPPUNIT_TEST(auditsRefusalsOnceAMinuteForEachBucket);
    CPPUNIT_TEST(tellsWhenTheNextOneIsFree);
    CPPUNIT_TEST(tellsWhatIsLeftToTheDestination);
    CPPUNIT_TEST(slidesTheWindow);
    CPPUNIT_TEST(holdsTwoWindowsAtOnce);
    CPPUNIT_TEST(remembersTheLastTimeAloneWhereThereIsNoLimit);
    CPPUNIT_TEST(holdsAStricterRuleOnceItIsSet);
    CPPUNIT_TEST(keepsNoMoreTimesThanTheRuleNeeds);
    CPPUNIT_TEST(holdsAWindowLongerThanTheTimeSince1970);
    CPPUNIT_TEST(findsTheNewestCode);
    CPPUNIT_TEST(findsTheLiveCodeBehindAUsedOneThatLivesLonger);
    CPPUNIT_TEST(findsNoCodeThatIsTooOld);
    CPPUNIT_TEST(findsTheLiveCodeWhereRequestsCameOutOfOrder);
    CPPUNIT_TEST_SUITE_END();

    domain::OtpRequestResult ask(const std::string& to, const char* destinationRule, const char* clientRule = "0",
                                 const std::string& from = "192.0.2.7") {
        auto request = newRequest(to);
        request.destinationRule = rule(destinationRule);
        request.clientRule = rule(clientRule);
        request.clientBucket = domain::limitBucket("request-client", from);
        request.client = Base::client(from);
        return store_->request(request);
    }
    void accepts(const std::string& to, const char* destinationRule, const char* clientRule = "0",
                 const std::string& from = "192.0.2.7") {
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask(to, destinationRule, clientRule, from).outcome);
    }
    void refuses(RequestOutcome outcome, const std::string& to, const char* destinationRule,
                 const char* clientRule = "0", const std::string& from = "192.0.2.7") {
        CPPUNIT_ASSERT_EQUAL(outcome, ask(to, destinationRule, clientRule, from).outcome);
    }

    void writesOneCode() {
        const auto request = newRequest("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
        const db::Row row = only(
            "SELECT id, destination, channel, purpose, guess_bucket, created_at_us, expires_at_us,"
            " attempts, max_attempts, consumed_at_us FROM otp_requests");
        CPPUNIT_ASSERT(row.uuid(0) == request.id);
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, row.text(1));
        CPPUNIT_ASSERT_EQUAL(std::string{"email"}, row.text(2));
        CPPUNIT_ASSERT_EQUAL(std::string{"login"}, row.text(3));
        CPPUNIT_ASSERT(row.text(4) == request.guessBucket);
        CPPUNIT_ASSERT(row.timestamp(5) == now());
        CPPUNIT_ASSERT(row.timestamp(6) == now() + kLifetime);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(7));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, row.integer(8));
        CPPUNIT_ASSERT(row.isNull(9));
    }

    void writesOneMessageForTheOutbox() {
        const auto request = newRequest("+4366012345678");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
        const db::Row row = only(
            "SELECT id, otp_id, channel, purpose, destination, locale, request_id, attempts,"
            " last_error, created_at_us, expires_at_us, available_at_us FROM outbox");
        CPPUNIT_ASSERT(row.uuid(0) == request.outboxId);
        CPPUNIT_ASSERT(row.uuid(1) == request.id);
        CPPUNIT_ASSERT_EQUAL(std::string{"sms"}, row.text(2));
        CPPUNIT_ASSERT_EQUAL(std::string{"login"}, row.text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"+4366012345678"}, row.text(4));
        CPPUNIT_ASSERT_EQUAL(std::string{"de-AT"}, row.text(5));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, row.text(6));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(7));
        CPPUNIT_ASSERT(row.isNull(8));
        CPPUNIT_ASSERT(row.timestamp(9) == now());
        CPPUNIT_ASSERT(row.timestamp(10) == now() + kLifetime);
        CPPUNIT_ASSERT(row.timestamp(11) == now() + 10s);
    }

    // The request's own wish, what the account says, what the client accepts; each where there is one.
    void writesTheLanguagesOfTheMessage() {
        connection_->execute(
            "INSERT INTO users (id, username, email, phone_number, joined_at_us, locale)"
            " VALUES (?, 'ada', 'ada@example.org', '+4366012345678', ?, 'pt-BR')",
            {this->newId(), now()});
        const auto languages = [this](const char* to, const char* wish, const char* accepted) {
            auto request = newRequest(to);
            request.locale = wish;
            request.client.languages = accepted;
            const auto result = store_->request(request);
            const auto row =
                connection_->queryOne("SELECT locale FROM outbox WHERE id = ?", {request.outboxId}).value();
            CPPUNIT_ASSERT_EQUAL(row.text(0), result.languages);
            return result.languages;
        };
        CPPUNIT_ASSERT_EQUAL(std::string{"de,pt-BR,fr-CH,en"}, languages("ada@example.org", "de", "fr-CH,en"));
        CPPUNIT_ASSERT_EQUAL(std::string{"pt-BR,fr"}, languages("+4366012345678", "", "fr"));
        CPPUNIT_ASSERT_EQUAL(std::string{"pt-BR"}, languages("ada@example.org", "", ""));
        CPPUNIT_ASSERT_EQUAL(std::string{"fr"}, languages("bob@example.org", "", "fr"));
        CPPUNIT_ASSERT_EQUAL(std::string{}, languages("bob@example.org", "", ""));
    }

    void writesOneAuditRow() {
        const auto request = newRequest("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
        const db::Row row = only(
            "SELECT id, event, user_id, destination, ip_address, user_agent, request_id, metadata,"
            " created_at_us FROM audit_events");
        CPPUNIT_ASSERT(row.uuid(0) == request.auditId);
        CPPUNIT_ASSERT_EQUAL(std::string{"OTP_REQUESTED"}, row.text(1));
        CPPUNIT_ASSERT(row.isNull(2));
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, row.text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, row.text(4));
        CPPUNIT_ASSERT_EQUAL(std::string{"Browser/1.0"}, row.text(5));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, row.text(6));
        CPPUNIT_ASSERT(row.isNull(7));
        CPPUNIT_ASSERT(row.timestamp(8) == now());
    }

    void keepsLongValuesWhole() {
        const std::string label(63, 'd');
        const std::string address =
            std::string(64, 'l') + "@" + label + "." + label + "." + std::string(61, 'd');  // 254 bytes
        auto request = newRequest(address);
        request.locale = std::string(35, 'x');
        request.client = {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "", keys(63), std::string(64, 'r'),
                          std::string(70, 'l')};
        const std::string locale(35, 'u');
        connection_->execute(
            "INSERT INTO users (id, username, email, email_verified, joined_at_us, locale) VALUES (?, ?, ?, 1, ?, ?)",
            {this->newId(), "long", address, now(), locale});
        CPPUNIT_ASSERT_EQUAL(std::size_t{254}, address.size());
        const auto result = store_->request(request);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
        CPPUNIT_ASSERT_EQUAL(request.locale + "," + locale + "," + request.client.languages, result.languages);
        CPPUNIT_ASSERT_EQUAL(address, only("SELECT destination FROM otp_requests").text(0));
        const db::Row outbox = only("SELECT destination, locale, request_id FROM outbox");
        CPPUNIT_ASSERT_EQUAL(address, outbox.text(0));
        CPPUNIT_ASSERT_EQUAL(result.languages, outbox.text(1));
        CPPUNIT_ASSERT_EQUAL(request.client.requestId, outbox.text(2));
        const db::Row audit = only("SELECT destination, ip_address, user_agent, request_id FROM audit_events");
        CPPUNIT_ASSERT_EQUAL(address, audit.text(0));
        CPPUNIT_ASSERT_EQUAL(request.client.address, audit.text(1));
        CPPUNIT_ASSERT_EQUAL(request.client.userAgent, audit.text(2));
        CPPUNIT_ASSERT_EQUAL(request.client.requestId, audit.text(3));
    }

    void voidsTheOlderCodeOfTheDestination() {
        const Uuid first = requestCode("ada@example.org");
        clock_.advance(1min);
        const Uuid second = requestCode("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Expired, guessRight(first).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(second).outcome);
    }

    void leavesOtherDestinationsAndPurposesAlone() {
        const Uuid ada = requestCode("ada@example.org");
        const Uuid phone = requestCode("+4366012345678");
        const Uuid reset = requestCode("eve@example.org");
        connection_->execute("UPDATE otp_requests SET purpose = 'reset' WHERE id = ?", {reset});
        clock_.advance(1min);
        requestCode("eve@example.org");
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(ada).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(phone).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(reset).outcome);
    }

    void leavesASpentCodeSpent() {
        const Uuid first = requestCode("ada@example.org");
        guessRight(first);
        clock_.advance(1min);
        requestCode("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Used, guessRight(first).outcome);
        CPPUNIT_ASSERT(only("SELECT expires_at_us FROM otp_requests WHERE id = ?", {first}).timestamp(0) ==
                       now() - 1min + kLifetime);
    }

    void acceptsAsManyAsTheDestinationMay() {
        for (int i = 0; i < 5; ++i, clock_.advance(1s)) accepts("ada@example.org", "5/1h");
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "5/1h");
        accepts("eve@example.org", "5/1h");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, count("otp_requests"));
    }

    void acceptsAsManyAsTheClientMay() {
        for (int i = 0; i < 30; ++i, clock_.advance(1s)) {
            accepts("user" + std::to_string(i) + "@example.org", "5/1h", "30/1h");
        }
        refuses(RequestOutcome::ClientLimited, "new@example.org", "5/1h", "30/1h");
        accepts("new@example.org", "5/1h", "30/1h", "192.0.2.8");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{31}, count("otp_requests"));
    }

    void givesTheClientsPlaceBackWhereTheDestinationRefuses() {
        accepts("ada@example.org", "1/1h", "3/1h");
        for (int i = 0; i < 5; ++i) refuses(RequestOutcome::DestinationLimited, "ada@example.org", "1/1h", "3/1h");
        accepts("bob@example.org", "1/1h", "3/1h");
        accepts("eve@example.org", "1/1h", "3/1h");
        refuses(RequestOutcome::ClientLimited, "joe@example.org", "1/1h", "3/1h");
    }

    void givesBackThePlaceThatWasTheClientsLast() {
        int host = 0;
        for (const char* const clientRule : {"3/1h", "3/1h,5/1d", "5/1h,3/1d"}) {
            const std::string from = "192.0.2." + std::to_string(++host);
            const auto mine = [&](const char* name) { return name + std::to_string(host) + "@example.org"; };
            accepts(mine("ada"), "1/1h", clientRule, from);
            accepts(mine("bob"), "1/1h", clientRule, from);
            for (int i = 0; i < 3; ++i) {
                refuses(RequestOutcome::DestinationLimited, mine("ada"), "1/1h", clientRule, from);
            }
            accepts(mine("eve"), "1/1h", clientRule, from);
            refuses(RequestOutcome::ClientLimited, mine("joe"), "1/1h", clientRule, from);
        }
    }

    // The bucket is full, so the refused one takes its place from a time that no window counts any more.
    void givesBackAPlaceThatTheWindowHadJustFreed() {
        accepts("ada@example.org", "1/1d", "3/1h");
        clock_.advance(30min);
        accepts("bob@example.org", "1/1d", "3/1h");
        accepts("eve@example.org", "1/1d", "3/1h");
        refuses(RequestOutcome::ClientLimited, "joe@example.org", "1/1d", "3/1h");
        clock_.advance(30min);
        for (int i = 0; i < 3; ++i) refuses(RequestOutcome::DestinationLimited, "bob@example.org", "1/1d", "3/1h");
        accepts("joe@example.org", "1/1d", "3/1h");
        refuses(RequestOutcome::ClientLimited, "sue@example.org", "1/1d", "3/1h");
        clock_.advance(30min - 1us);
        refuses(RequestOutcome::ClientLimited, "sue@example.org", "1/1d", "3/1h");
        clock_.advance(1us);
        accepts("sue@example.org", "1/1d", "3/1h");
        accepts("tom@example.org", "1/1d", "3/1h");
        refuses(RequestOutcome::ClientLimited, "zoe@example.org", "1/1d", "3/1h");
    }

    void keepsTheDestinationsPlaceWhereTheClientIsRefused() {
        accepts("ada@example.org", "1/1h", "1/1h");
        for (int i = 0; i < 5; ++i) refuses(RequestOutcome::ClientLimited, "eve@example.org", "1/1h", "1/1h");
        accepts("eve@example.org", "1/1h", "1/1h", "192.0.2.8");
    }

    void writesNothingButTheAuditRowOfARefusal() {
        accepts("ada@example.org", "1/1h", "1/1h");
        refuses(RequestOutcome::ClientLimited, "ada@example.org", "1/1h", "1/1h");
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "1/1h", "1/1h", "192.0.2.8");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("otp_requests"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox"));
        assertWords({"OTP_REQUESTED", "OTP_RATE_LIMITED", "OTP_RATE_LIMITED"}, auditEvents());
        const db::Row row = only(
            "SELECT destination, request_id, user_agent, created_at_us FROM audit_events"
            " WHERE ip_address = '192.0.2.8'");
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, row.text(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, row.text(1));
        CPPUNIT_ASSERT_EQUAL(std::string{"Browser/1.0"}, row.text(2));
        CPPUNIT_ASSERT(row.timestamp(3) == now());
    }

    void leavesTheOldCodeAliveWhereItRefuses() {
        const Uuid code = requestCode("ada@example.org");
        accepts("eve@example.org", "1/1h", "1/1h");
        clock_.advance(1min);
        refuses(RequestOutcome::ClientLimited, "ada@example.org", "1/1h", "1/1h");
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(code).outcome);
    }

    void auditsRefusalsOnceAMinuteForEachBucket() {
        const auto refusals = [this] { return count("audit_events WHERE event = 'OTP_RATE_LIMITED'"); };
        accepts("ada@example.org", "1/1h", "2/1h");
        accepts("eve@example.org", "1/1h", "2/1h");
        for (int second = 0; second < 60; ++second) {
            refuses(RequestOutcome::ClientLimited, "joe@example.org", "1/1h", "2/1h");
            refuses(RequestOutcome::DestinationLimited, "ada@example.org", "1/1h", "0", "192.0.2.8");
            clock_.advance(1s);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, refusals());
        refuses(RequestOutcome::ClientLimited, "joe@example.org", "1/1h", "2/1h");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, refusals());
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "1/1h", "0", "192.0.2.8");
        refuses(RequestOutcome::DestinationLimited, "eve@example.org", "1/1h", "0", "192.0.2.8");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, refusals());
    }

    void tellsWhenTheNextOneIsFree() {
        for (int i = 0; i < 3; ++i, clock_.advance(10min)) accepts("ada@example.org", "3/1h", "0");
        for (const char* clientRule : {"0", "100/1d"}) {
            const auto result = ask("ada@example.org", "3/1h", clientRule);
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, result.outcome);
            const auto state = domain::LimitHits{result.hits}.state(rule("3/1h"), now());
            CPPUNIT_ASSERT_EQUAL(0U, state.remaining);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1800}, std::int64_t{state.reset.count()});
        }
        clock_.advance(30min - 1us);
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "3/1h");
        clock_.advance(1us);
        accepts("ada@example.org", "3/1h");

        accepts("eve@example.org", "0", "1/1m", "192.0.2.9");
        clock_.advance(20s);
        const auto refused = ask("eve@example.org", "0", "1/1m", "192.0.2.9");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::ClientLimited, refused.outcome);
        CPPUNIT_ASSERT(domain::LimitHits{refused.hits}.state(rule("1/1m"), now()).reset == 40s);
    }

    void tellsWhatIsLeftToTheDestination() {
        for (unsigned left = 5; left-- > 0;) {
            const auto state =
                domain::LimitHits{ask("ada@example.org", "5/1h", "30/1h").hits}.state(rule("5/1h"), now());
            CPPUNIT_ASSERT_EQUAL(left, state.remaining);
        }
    }

    void slidesTheWindow() {
        accepts("ada@example.org", "2/1h");
        clock_.advance(30min);
        accepts("ada@example.org", "2/1h");
        clock_.advance(30min - 1us);
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "2/1h");
        clock_.advance(1us);
        accepts("ada@example.org", "2/1h");
        clock_.advance(30min - 1us);
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "2/1h");
        clock_.advance(1us);
        accepts("ada@example.org", "2/1h");
    }

    void holdsTwoWindowsAtOnce() {
        const char* const both = "10/1h,20/1d";
        for (int i = 0; i < 10; ++i) accepts("ada@example.org", both);
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", both);
        clock_.advance(1h);
        for (int i = 0; i < 10; ++i) accepts("ada@example.org", both);
        for (int hour = 1; hour < 24; ++hour, clock_.advance(1h)) {
            refuses(RequestOutcome::DestinationLimited, "ada@example.org", both);
        }
        // A day after the first ten there is room for ten, and no hour holds more.
        for (int i = 0; i < 10; ++i) accepts("ada@example.org", both);
        const auto refused = ask("ada@example.org", both);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, refused.outcome);
        CPPUNIT_ASSERT(domain::LimitHits{refused.hits}.state(rule(both), now()).reset == 1h);
    }

    // For as long as a code may live, so that the next request knows whether there is one to void.
    void remembersTheLastTimeAloneWhereThereIsNoLimit() {
        for (int i = 0; i < 40; ++i, clock_.advance(1s)) {
            const auto result = ask("ada@example.org", "0", "0");
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
            CPPUNIT_ASSERT(result.hits == domain::packTime(now()));
        }
        CPPUNIT_ASSERT(only("SELECT expires_at_us FROM rate_limits").timestamp(0) == now() - 1s + kLifetime);
        // A limit that is set afterwards counts that one.
        accepts("ada@example.org", "2/1h", "0");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("rate_limits"));
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "2/1h", "0");
    }

    void holdsAStricterRuleOnceItIsSet() {
        for (int i = 0; i < 4; ++i) accepts("ada@example.org", "5/1h");
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "2/1h");
        clock_.advance(1h);
        accepts("ada@example.org", "2/1h");
        accepts("ada@example.org", "2/1h");
        refuses(RequestOutcome::DestinationLimited, "ada@example.org", "2/1h");
    }

    void keepsNoMoreTimesThanTheRuleNeeds() {
        for (int i = 0; i < 10; ++i, clock_.advance(1h)) accepts("ada@example.org", "1/1h,3/2h");
        CPPUNIT_ASSERT_EQUAL(std::size_t{24}, only("SELECT hits FROM rate_limits").text(0).size());
        CPPUNIT_ASSERT(only("SELECT expires_at_us FROM rate_limits").timestamp(0) == now() - 1h + 2h);
    }

    // Its beginning is a negative time, which MySQL's HEX() would turn into a very large one.
    void holdsAWindowLongerThanTheTimeSince1970() {
        const domain::LimitRule century{{{2, std::chrono::days{36500}}}};
        for (const auto expected :
             {RequestOutcome::Accepted, RequestOutcome::Accepted, RequestOutcome::DestinationLimited}) {
            auto request = newRequest("ada@example.org");
            request.destinationRule = century;
            CPPUNIT_ASSERT_EQUAL(expected, store_->request(request).outcome);
            clock_.advance(1s);
        }
    }

    void findsTheNewestCode() {
        const auto newest = [this](const char* to) {
            return store_->findNewest(destination(to), domain::Purpose::Login, std::nullopt, now() - kLifetime, now());
        };
        CPPUNIT_ASSERT(!newest("ada@example.org"));
        requestCode("ada@example.org");
        clock_.advance(1min);
        const Uuid second = requestCode("ada@example.org");
        const Uuid phone = requestCode("+4366012345678");
        CPPUNIT_ASSERT(newest("ada@example.org") == second);
        CPPUNIT_ASSERT(newest("+4366012345678") == phone);
        CPPUNIT_ASSERT(!newest("eve@example.org"));
        guessRight(second);
        CPPUNIT_ASSERT(newest("ada@example.org") == second);
        connection_->execute("UPDATE otp_requests SET purpose = 'reset' WHERE id = ?", {phone});
        CPPUNIT_ASSERT(!newest("+4366012345678"));
    }

    // The fault: the last to expire was taken, and that was the used one.
    void findsTheLiveCodeBehindAUsedOneThatLivesLonger() {
        guessRight(requestCode("ada@example.org"));
        clock_.advance(1min);
        auto shorter = newRequest("ada@example.org");
        shorter.expiresAt = now() + 1min;
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(shorter).outcome);
        const auto newest = [this] {
            return store_->findNewest(destination("ada@example.org"), domain::Purpose::Login, std::nullopt,
                                      now() - kLifetime, now());
        };
        CPPUNIT_ASSERT(newest() == shorter.id);
    }

    void findsNoCodeThatIsTooOld() {
        const Uuid code = requestCode("ada@example.org");
        const auto since = [this](Timestamp time) {
            return store_->findNewest(destination("ada@example.org"), domain::Purpose::Login, std::nullopt, time,
                                      now());
        };
        CPPUNIT_ASSERT(since(now()) == code);
        CPPUNIT_ASSERT(!since(now() + 1ms));
    }

    // Two clicks at once: the request that looked at the clock first is the second to reach the database.
    void findsTheLiveCodeWhereRequestsCameOutOfOrder() {
        const auto earlier = newRequest("ada@example.org");
        clock_.advance(2ms);
        const auto later = newRequest("ada@example.org");
        store_->request(later);
        store_->request(earlier);
        clock_.advance(1s);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("otp_requests WHERE expires_at_us > ?", {now()}));
        const auto found = store_->findNewest(destination("ada@example.org"), domain::Purpose::Login, std::nullopt,
                                              now() - kLifetime, now());
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(found.value()).outcome);
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreRequestTest);

}  // namespace otp_store_request_test
}  // namespace otpgate::test
