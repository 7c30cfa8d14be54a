// Claiming, leasing, finishing and postponing what waits to be sent.
#include "contract/store_test.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/store/stores.h"
#include "store/outbox_rows.h"

#include <algorithm>
#include <mutex>
#include <set>

namespace otpgate::test {
namespace outbox_store_test {

using namespace std::chrono_literals;
using domain::FinishedMessage;
using domain::MessageEnd;
using domain::OutboxMessage;

template <class Engine>
class OutboxStoreTest : public StoreTest<OutboxStoreTest<Engine>, Engine> {
    using Base = StoreTest<OutboxStoreTest<Engine>, Engine>;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::clock_;
    using Base::connect;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(OutboxStoreTest);
    CPPUNIT_TEST(claimsAWholeMessage);
    CPPUNIT_TEST(claimsWhatTellsOfTheCode);
    CPPUNIT_TEST(claimsWhatANoticeTells);
    CPPUNIT_TEST(claimsTheLongestWaitingFirst);
    CPPUNIT_TEST(claimsNoMessageThatIsLeased);
    CPPUNIT_TEST(claimsNoMessageTwiceForSixteenThreads);
    CPPUNIT_TEST(claimsAndFinishesEachMessageOnceForSixteenThreads);
    CPPUNIT_TEST(claimsMessagesOfOneChannel);
    CPPUNIT_TEST(leasesAsManyAsItClaims);
    CPPUNIT_TEST(renewsALeaseThatNobodyElseTook);
    CPPUNIT_TEST(renewsManyLeasesButThoseThatAreLost);
    CPPUNIT_TEST(tellsWhatBecameOfACode);
    CPPUNIT_TEST(renewsNoLeaseThatIsLost);
    CPPUNIT_TEST(renewsALeaseForOneOfSixteenThreads);
    CPPUNIT_TEST(finishesBatchesOfAnySize);
    CPPUNIT_TEST(finishesNothing);
    CPPUNIT_TEST(auditsWhatWasSentAndWhatFailed);
    CPPUNIT_TEST(writesAReasonAsJson);
    CPPUNIT_TEST(finishesAllOrNothing);
    CPPUNIT_TEST(auditsAMessageOnce);
    CPPUNIT_TEST(passesOverWhatIsFinishedAlready);
    CPPUNIT_TEST(finishesAMessageOnceForSixteenThreads);
    CPPUNIT_TEST(keepsWhatWasGivenUpAsADeadLetter);
    CPPUNIT_TEST(keepsNothingOfWhatStoodForNobody);
    CPPUNIT_TEST(givesUpNothingThatSomebodyElseTook);
    CPPUNIT_TEST(finishesBatchesOfEveryEnd);
    CPPUNIT_TEST(auditsNoticesByTheirOwnName);
    CPPUNIT_TEST(postponesAMessage);
    CPPUNIT_TEST(postponesManyMessages);
    CPPUNIT_TEST(postponesNothingThatSomebodyElseTook);
    CPPUNIT_TEST(tellsALeaseFromARest);
    CPPUNIT_TEST(cutsALongReason);
    CPPUNIT_TEST(keepsAReasonThatIsCutInsideACharacter);
    CPPUNIT_TEST(keepsAReasonThatIsNotUtf8);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        // The courier's own kind; other processes, below, have the plain one.
        couriers_ = Base::scratch().database().connectForGroups();
        store_ = store::makeOutboxStore(*couriers_, &Base::groups());
    }
    void tearDown() override {
        couriers_.reset();
        Base::tearDown();
    }

private:
    // A message of the outbox, which others leave alone until `availableAt`.
    OutboxMessage add(Timestamp availableAt, const std::string& to = "ada@example.org") {
        OutboxMessage message{.id = newId(),
                              .otpId = newId(),
                              .purpose = domain::Purpose::Login,
                              .destination = destination(to),
                              .locale = "de-AT",
                              .requestId = "request-1",
                              .attempts = 0,
                              .expiresAt = now() + 10min,
                              .availableAt = availableAt};
        connection_->execute(
            "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id,"
            " created_at_us, expires_at_us, available_at_us) VALUES (?, ?, ?, 'login', ?, ?, ?, ?, ?, ?)",
            {message.id, message.otpId, domain::toString(message.destination.channel()), to, message.locale,
             message.requestId, now(), message.expiresAt, availableAt});
        return message;
    }
    std::vector<OutboxMessage> claim(Timestamp at, Timestamp leaseUntil, unsigned limit,
                                     domain::Channel channel = domain::Channel::Email) {
        return store_->claimAvailable(channel, at, leaseUntil, limit);
    }
    void postpone(OutboxMessage message, Timestamp until, const std::string& reason) {
        ++message.attempts;
        store_->postpone(std::vector<domain::PostponedMessage>{{message, until, reason}});
    }
    void finish(const OutboxMessage& message, MessageEnd end, const std::string& reason = "") {
        store_->finish(std::vector{FinishedMessage{message, end, reason, newId()}}, now());
    }
    std::vector<FinishedMessage> addFinished(std::size_t size) {
        std::vector<FinishedMessage> finished;
        for (std::size_t i = 0; i < size; ++i) finished.push_back({add(now()), MessageEnd::Sent, "", newId()});
        return finished;
    }
    db::Row rowOf(const OutboxMessage& message) {
        return only("SELECT attempts, last_error, available_at_us FROM outbox WHERE id = ?", {message.id});
    }

    void assertPostponed(const OutboxMessage& message) {
        const db::Row row = rowOf(message);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, row.integer(0));
        CPPUNIT_ASSERT(isValidUtf8(row.text(1)) && row.text(1).size() <= 200);
        CPPUNIT_ASSERT(row.timestamp(2) == now() + 5s);
    }

    void claimsAWholeMessage() {
        for (const char* to : {"ada@example.org", "+4366012345678"}) {
            const OutboxMessage message = add(now(), to);
            const auto claimed = claim(now(), now() + 1min, 10, message.destination.channel());
            CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claimed.size());
            CPPUNIT_ASSERT(claimed[0].id == message.id);
            CPPUNIT_ASSERT(claimed[0].otpId == message.otpId);
            CPPUNIT_ASSERT(claimed[0].purpose == domain::Purpose::Login);
            CPPUNIT_ASSERT(claimed[0].destination == message.destination);
            CPPUNIT_ASSERT_EQUAL(std::string{"de-AT"}, claimed[0].locale);
            CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, claimed[0].requestId);
            CPPUNIT_ASSERT_EQUAL(0U, claimed[0].attempts);
            CPPUNIT_ASSERT(claimed[0].expiresAt == now() + 10min);
            CPPUNIT_ASSERT(claimed[0].availableAt == now() + 1min);
        }
    }

    void claimsWhatTellsOfTheCode() {
        add(now());
        connection_->execute("UPDATE outbox SET code_length = 8, code_alphabet = 'letters', discard = 1", {});
        const auto claimed = claim(now(), now() + 1min, 10).at(0);
        CPPUNIT_ASSERT_EQUAL(8U, claimed.codeLength);
        CPPUNIT_ASSERT(claimed.codeAlphabet == domain::CodeAlphabet::Letters);
        CPPUNIT_ASSERT(claimed.isDiscarded);
        CPPUNIT_ASSERT(claimed.kind == domain::MessageKind::Code);
    }

    void claimsWhatANoticeTells() {
        OutboxMessage message = add(now());
        connection_->execute("DELETE FROM outbox", {});
        message.kind = domain::MessageKind::AddressChanged;
        message.notice = {
            .ipAddress = "2001:db8::1", .device = "Firefox, M\u00fcnchen", .changedAddress = "n*w@example.org"};
        message.notice.codesLeft = 3;
        message.createdAt = now() - 5s;
        connection_->transact([&] { store::insertMessage(*connection_, message); });
        const auto claimed = claim(now(), now() + 1min, 10).at(0);
        CPPUNIT_ASSERT(claimed.id == message.id);
        CPPUNIT_ASSERT(claimed.kind == domain::MessageKind::AddressChanged);
        CPPUNIT_ASSERT_EQUAL(message.notice.ipAddress, claimed.notice.ipAddress);
        CPPUNIT_ASSERT_EQUAL(message.notice.device, claimed.notice.device);
        CPPUNIT_ASSERT_EQUAL(message.notice.changedAddress, claimed.notice.changedAddress);
        CPPUNIT_ASSERT(claimed.notice.codesLeft == 3);
        CPPUNIT_ASSERT(claimed.createdAt == now() - 5s);
        connection_->execute("DELETE FROM outbox", {});
        add(now());
        const auto usual = claim(now(), now() + 1min, 10).at(0);
        CPPUNIT_ASSERT_EQUAL(0U, usual.codeLength);
        CPPUNIT_ASSERT(usual.codeAlphabet == domain::CodeAlphabet::Digits);
        CPPUNIT_ASSERT(!usual.isDiscarded);
    }

    void claimsTheLongestWaitingFirst() {
        std::vector<Uuid> expected;
        for (const auto waited : {1s, 5s, 3s, 4s, 2s}) add(now() - waited);
        for (const db::Row& row : connection_->query("SELECT id FROM outbox ORDER BY available_at_us")) {
            expected.push_back(row.uuid(0));
        }
        std::vector<Uuid> claimed;
        for (const unsigned limit : {2U, 2U, 2U}) {
            for (const auto& message : claim(now(), now() + 1min, limit)) claimed.push_back(message.id);
        }
        CPPUNIT_ASSERT(claimed == expected);
    }

    void claimsNoMessageThatIsLeased() {
        add(now() + 1us);
        CPPUNIT_ASSERT(claim(now(), now() + 1min, 10).empty());
        clock_.advance(1us);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claim(now(), now() + 1min, 10).size());
        CPPUNIT_ASSERT(claim(now() + 1min - 1us, now() + 2min, 10).empty());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claim(now() + 1min, now() + 2min, 10).size());
    }

    void claimsNoMessageTwiceForSixteenThreads() {
        constexpr std::size_t kMessages = 100;
        for (std::size_t i = 0; i < kMessages; ++i) add(now());
        std::mutex mutex;
        std::vector<Uuid> claimed;
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto store = store::makeOutboxStore(connection);
            // A claim may come back empty because others were faster; what is left shows in the table.
            while (connection.queryOne("SELECT id FROM outbox WHERE available_at_us <= ? LIMIT 1", {now()})) {
                for (const auto& message : store->claimAvailable(domain::Channel::Email, now(), now() + 1min, 7)) {
                    const std::lock_guard lock(mutex);
                    claimed.push_back(message.id);
                }
            }
        });
        CPPUNIT_ASSERT_EQUAL(kMessages, claimed.size());
        CPPUNIT_ASSERT_EQUAL(kMessages, std::set<Uuid>(claimed.begin(), claimed.end()).size());
    }

    void claimsAndFinishesEachMessageOnceForSixteenThreads() {
        constexpr std::size_t kMessages = 300;
        for (std::size_t i = 0; i < kMessages; ++i) add(now());
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto store = store::makeOutboxStore(connection, Base::groupsOf(i));
            while (connection.queryOne("SELECT id FROM outbox WHERE available_at_us <= ? LIMIT 1", {now()})) {
                std::vector<FinishedMessage> finished;
                for (const auto& message : store->claimAvailable(domain::Channel::Email, now(), now() + 1min, 20)) {
                    const auto end = finished.size() % 3 == 2 ? MessageEnd::GivenUp : MessageEnd::Sent;
                    finished.push_back({message, end, "", newId()});
                }
                store->finish(finished, now());
            }
        });
        CPPUNIT_ASSERT_EQUAL(count("outbox"), count("audit_events WHERE event = 'OTP_SEND_FAILED'"));
        CPPUNIT_ASSERT_EQUAL(count("outbox"), count("outbox WHERE dead_at_us = ?", {now()}));
        CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(kMessages), count("audit_events"));
    }

    void claimsMessagesOfOneChannel() {
        const OutboxMessage mail = add(now());
        const OutboxMessage text = add(now(), "+4366012345678");
        const auto texts = claim(now(), now() + 1min, 10, domain::Channel::Sms);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, texts.size());
        CPPUNIT_ASSERT(texts[0].id == text.id);
        CPPUNIT_ASSERT(rowOf(mail).timestamp(2) == now());
        CPPUNIT_ASSERT(claim(now(), now() + 1min, 10).at(0).id == mail.id);
    }

    void leasesAsManyAsItClaims() {
        for (const unsigned size : {1U, 2U, 3U, 7U, 64U, 65U, 100U}) {
            connection_->execute("DELETE FROM outbox", {});
            for (unsigned i = 0; i < size + 2; ++i) add(now());
            CPPUNIT_ASSERT_EQUAL(std::size_t{size}, claim(now(), now() + 1min, size).size());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{size}, count("outbox WHERE available_at_us = ?", {now() + 1min}));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("outbox WHERE available_at_us = ?", {now()}));
        }
        CPPUNIT_ASSERT(claim(now(), now() + 1min, 0).empty());
    }

    static bool renew(domain::OutboxStore& store, OutboxMessage& message, Timestamp leaseUntil) {
        return store.renewLeases({&message, 1}, leaseUntil).at(0);
    }

    void renewsALeaseThatNobodyElseTook() {
        OutboxMessage mine = add(now() + 10s);
        CPPUNIT_ASSERT(renew(*store_, mine, now() + 1min));
        CPPUNIT_ASSERT(mine.availableAt == now() + 1min);
        CPPUNIT_ASSERT(rowOf(mine).timestamp(2) == now() + 1min);
        CPPUNIT_ASSERT(renew(*store_, mine, now() + 2min));
        CPPUNIT_ASSERT(store_->renewLeases({}, now() + 3min).empty());
    }

    void renewsManyLeasesButThoseThatAreLost() {
        for (const std::size_t size : {2U, 3U, 5U, 100U}) {
            std::vector<OutboxMessage> mine;
            for (std::size_t i = 0; i < size; ++i) mine.push_back(add(now() + 10s + std::chrono::microseconds{i % 3}));
            const OutboxMessage others = add(now() + 10s);
            postpone(mine[1], now() + 5s, "by another");
            const auto renewed = store_->renewLeases(mine, now() + 1min);
            for (std::size_t i = 0; i < size; ++i) {
                CPPUNIT_ASSERT_EQUAL(i != 1, static_cast<bool>(renewed.at(i)));
                CPPUNIT_ASSERT(rowOf(mine[i]).timestamp(2) == (i == 1 ? now() + 5s : now() + 1min));
                if (i != 1) CPPUNIT_ASSERT(mine[i].availableAt == now() + 1min);
            }
            CPPUNIT_ASSERT(rowOf(others).timestamp(2) == now() + 10s);
            clock_.advance(1ms);
        }
    }

    void addCode(const OutboxMessage& message, std::int64_t attempts, std::optional<Timestamp> consumedAt,
                 Timestamp expiresAt) {
        const std::string bucket = domain::limitBucket("guess", "ada@example.org");
        connection_->execute(
            "INSERT INTO otp_requests (id, destination, channel, purpose, guess_bucket, created_at_us, expires_at_us,"
            " attempts, max_attempts, consumed_at_us) VALUES (?, 'ada@example.org', 'email', 'login', ?, ?, ?, ?, 3, "
            "?)",
            {message.otpId, db::Param::blob(bucket), now(), expiresAt, attempts, consumedAt});
    }

    void tellsWhatBecameOfACode() {
        using domain::CodeState;
        std::vector<OutboxMessage> messages;
        for (int i = 0; i < 7; ++i) messages.push_back(add(now()));
        addCode(messages[0], 2, std::nullopt, now() + 1us);
        addCode(messages[1], 0, std::nullopt, now());
        addCode(messages[2], 1, now() - 1s, now() + 1min);
        addCode(messages[3], 3, std::nullopt, now() + 1min);
        messages[5].codeLength = 6;  // of the verification service, which writes a row at the first try
        messages[6].codeLength = 6;
        connection_->execute(
            "INSERT INTO verification_attempts (id, attempts, consumed_at_us, expires_at_us)"
            " VALUES (?, 1, ?, ?)",
            {messages[6].otpId, now(), now() + 1min});
        messages.push_back(messages[0]);  // the same code, sent again
        const std::vector<CodeState> expected{CodeState::Good,      CodeState::Voided, CodeState::Used,
                                              CodeState::Exhausted, CodeState::Voided, CodeState::Good,
                                              CodeState::Used,      CodeState::Good};
        CPPUNIT_ASSERT(store_->codeStates(messages, now()) == expected);
        CPPUNIT_ASSERT(store_->codeStates({}, now()).empty());
    }

    void renewsNoLeaseThatIsLost() {
        OutboxMessage mine = add(now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claim(now(), now() + 1min, 1).size());
        CPPUNIT_ASSERT(!renew(*store_, mine, now() + 2min));
        CPPUNIT_ASSERT(mine.availableAt == now());
        CPPUNIT_ASSERT(rowOf(mine).timestamp(2) == now() + 1min);

        // Whatever it is now, earlier or later than mine was.
        OutboxMessage failed = add(now() + 1min);
        postpone(failed, now() + 5s, "by another");
        CPPUNIT_ASSERT(!renew(*store_, failed, now() + 2min));

        OutboxMessage gone = add(now());
        store_->finish(std::vector{FinishedMessage{gone, MessageEnd::Sent, "", newId()}}, now());
        CPPUNIT_ASSERT(!renew(*store_, gone, now() + 2min));
    }

    void renewsALeaseForOneOfSixteenThreads() {
        for (int round = 0; round < 5; ++round) {
            const OutboxMessage message = add(now());
            std::atomic<int> won{0};
            onSixteenThreads([&](db::Connection& connection, std::size_t) {
                OutboxMessage mine = message;
                if (renew(*store::makeOutboxStore(connection), mine, now() + 1min)) ++won;
            });
            CPPUNIT_ASSERT_EQUAL(1, won.load());
        }
    }

    void finishesBatchesOfAnySize() {
        const OutboxMessage other = add(now());
        for (const std::size_t size : {1U, 7U, 8U, 9U, 32U, 41U, 100U}) {
            connection_->execute("DELETE FROM audit_events", {});
            const auto finished = addFinished(size);
            store_->finish(finished, now());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox"));
            std::vector<Uuid> ids;
            for (const db::Row& row :
                 connection_->query("SELECT id FROM audit_events WHERE event = 'OTP_SENT' ORDER BY id")) {
                ids.push_back(row.uuid(0));
            }
            CPPUNIT_ASSERT(std::equal(ids.begin(), ids.end(), finished.begin(), finished.end(),
                                      [](const Uuid& id, const FinishedMessage& done) { return id == done.auditId; }));
        }
        CPPUNIT_ASSERT(rowOf(other).timestamp(2) == now());
    }

    void finishesNothing() {
        store_->finish({}, now());
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void auditsWhatWasSentAndWhatFailed() {
        OutboxMessage sent = add(now());
        sent.createdAt = now();
        const OutboxMessage failed = add(now(), "+4366012345678");
        const std::vector<FinishedMessage> finished{{sent, MessageEnd::Sent, "", newId()},
                                                    {failed, MessageEnd::GivenUp, "RCPT: 550 no such user", newId()}};
        store_->finish(finished, now() + 1s);
        assertWords({"OTP_SENT", "OTP_SEND_FAILED"}, auditEvents());
        const auto rows = connection_->query(
            "SELECT user_id, destination, request_id, metadata, created_at_us"
            " FROM audit_events ORDER BY id");
        CPPUNIT_ASSERT(rows[0].isNull(0));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"delay_ms":"1000"})"}, rows[0].text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, rows[0].text(1));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, rows[0].text(2));
        CPPUNIT_ASSERT(rows[0].timestamp(4) == now() + 1s);
        CPPUNIT_ASSERT_EQUAL(std::string{"+4366012345678"}, rows[1].text(1));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"reason":"RCPT: 550 no such user"})"}, rows[1].text(3));
    }

    void writesAReasonAsJson() {
        store_->finish(std::vector{FinishedMessage{add(now()), MessageEnd::GivenUp,
                                                   "a \"b\" \\ c\r\nd \x7f\xff " + std::string(300, 'x'), newId()}},
                       now());
        // Sixteen bytes of the beginning, and as many x as make two hundred.
        CPPUNIT_ASSERT_EQUAL("{\"reason\":\"a 'b' ' c  d    " + std::string(184, 'x') + "\"}",
                             only("SELECT metadata FROM audit_events").text(0));
    }

    void finishesAllOrNothing() {
        auto finished = addFinished(9);
        finished.back().auditId = finished.front().auditId;
        CPPUNIT_ASSERT_THROW(store_->finish(finished, now()), db::DbError);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{9}, count("outbox"));
        CPPUNIT_ASSERT(auditEvents().empty());
        finished.back().auditId = newId();
        store_->finish(finished, now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
    }

    // The answer to a commit may be lost, and two processes may send one message: the trail tells of it once.
    void auditsAMessageOnce() {
        const OutboxMessage message = add(now());
        const auto finished = [&](MessageEnd end) { return std::vector{FinishedMessage{message, end, "", newId()}}; };
        store_->finish(finished(MessageEnd::Sent), now());
        store_->finish(finished(MessageEnd::Sent), now());
        store_->finish(finished(MessageEnd::GivenUp), now());
        assertWords({"OTP_SENT"}, auditEvents());
    }

    // An answer to a commit that was lost, or another process: those have their audit events.
    void passesOverWhatIsFinishedAlready() {
        for (const std::size_t size : {8U, 9U, 32U, 41U}) {
            connection_->execute("DELETE FROM audit_events", {});
            const auto finished = addFinished(size);
            store_->finish({finished.data() + 3, 1}, now());
            store_->finish(finished, now());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
            CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(size), count("audit_events"));
        }
    }

    void finishesAMessageOnceForSixteenThreads() {
        for (int round = 0; round < 5; ++round) {
            connection_->execute("DELETE FROM audit_events", {});
            const OutboxMessage message = add(now());
            onSixteenThreads([&](db::Connection& connection, std::size_t i) {
                store::makeOutboxStore(connection, Base::groupsOf(i))
                    ->finish(std::vector{FinishedMessage{message, MessageEnd::Sent, "", newId()}}, now());
            });
            assertWords({"OTP_SENT"}, auditEvents());
        }
    }

    void keepsWhatWasGivenUpAsADeadLetter() {
        OutboxMessage message = add(now() + 10s);
        message.attempts = 3;
        finish(message, MessageEnd::GivenUp, "RCPT: 550 no such user");
        const db::Row row = rowOf(message);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, row.integer(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"RCPT: 550 no such user"}, row.text(1));
        CPPUNIT_ASSERT(row.timestamp(2) == domain::kNever);
        CPPUNIT_ASSERT(only("SELECT dead_at_us FROM outbox").timestamp(0) == now());
        CPPUNIT_ASSERT(claim(now() + std::chrono::years{1000}, domain::kNever, 10).empty());
        assertWords({"OTP_SEND_FAILED"}, auditEvents());
        finish(message, MessageEnd::GivenUp, "again");
        assertWords({"OTP_SEND_FAILED"}, auditEvents());
    }

    void keepsNothingOfWhatStoodForNobody() {
        finish(add(now()), MessageEnd::Discarded, "no account to send to");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
        assertWords({"OTP_SEND_FAILED"}, auditEvents());
    }

    void givesUpNothingThatSomebodyElseTook() {
        const OutboxMessage message = add(now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claim(now(), now() + 1min, 1).size());
        finish(message, MessageEnd::GivenUp, "expired");
        CPPUNIT_ASSERT(rowOf(message).timestamp(2) == now() + 1min);
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void finishesBatchesOfEveryEnd() {
        std::vector<FinishedMessage> finished = addFinished(90);
        for (std::size_t i = 0; i < finished.size(); i += 3) finished[i].end = MessageEnd::GivenUp;
        for (std::size_t i = 1; i < finished.size(); i += 3) finished[i].end = MessageEnd::Discarded;
        store_->finish(finished, now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, count("outbox"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, count("outbox WHERE dead_at_us IS NOT NULL"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, count("audit_events WHERE event = 'OTP_SENT'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{60}, count("audit_events WHERE event = 'OTP_SEND_FAILED'"));
    }

    void auditsNoticesByTheirOwnName() {
        OutboxMessage sent = add(now());
        sent.kind = domain::MessageKind::NewSignIn;
        OutboxMessage failed = add(now());
        failed.kind = domain::MessageKind::PasswordChanged;
        finish(sent, MessageEnd::Sent);
        finish(failed, MessageEnd::GivenUp, "550 no");
        assertWords({"NOTICE_SENT", "NOTICE_SEND_FAILED"}, auditEvents());
        const auto rows = connection_->query("SELECT metadata FROM audit_events ORDER BY id");
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"kind":"new_sign_in"})"}, rows[0].text(0));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"kind":"password_changed","reason":"550 no"})"}, rows[1].text(0));
    }

    void postponesManyMessages() {
        std::vector<domain::PostponedMessage> postponed;
        for (int i = 0; i < 20; ++i) postponed.push_back({add(now()), now() + i * 1s + 1s, "connect: refused"});
        store_->postpone(postponed);
        for (const auto& one : postponed) {
            CPPUNIT_ASSERT(rowOf(one.message).timestamp(2) == one.until);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, rowOf(one.message).integer(0));
        }
        store_->postpone({});
    }

    void postponesNothingThatSomebodyElseTook() {
        const OutboxMessage message = add(now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claim(now(), now() + 1min, 1).size());
        postpone(message, now() + 5s, "connect: refused");
        CPPUNIT_ASSERT(rowOf(message).timestamp(2) == now() + 1min);
    }

    void tellsALeaseFromARest() {
        const auto leased = [this] { return only("SELECT leased FROM outbox").integer(0); };
        add(now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, leased());
        postpone(claim(now(), now() + 1min, 1).at(0), now() + 5s, "451 later");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, leased());
        claim(now() + 5s, now() + 1min, 1);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, leased());
    }

    void postponesAMessage() {
        const OutboxMessage message = add(now());
        const OutboxMessage other = add(now() + 1h);
        postpone(message, now() + 5s, "connect: refused");
        const db::Row row = rowOf(message);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, row.integer(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"connect: refused"}, row.text(1));
        CPPUNIT_ASSERT(row.timestamp(2) == now() + 5s);
        CPPUNIT_ASSERT(claim(now() + 5s - 1us, now() + 1min, 10).empty());
        const auto claimed = claim(now() + 5s, now() + 1min, 10);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claimed.size());
        CPPUNIT_ASSERT_EQUAL(1U, claimed[0].attempts);
        postpone(claimed[0], now() + 2min, "again");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, rowOf(message).integer(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"again"}, rowOf(message).text(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, rowOf(other).integer(0));
    }

    void cutsALongReason() {
        const OutboxMessage message = add(now());
        postpone(message, now(), std::string(5000, 'x'));
        CPPUNIT_ASSERT_EQUAL(std::string(200, 'x'), rowOf(message).text(1));
    }

    // MySQL refuses half a character, and the message would be tried again for ever without being counted.
    void keepsAReasonThatIsCutInsideACharacter() {
        const OutboxMessage message = add(now());
        postpone(message, now() + 5s, "x" + keys(60));
        assertPostponed(message);
    }

    void keepsAReasonThatIsNotUtf8() {
        const OutboxMessage message = add(now());
        postpone(message, now() + 5s, "550 caf\xe9");
        assertPostponed(message);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rowOf(message).text(1).find("550 caf"));
    }

    std::unique_ptr<db::Connection> couriers_;
    std::unique_ptr<domain::OutboxStore> store_;
};

REGISTER_ON_BOTH_ENGINES(OutboxStoreTest);

}  // namespace outbox_store_test
}  // namespace otpgate::test
