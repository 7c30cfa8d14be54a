// Many requests at once, which go together: they are decided one after the other, and each is answered as if it had
// come alone.
#include "contract/otp_store_test.h"

#include <atomic>
#include <map>
#include <mutex>

namespace otpgate::test {
namespace otp_store_group_test {

using namespace std::chrono_literals;
using domain::AccountRule;
using domain::Disclosure;
using domain::Guess;

template <class Engine>
class OtpStoreGroupTest : public OtpStoreTest<OtpStoreGroupTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreGroupTest<Engine>, Engine>;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::kThreads;
    using Base::newId;
    using Base::newRequest;
    using Base::now;
    using Base::onSixteenThreads;
    using Base::onThreads;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreGroupTest);
    CPPUNIT_TEST(acceptsOneOfSixteenRequestsOfOneMicrosecondForADestination);
    CPPUNIT_TEST(acceptsOneOfSixteenRequestsOfOneMicrosecondOfAClient);
    CPPUNIT_TEST(countsSixtyFourRequestsOfAClientExactly);
    CPPUNIT_TEST(givesEachRequestOfAMixtureItsOwnAnswer);
    CPPUNIT_TEST(decidesRequestsForOneAddressInSequence);
    CPPUNIT_TEST(letsOneOfSixteenRightAnswersOfOneGroupWin);
    CPPUNIT_TEST(verifiesBothAddressesOfAUserInOneGroup);
    CPPUNIT_TEST(takesTheRightCodeOfAChangeBesideOthersInOneGroup);
    CPPUNIT_TEST(registersOneUserForTwoCodesOfOneGroup);
    CPPUNIT_TEST(spendsOneBudgetInOneGroup);
    CPPUNIT_TEST(makesCallsOfEveryKindInOneGroup);
    CPPUNIT_TEST(undoesAGroupOfWhichOneRowCannotBeWritten);
    CPPUNIT_TEST_SUITE_END();

    using Outcomes = std::map<RequestOutcome, int>;
    using Request = domain::NewOtpRequest;
    using Result = domain::OtpRequestResult;

    // What so many threads got that asked at once. The clock stands still.
    template <typename MakeRequest>
    Outcomes askAtOnce(std::size_t number, MakeRequest makeRequest) {
        std::mutex mutex;
        Outcomes outcomes;
        onThreads(number, [&](db::Connection& connection, std::size_t i) {
            const auto outcome = store::makeOtpStore(connection, &Base::groups())->request(makeRequest(i)).outcome;
            const std::lock_guard lock(mutex);
            ++outcomes[outcome];
        });
        return outcomes;
    }
    static std::string address(const char* name, std::size_t i) { return name + std::to_string(i) + "@example.org"; }

    void acceptsOneOfSixteenRequestsOfOneMicrosecondForADestination() {
        for (std::size_t round = 0; round < 10; ++round) {
            const auto request = [&](std::size_t) {
                auto made = newRequest(address("user", round));
                made.destinationRule = rule("2/1h,3/1d");
                made.clientRule = rule("1000/1h");
                return made;
            };
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request(0)).outcome);
            Outcomes outcomes = askAtOnce(kThreads, request);
            CPPUNIT_ASSERT_EQUAL(1, outcomes[RequestOutcome::Accepted]);
            CPPUNIT_ASSERT_EQUAL(15, outcomes[RequestOutcome::DestinationLimited]);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{20}, count("otp_requests"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{20}, count("outbox"));
        // What was refused took no place of the client's.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("rate_limits WHERE LENGTH(hits) = 160"));
    }

    void acceptsOneOfSixteenRequestsOfOneMicrosecondOfAClient() {
        for (std::size_t round = 0; round < 10; ++round) {
            const auto request = [&](std::size_t i) {
                auto made = newRequest(address("user", round * 100 + i));
                made.destinationRule = rule("1/1h");
                made.clientRule = rule("2/1h,3/1d");
                made.clientBucket = domain::limitBucket("request-client", std::to_string(round));
                return made;
            };
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request(99)).outcome);
            Outcomes outcomes = askAtOnce(kThreads, request);
            CPPUNIT_ASSERT_EQUAL(1, outcomes[RequestOutcome::Accepted]);
            CPPUNIT_ASSERT_EQUAL(15, outcomes[RequestOutcome::ClientLimited]);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{20}, count("otp_requests"));
    }

    // Each of 32 addresses is asked for twice and may be accepted once in an hour, so that places are given back all
    // the time while others wait for them.
    void countsSixtyFourRequestsOfAClientExactly() {
        const auto request = [this](std::size_t i) {
            auto made = newRequest(address("user", i / 2));
            made.destinationRule = rule("1/1h,2/1d");
            made.clientRule = rule("20/1h,25/1d");
            return made;
        };
        for (const int expected : {20, 5, 0}) {
            Outcomes outcomes = askAtOnce(64, request);
            CPPUNIT_ASSERT_EQUAL(expected, outcomes[RequestOutcome::Accepted]);
            CPPUNIT_ASSERT_EQUAL(
                64 - expected, outcomes[RequestOutcome::ClientLimited] + outcomes[RequestOutcome::DestinationLimited]);
            clock_.advance(1h);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{25}, count("otp_requests"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{25}, count("outbox"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{25}, count("audit_events WHERE event = 'OTP_REQUESTED'"));
    }

    // A request, and what it must be answered; `hits` are told apart by their times.
    struct Expected {
        Request request;
        RequestOutcome outcome;
        std::string hits;
        std::string languages;
    };

    Request mixedRequest(std::size_t i) {
        clock_.advance(1us);
        auto request = newRequest(address("user", i));
        request.locale = "w" + std::to_string(i);
        request.client.languages = "l" + std::to_string(i);
        request.clientBucket = domain::limitBucket("request-client", std::to_string(i));
        request.clientRule = request.destinationRule = rule("1/1h");
        return request;
    }
    Expected accepted(std::size_t i) {
        auto request = mixedRequest(i);
        return {request, RequestOutcome::Accepted, domain::packTime(request.now),
                request.locale + "," + request.client.languages};
    }
    Expected refusedByDestination(std::size_t i) {
        auto earlier = mixedRequest(i);
        earlier.clientBucket = domain::limitBucket("request-client", "earlier" + std::to_string(i));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(earlier).outcome);
        return {mixedRequest(i), RequestOutcome::DestinationLimited, domain::packTime(earlier.now), ""};
    }
    Expected refusedAsClient(std::size_t i) {
        auto earlier = mixedRequest(i);
        earlier.destinationBucket = domain::limitBucket("request", "earlier" + std::to_string(i));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(earlier).outcome);
        return {mixedRequest(i), RequestOutcome::ClientLimited, domain::packTime(earlier.now), ""};
    }
    Expected refusedByName(std::size_t i) {
        const bool isThere = i % 2 == 0;
        if (isThere) addUser(i, "disabled");
        auto request = mixedRequest(i);
        request.accountRule = AccountRule::Active;
        request.disclosure = Disclosure::Reveal;
        return {request, isThere ? RequestOutcome::AccountDisabled : RequestOutcome::UserNotFound,
                domain::packTime(request.now), ""};
    }
    // Strangers have spent what client and destination may.
    Expected ofKnownDevice(std::size_t i) {
        const Uuid device = newId();
        connection_->execute("INSERT INTO devices (id, user_id, created_at_us, last_seen_at_us) VALUES (?, ?, ?, ?)",
                             {device, addUser(i, "active"), now(), now()});
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(mixedRequest(i)).outcome);
        auto request = mixedRequest(i);
        request.device = device;
        request.deviceBucket = domain::limitBucket("request-device", device.bytes());
        request.deviceGuessBucket = domain::limitBucket("guess-device", device.bytes());
        return {request, RequestOutcome::Accepted, domain::packTime(request.now),
                request.locale + ",u" + std::to_string(i) + "," + request.client.languages};
    }
    Uuid addUser(std::size_t i, const char* status) {
        const Uuid id = newId();
        const std::string email = address("user", i);
        connection_->execute(
            "INSERT INTO users (id, username, email, status, joined_at_us, locale) VALUES (?, ?, ?, ?, ?, ?)",
            {id, email, email, status, now(), "u" + std::to_string(i)});
        return id;
    }
    std::vector<Expected> mixture(std::size_t size) {
        std::vector<Expected> all;
        for (std::size_t i = 0; i < size; ++i) {
            switch (i % 5) {
            case 0: all.push_back(accepted(i)); break;
            case 1: all.push_back(refusedByDestination(i)); break;
            case 2: all.push_back(refusedAsClient(i)); break;
            case 3: all.push_back(refusedByName(i)); break;
            case 4: all.push_back(ofKnownDevice(i)); break;
            }
        }
        return all;
    }

    void requireAsExpected(const Expected& expected, const Result& result) {
        const Request& request = expected.request;
        CPPUNIT_ASSERT_EQUAL_MESSAGE(request.destination.value(), expected.outcome, result.outcome);
        CPPUNIT_ASSERT_MESSAGE(request.destination.value(), expected.hits == result.hits);
        CPPUNIT_ASSERT_EQUAL(expected.languages, result.languages);
        const auto code = connection_->queryOne(
            "SELECT otp_requests.destination, lane, outbox.locale, outbox.id FROM otp_requests"
            " JOIN outbox ON otp_id = otp_requests.id WHERE otp_requests.id = ?",
            {request.id});
        CPPUNIT_ASSERT_EQUAL(expected.outcome == RequestOutcome::Accepted, code.has_value());
        if (!code) return;
        CPPUNIT_ASSERT(result.otpId == request.id);
        CPPUNIT_ASSERT(result.expiresAt == request.expiresAt);
        CPPUNIT_ASSERT_EQUAL(request.destination.value(), code->text(0));
        CPPUNIT_ASSERT(code->uuid(1) == request.device.value_or(Uuid{}));
        CPPUNIT_ASSERT_EQUAL(expected.languages, code->text(2));
        CPPUNIT_ASSERT(code->uuid(3) == request.outboxId);
    }

    void givesEachRequestOfAMixtureItsOwnAnswer() {
        const std::vector<Expected> all = mixture(15 * kThreads);
        std::vector<Result> results(all.size());
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            const auto store = store::makeOtpStore(connection, &Base::groups());
            for (std::size_t i = thread; i < all.size(); i += kThreads) results[i] = store->request(all[i].request);
        });
        for (std::size_t i = 0; i < all.size(); ++i) requireAsExpected(all[i], results[i]);
    }

    // In one transaction, whatever the threads do.
    template <typename Call>
    std::vector<store::AnswerTo<Call>> together(const std::vector<Call>& calls) {
        return makeTogether(*Base::migratedScratch().database().connectForGroups(), calls);
    }
    // A guess by a device of its own.
    domain::OtpVerification guessBy(const std::string& installId, const Uuid& code, Guess guess = Guess::Right) {
        auto made = Base::newGuess(code, guess, rule("3/1h"));
        made.device.installId = installId;
        return made;
    }

    void decidesRequestsForOneAddressInSequence() {
        std::vector<Request> requests;
        for (int i = 0; i < 5; ++i) {
            clock_.advance(1us);
            requests.push_back(newRequest("ada@example.org"));
            requests.back().destinationRule = rule("3/1h");
        }
        const auto results = together(requests);
        for (std::size_t i = 0; i < 5; ++i) {
            CPPUNIT_ASSERT_EQUAL(i < 3 ? RequestOutcome::Accepted : RequestOutcome::DestinationLimited,
                                 results[i].outcome);
            CPPUNIT_ASSERT_EQUAL(8 * std::min<std::size_t>(i + 1, 3), results[i].hits.size());
        }
        // Each voids the one before it.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("otp_requests"));
        const auto alive = [&](std::size_t i) {
            return count("otp_requests WHERE id = ? AND expires_at_us > ?", {requests[i].id, now()});
        };
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, alive(0) + alive(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, alive(2));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_RATE_LIMITED'"));
    }

    // The fault: a group read the code once and answered each of its guesses by that.
    void letsOneOfSixteenRightAnswersOfOneGroupWin() {
        const Uuid code = Base::requestCode("ada@example.org");
        std::vector<domain::OtpVerification> guesses;
        for (std::size_t i = 0; i < kThreads; ++i) guesses.push_back(guessBy("install-" + std::to_string(i), code));
        const auto results = together(guesses);
        Base::assertOutcome(VerifyOutcome::Verified, results[0]);
        for (std::size_t i = 1; i < kThreads; ++i) Base::assertOutcome(VerifyOutcome::Used, results[i]);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("otp_requests WHERE attempts = 1"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_VERIFIED'"));
    }

    // The fault: each of the two wrote the user as it had read him, so that the second took the flag of the first back.
    void verifiesBothAddressesOfAUserInOneGroup() {
        connection_->execute(
            "INSERT INTO users (id, username, email, phone_number, joined_at_us) VALUES (?, 'ada',"
            " 'ada@example.org', '+4366012345678', 7)",
            {newId()});
        for (const auto purpose : {domain::Purpose::Verify, domain::Purpose::Login}) {
            connection_->execute("UPDATE users SET email_verified = 0, phone_verified = 0", {});
            std::vector<domain::OtpVerification> guesses;
            for (const char* to : {"ada@example.org", "+4366012345678"}) {
                auto request = newRequest(to);
                request.purpose = purpose;
                CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
                guesses.push_back(guessBy("install-1", request.id));
            }
            for (const auto& result : together(guesses)) Base::assertOutcome(VerifyOutcome::Verified, result);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE email_verified = 1 AND phone_verified = 1"));
        }
        // By the same installation: one device, two sessions.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("devices"));
    }

    // The fault: with a device shown, the guess was looked for in the device's lane.
    void takesTheRightCodeOfAChangeBesideOthersInOneGroup() {
        const Uuid ada = addUser(1, "active");
        const Uuid device = newId();
        connection_->execute("INSERT INTO devices (id, user_id, created_at_us, last_seen_at_us) VALUES (?, ?, ?, ?)",
                             {device, ada, now(), now()});
        auto change = newRequest(address("user", 1));  // which is not verified
        change.purpose = domain::Purpose::Change;
        change.accountRule = AccountRule::Any;
        change.ownerId = ada;
        auto login = newRequest(address("user", 1));
        for (Request* request : {&change, &login}) {
            request->device = device;
            request->deviceBucket = domain::limitBucket("request-device", device.bytes());
            request->deviceGuessBucket = domain::limitBucket("guess-device", device.bytes());
        }
        for (const auto& result : together<Request>({change, login})) {
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
        }
        auto changing = guessBy("", change.id);
        changing.ownerId = ada;
        auto strangers = guessBy("", change.id);
        auto signingIn = guessBy("", login.id);
        changing.shownDevice = strangers.shownDevice = signingIn.shownDevice = device;
        const auto results = together<domain::OtpVerification>({strangers, changing, signingIn});
        Base::assertOutcome(VerifyOutcome::Unknown, results[0]);
        Base::assertOutcome(VerifyOutcome::Verified, results[1]);
        Base::assertOutcome(VerifyOutcome::Verified, results[2]);
        CPPUNIT_ASSERT(results[2].signIn.value().deviceId == device);
    }

    void registersOneUserForTwoCodesOfOneGroup() {
        const Uuid first = Base::requestAnotherCode("ada@example.org");
        const Uuid second = Base::requestAnotherCode("ada@example.org");
        const auto results =
            together<domain::OtpVerification>({guessBy("install-1", first), guessBy("install-2", second)});
        CPPUNIT_ASSERT(results[0].signIn.value().isNewUser);
        CPPUNIT_ASSERT(!results[1].signIn.value().isNewUser);
        CPPUNIT_ASSERT(results[0].signIn->user.id == results[1].signIn->user.id);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("devices JOIN sessions ON device_id = devices.id"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'USER_REGISTERED'"));
    }

    void spendsOneBudgetInOneGroup() {
        std::vector<domain::OtpVerification> guesses;
        for (int i = 0; i < 5; ++i) {
            guesses.push_back(guessBy("install-1", Base::requestAnotherCode("ada@example.org"), Guess::Wrong));
        }
        guesses.push_back(guessBy("install-1", Base::requestAnotherCode("ada@example.org")));
        const auto results = together(guesses);
        for (std::size_t i = 0; i < 6; ++i) {
            CPPUNIT_ASSERT_EQUAL(i < 3 ? VerifyOutcome::WrongCode : VerifyOutcome::BudgetExhausted, results[i].outcome);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("otp_requests WHERE attempts = 1"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_LOCKED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("users"));
    }

    // Of one user, so that they meet in the same rows.
    void makesCallsOfEveryKindInOneGroup() {
        const auto first = newRequest("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(first).outcome);
        const auto signedIn = store_->verify(guessBy("install-1", first.id));
        Base::assertOutcome(VerifyOutcome::Verified, signedIn);
        const auto second = newRequest("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(second).outcome);
        clock_.advance(1s);

        const auto third = newRequest("ada@example.org");
        const auto wrong = guessBy("install-1", second.id, Guess::Wrong);
        const auto right = guessBy("install-1", second.id);
        const domain::SessionRefresh refresh{.sessionId = signedIn.signIn->sessionId,
                                             .counter = 0,
                                             .now = now(),
                                             .lifetimes = {24h, 720h},
                                             .graceSince = now() - 1min,
                                             .auditId = newId(),
                                             .client = Base::client()};
        const domain::OutboxMessage mail{.id = first.outboxId,
                                         .otpId = first.id,
                                         .destination = first.destination,
                                         .locale = "",
                                         .requestId = "",
                                         .expiresAt = first.expiresAt,
                                         .availableAt = first.outboxAvailableAt};
        const std::vector sent{domain::FinishedMessage{mail, domain::MessageEnd::Sent, "", newId()}};
        const store::DeliveredMessages delivered{sent, now()};
        const std::vector<store::GroupCall> group{&delivered, &right, &third, &refresh, &wrong};
        const auto connection = Base::migratedScratch().database().connectForGroups();
        const auto answers = store::transact(*connection, group);

        CPPUNIT_ASSERT_EQUAL(std::size_t{5}, answers.size());
        CPPUNIT_ASSERT(std::holds_alternative<std::monostate>(answers[0]));
        const auto& verified = std::get<domain::OtpVerifyResult>(answers[1]);
        Base::assertOutcome(VerifyOutcome::Verified, verified);
        CPPUNIT_ASSERT(verified.signIn->deviceId == signedIn.signIn->deviceId);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, std::get<Result>(answers[2]).outcome);
        CPPUNIT_ASSERT(std::get<domain::SessionRefreshResult>(answers[3]).outcome ==
                       domain::SessionRefreshResult::Outcome::Rotated);
        Base::assertOutcome(VerifyOutcome::Used, std::get<domain::OtpVerifyResult>(answers[4]));

        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox WHERE id = ?", {first.outboxId}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE otp_id = ?", {third.id}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1},
                             count("otp_requests WHERE id = ? AND consumed_at_us = ?", {second.id, now()}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count("sessions WHERE refresh_counter + (authenticated_at_us = ?) = 1", {now()}));
        for (const auto& [event, times] : std::map<std::string, std::int64_t>{
                 {"OTP_REQUESTED", 3}, {"OTP_VERIFIED", 2}, {"OTP_SENT", 1}, {"USER_REGISTERED", 1}}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(event, times, count("audit_events WHERE event = ?", {event}));
        }
    }

    // What is wrong with one fails all of the transaction, and each is made alone then (see GroupedCalls).
    void undoesAGroupOfWhichOneRowCannotBeWritten() {
        const auto earlier = newRequest("bob@example.org");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(earlier).outcome);
        auto bad = newRequest("eve@example.org");
        bad.auditId = earlier.auditId;
        CPPUNIT_ASSERT_THROW(together<Request>({newRequest("ada@example.org"), bad}), db::DbError);
        for (const char* table : {"otp_requests", "outbox", "rate_limits", "audit_events"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(table, std::int64_t{1}, count(table));
        }
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreGroupTest);

}  // namespace otp_store_group_test
}  // namespace otpgate::test
