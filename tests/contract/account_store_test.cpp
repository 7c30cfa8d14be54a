// Accounts beyond the login by code: passwords, registration, profile, deletion, import.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <atomic>

namespace otpgate::test {
namespace account_store_test {

using namespace std::chrono_literals;
using domain::CountedGuess;
using domain::Purpose;
using domain::UserStatus;
using Outcome = domain::AccountCreation::Outcome;

const std::string kHash = "$argon2id$old";
const std::string kAda = "ada@example.org";

template <class Engine>
class AccountStoreTest : public StoreTest<AccountStoreTest<Engine>, Engine> {
    using Base = StoreTest<AccountStoreTest<Engine>, Engine>;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::kThreads;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using typename Base::Words;

    CPPUNIT_TEST_SUITE(AccountStoreTest);
    CPPUNIT_TEST(countsAGuessAndFindsTheAccount);
    CPPUNIT_TEST(countsAGuessAtAnUnknownAccountToo);
    CPPUNIT_TEST(refusesBeyondTheRuleAndAuditsOnceAMinute);
    CPPUNIT_TEST(countsNothingWithoutARule);
    CPPUNIT_TEST(countsExactlyForSixteenThreads);
    CPPUNIT_TEST(givesAPlaceBack);
    CPPUNIT_TEST(givesBackExactlyForSixteenThreads);
    CPPUNIT_TEST(countsAKnownDeviceForItself);
    CPPUNIT_TEST(auditsAWrongPassword);
    CPPUNIT_TEST(upgradesOnlyTheHashThatWasCompared);
    CPPUNIT_TEST(resetsThePasswordAndEndsWhatWas);
    CPPUNIT_TEST(voidsOtherResetsOfTheAccount);
    CPPUNIT_TEST(resetsOnceForSixteenThreads);
    CPPUNIT_TEST(resetsNothingWithoutAVerifiedCodeForIt);
    CPPUNIT_TEST(resetsNothingOfADisabledAccount);
    CPPUNIT_TEST(changesThePasswordAndKeepsTheSession);
    CPPUNIT_TEST(changesNothingFromAnotherHash);
    CPPUNIT_TEST(writesTheNoticeOfANewPassword);
    CPPUNIT_TEST(countsTheGuessesOfAClientAtAllAccounts);
    CPPUNIT_TEST(keepsAFormBesideItsCodeAlone);
    CPPUNIT_TEST(keepsTheNamesOfWhatHashesCost);
    CPPUNIT_TEST(createsAnAccount);
    CPPUNIT_TEST(leavesATakenAddressAloneAndTellsItsOwner);
    CPPUNIT_TEST(createsOneForSixteenThreads);
    CPPUNIT_TEST(createsByAReceiptOfTheSameAddressOnce);
    CPPUNIT_TEST(limitsCreationsByReceipt);
    CPPUNIT_TEST(listsInTheOrderOfIds);
    CPPUNIT_TEST(updatesWhatIsThereAndAuditsWhatChanged);
    CPPUNIT_TEST(disablesAndEnables);
    CPPUNIT_TEST(changesTheRole);
    CPPUNIT_TEST(removesTheAccountWithAllThatIsItsOwn);
    CPPUNIT_TEST(blanksTrailsOfAnyLength);
    CPPUNIT_TEST(removesWithoutALookAtOthers);
    CPPUNIT_TEST(removesOnce);
    CPPUNIT_TEST(importsWhoIsNotThere);
    CPPUNIT_TEST(importsTheFirstOfTwoWithOneAddress);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeAccountStore(*connection_);
        ada_ = addUser(kAda, kHash);
    }

private:
    Uuid addUser(const std::string& email, const std::string& hash = {}) {
        domain::NewAccount account = newAccount(email);
        if (!hash.empty()) account.passwordHash = hash;
        CPPUNIT_ASSERT_EQUAL(Outcome::Created, store_->create(account).outcome);
        connection_->execute("DELETE FROM audit_events", {});
        return account.user.id;
    }
    domain::NewAccount newAccount(const std::string& email) {
        domain::NewAccount account;
        account.user.id = newId();
        account.user.email = email;
        account.user.joinedAt = now();
        account.now = now();
        account.auditId = newId();
        account.client = client();
        return account;
    }
    Uuid addDevice(const Uuid& user) {
        const Uuid id = newId();
        connection_->execute("INSERT INTO devices (id, user_id, created_at_us, last_seen_at_us) VALUES (?, ?, ?, ?)",
                             {id, user, now(), now()});
        return id;
    }
    Uuid addSession(const Uuid& user, const Uuid& device) {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO sessions (id, user_id, device_id, created_at_us, last_seen_at_us, expires_at_us,"
            " authenticated_at_us, ip_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, '192.0.2.7', 'x')",
            {id, user, device, now(), now(), now() + 168h, now()});
        return id;
    }
    enum class Code { Live, Verified };
    Uuid addCode(const std::string& address, Purpose purpose, Code state = Code::Verified) {
        const Uuid id = newId();
        std::optional<Timestamp> consumedAt;
        if (state == Code::Verified) consumedAt = now();
        connection_->execute(
            "INSERT INTO otp_requests (id, destination, channel, purpose, guess_bucket, created_at_us, expires_at_us,"
            " max_attempts, consumed_at_us) VALUES (?, ?, 'email', ?, ?, ?, ?, 3, ?)",
            {id, address, domain::toString(purpose), id, now(), now() + 10min, consumedAt});
        return id;
    }
    void addEvent(const std::optional<Uuid>& user, const std::optional<std::string>& address) {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, metadata,"
            " created_at_us) VALUES (?, 'OTP_FAILED', ?, ?, '192.0.2.7', 'x', 'r', '{}', ?)",
            {id, user, address, now()});
    }

    domain::PasswordGuess newGuess(const std::string& email, const domain::ShownDevice& device = std::nullopt) {
        return {.destination = destination(email),
                .device = device,
                .bucket = domain::limitBucket("password", email),
                .deviceBucket = domain::limitBucket("password-device", device.value_or(Uuid{}).bytes()),
                .failureBucket = {},
                .deviceFailureBucket = {},
                .rule = rule("10/1h"),
                .clientBucket = domain::limitBucket("password-client", "192.0.2.7"),
                .clientRule = {},
                .now = now(),
                .auditId = newId(),
                .client = client()};
    }
    bool guess(const std::string& email, const domain::ShownDevice& device = std::nullopt) {
        return store_->countGuess(newGuess(email, device)).outcome == CountedGuess::Outcome::Accepted;
    }
    domain::PasswordReset newReset(const Uuid& otpId) {
        return {.proof = otpId, .passwordHash = "$argon2id$new", .now = now(), .auditId = newId(), .client = client()};
    }
    std::string hashOf(const Uuid& user) {
        return only("SELECT password_hash FROM users WHERE id = ?", {user}).text(0);
    }

    void countsAGuessAndFindsTheAccount() {
        const auto counted = store_->countGuess(newGuess(kAda));
        CPPUNIT_ASSERT(counted.outcome == CountedGuess::Outcome::Accepted);
        CPPUNIT_ASSERT(counted.user.value().id == ada_);
        CPPUNIT_ASSERT_EQUAL(kHash, counted.passwordHash.value());
        CPPUNIT_ASSERT(counted.buckets.at(0) == domain::limitBucket("password", kAda));
        CPPUNIT_ASSERT_EQUAL(std::size_t{8}, counted.hits.size());
        CPPUNIT_ASSERT(only("SELECT expires_at_us FROM rate_limits").timestamp(0) == now() + 1h);
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void countsAGuessAtAnUnknownAccountToo() {
        const auto counted = store_->countGuess(newGuess("nobody@example.org"));
        CPPUNIT_ASSERT(counted.outcome == CountedGuess::Outcome::Accepted);
        CPPUNIT_ASSERT(!counted.user);
        CPPUNIT_ASSERT(!counted.passwordHash);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("rate_limits"));
    }

    void refusesBeyondTheRuleAndAuditsOnceAMinute() {
        for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT(guess(kAda));
        for (int i = 0; i < 3; ++i) {
            const auto refused = store_->countGuess(newGuess(kAda));
            CPPUNIT_ASSERT(refused.outcome == CountedGuess::Outcome::DestinationLimited);
            CPPUNIT_ASSERT(!refused.user);
            CPPUNIT_ASSERT(!refused.passwordHash);
            CPPUNIT_ASSERT_EQUAL(std::size_t{80}, refused.hits.size());
        }
        assertWords({"OTP_LOCKED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"method":"pwd"})"}, only("SELECT metadata FROM audit_events").text(0));
        CPPUNIT_ASSERT(guess("nobody@example.org"));
        clock_.advance(1h);
        CPPUNIT_ASSERT(guess(kAda));
    }

    void countsNothingWithoutARule() {
        auto free = newGuess(kAda);
        free.rule = {};
        for (int i = 0; i < 20; ++i)
            CPPUNIT_ASSERT(store_->countGuess(free).outcome == CountedGuess::Outcome::Accepted);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("rate_limits"));
        store_->giveBackGuess({free.bucket}, "", free.now);
    }

    void countsExactlyForSixteenThreads() {
        const auto asked = newGuess(kAda);
        std::atomic<int> accepted{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto store = store::makeAccountStore(connection);
            for (int i = 0; i < 4; ++i) {
                if (store->countGuess(asked).outcome == CountedGuess::Outcome::Accepted) ++accepted;
            }
        });
        CPPUNIT_ASSERT_EQUAL(10, accepted.load());
        CPPUNIT_ASSERT_EQUAL(std::size_t{80}, only("SELECT hits FROM rate_limits").text(0).size());
    }

    void givesAPlaceBack() {
        const Timestamp first = now();
        CPPUNIT_ASSERT(guess(kAda));
        clock_.advance(1s);
        for (int i = 0; i < 9; ++i) CPPUNIT_ASSERT(guess(kAda));
        CPPUNIT_ASSERT(!guess(kAda));
        const std::string bucket = newGuess(kAda).bucket;
        store_->giveBackGuess({bucket}, "", first);
        CPPUNIT_ASSERT(guess(kAda));
        CPPUNIT_ASSERT(!guess(kAda));
        // What is not there cannot be given back.
        store_->giveBackGuess({bucket}, "", first);
        CPPUNIT_ASSERT(!guess(kAda));
    }

    void givesBackExactlyForSixteenThreads() {
        const auto asked = newGuess(kAda);
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto store = store::makeAccountStore(connection);
            for (int i = 0; i < 4; ++i) {
                if (store->countGuess(asked).outcome == CountedGuess::Outcome::Accepted)
                    store->giveBackGuess({asked.bucket}, "", asked.now);
            }
        });
        CPPUNIT_ASSERT(only("SELECT hits FROM rate_limits").text(0).empty());
    }

    void countsAKnownDeviceForItself() {
        const Uuid own = addDevice(ada_);
        const Uuid revoked = addDevice(ada_);
        connection_->execute("UPDATE devices SET revoked_at_us = 1 WHERE id = ?", {revoked});
        const Uuid foreign = addDevice(addUser("bob@example.org"));
        for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT(guess(kAda));
        for (const Uuid& device : {revoked, foreign, newId()}) CPPUNIT_ASSERT(!guess(kAda, device));
        for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT(guess(kAda, own));
        CPPUNIT_ASSERT(!guess(kAda, own));
        CPPUNIT_ASSERT(guess("bob@example.org", own));
    }

    void auditsAWrongPassword() {
        store_->auditWrongPassword({ada_, destination(kAda), now(), newId(), client()});
        store_->auditWrongPassword({std::nullopt, destination("nobody@example.org"), now(), newId(), client()});
        assertWords({"LOGIN_FAILED", "LOGIN_FAILED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1},
                             count("audit_events WHERE user_id = ? AND destination = ?", {ada_, kAda}));
    }

    void upgradesOnlyTheHashThatWasCompared() {
        store_->upgradeHash(ada_, "another", "new");
        CPPUNIT_ASSERT_EQUAL(kHash, hashOf(ada_));
        store_->upgradeHash(ada_, kHash, "new");
        CPPUNIT_ASSERT_EQUAL(std::string{"new"}, hashOf(ada_));
    }

    void resetsThePasswordAndEndsWhatWas() {
        const Uuid session = addSession(ada_, addDevice(ada_));
        const Uuid code = addCode(kAda, Purpose::Reset);
        CPPUNIT_ASSERT(store_->findByReset(code).value().id == ada_);
        clock_.advance(1min);
        CPPUNIT_ASSERT(store_->resetPassword(newReset(code)).isDone);
        const db::Row user = only("SELECT password_hash, password_changed_at_us FROM users");
        CPPUNIT_ASSERT_EQUAL(std::string{"$argon2id$new"}, user.text(0));
        CPPUNIT_ASSERT(user.timestamp(1) == now());
        const db::Row ended = only("SELECT revoked_at_us, revoked_reason FROM sessions WHERE id = ?", {session});
        CPPUNIT_ASSERT(ended.timestamp(0) == now());
        CPPUNIT_ASSERT_EQUAL(std::string{"password_reset"}, ended.text(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("devices WHERE revoked_at_us IS NULL"));
        assertWords({"PASSWORD_RESET"}, auditEvents());
        CPPUNIT_ASSERT(!store_->findByReset(code));
        CPPUNIT_ASSERT(!store_->resetPassword(newReset(code)).isDone);
    }

    void voidsOtherResetsOfTheAccount() {
        const Uuid older = addCode(kAda, Purpose::Reset);
        const Uuid live = addCode(kAda, Purpose::Reset, Code::Live);
        const Uuid login = addCode(kAda, Purpose::Login, Code::Live);
        const Uuid others = addCode("bob@example.org", Purpose::Reset, Code::Live);
        CPPUNIT_ASSERT(store_->resetPassword(newReset(addCode(kAda, Purpose::Reset))).isDone);
        CPPUNIT_ASSERT(!store_->resetPassword(newReset(older)).isDone);
        const auto isLive = [&](const Uuid& id) {
            return count("otp_requests WHERE id = ? AND expires_at_us > ?", {id, now()}) == 1;
        };
        CPPUNIT_ASSERT(!isLive(live));
        CPPUNIT_ASSERT(isLive(login));
        CPPUNIT_ASSERT(isLive(others));
    }

    void resetsOnceForSixteenThreads() {
        const auto reset = newReset(addCode(kAda, Purpose::Reset));
        std::atomic<int> done{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            if (store::makeAccountStore(connection)->resetPassword(reset).isDone) ++done;
        });
        CPPUNIT_ASSERT_EQUAL(1, done.load());
        assertWords({"PASSWORD_RESET"}, auditEvents());
    }

    void resetsNothingWithoutAVerifiedCodeForIt() {
        for (const Uuid& code : {newId(), addCode(kAda, Purpose::Reset, Code::Live), addCode(kAda, Purpose::Login),
                                 addCode(kAda, Purpose::Register), addCode("nobody@example.org", Purpose::Reset)}) {
            CPPUNIT_ASSERT(!store_->findByReset(code));
            CPPUNIT_ASSERT(!store_->resetPassword(newReset(code)).isDone);
        }
        CPPUNIT_ASSERT_EQUAL(kHash, hashOf(ada_));
        CPPUNIT_ASSERT(auditEvents().empty());
    }

    void resetsNothingOfADisabledAccount() {
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        CPPUNIT_ASSERT(!store_->resetPassword(newReset(addCode(kAda, Purpose::Reset))).isDone);
        CPPUNIT_ASSERT_EQUAL(kHash, hashOf(ada_));
    }

    void changesThePasswordAndKeepsTheSession() {
        const Uuid kept = addSession(ada_, addDevice(ada_));
        const Uuid other = addSession(ada_, addDevice(ada_));
        const Uuid code = addCode(kAda, Purpose::Reset);
        CPPUNIT_ASSERT(store_->changePassword({ada_, kHash, "new", kept, now(), newId(), client()}).isDone);
        CPPUNIT_ASSERT_EQUAL(std::string{"new"}, hashOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE id = ? AND revoked_at_us IS NULL", {kept}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("sessions WHERE id = ? AND revoked_at_us IS NULL", {other}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("devices WHERE revoked_at_us IS NULL"));
        CPPUNIT_ASSERT(!store_->resetPassword(newReset(code)).isDone);
        assertWords({"PASSWORD_CHANGED"}, auditEvents());
    }

    void changesNothingFromAnotherHash() {
        const Uuid session = addSession(ada_, addDevice(ada_));
        CPPUNIT_ASSERT(!store_->changePassword({ada_, "another", "new", Uuid{}, now(), newId(), client()}).isDone);
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        CPPUNIT_ASSERT(!store_->changePassword({ada_, kHash, "new", Uuid{}, now(), newId(), client()}).isDone);
        CPPUNIT_ASSERT_EQUAL(kHash, hashOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE id = ? AND revoked_at_us IS NULL", {session}));
    }

    void writesTheNoticeOfANewPassword() {
        const auto newNotice = [this] {
            return domain::NoticeDraft{.id = newId(),
                                       .kind = domain::MessageKind::PasswordChanged,
                                       .facts = {.ipAddress = "192.0.2.7", .device = "curl", .changedAddress = {}},
                                       .requestId = "request-1",
                                       .createdAt = now(),
                                       .expiresAt = now() + 24h,
                                       .availableAt = now()};
        };
        domain::PasswordChange change{ada_, kHash, "new", Uuid{}, now(), newId(), client(), newNotice()};
        auto reset = newReset(addCode(kAda, Purpose::Reset));
        reset.notice = newNotice();
        const domain::PasswordSetting done[] = {store_->resetPassword(reset), store_->changePassword(change)};
        // The second one had the wrong hash, so nothing changed.
        CPPUNIT_ASSERT(done[0].notice && !done[1].notice);
        change.oldHash = reset.passwordHash;
        CPPUNIT_ASSERT(store_->changePassword(change).notice.value().id == change.notice->id);
        const auto rows =
            store::makeOutboxStore(*connection_)->claimAvailable(domain::Channel::Email, now(), now() + 1h, 10);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rows.size());
        for (const auto& row : rows) {
            CPPUNIT_ASSERT(row.kind == domain::MessageKind::PasswordChanged);
            CPPUNIT_ASSERT_EQUAL(kAda, row.destination.value());
            CPPUNIT_ASSERT_EQUAL(std::string{"curl"}, row.notice.device);
        }
    }

    void countsTheGuessesOfAClientAtAllAccounts() {
        const auto at = [&](const std::string& email) {
            auto guess = newGuess(email);
            guess.clientRule = rule("2/1h");
            return store_->countGuess(guess);
        };
        CPPUNIT_ASSERT(at("bob@example.org").outcome == CountedGuess::Outcome::Accepted);
        const auto second = at("eve@example.org");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, second.buckets.size());
        const auto rows = count("rate_limits");
        CPPUNIT_ASSERT(at(kAda).outcome == CountedGuess::Outcome::ClientLimited);
        CPPUNIT_ASSERT_EQUAL(rows, count("rate_limits"));
        store_->giveBackGuess(second.buckets, "", now());
        CPPUNIT_ASSERT(at(kAda).outcome == CountedGuess::Outcome::Accepted);
    }

    void keepsAFormBesideItsCodeAlone() {
        const Uuid plain = addCode(kAda, Purpose::Verify, Code::Live);
        const Uuid awaited = addCode("bob@example.org", Purpose::Verify, Code::Live);
        connection_->execute("UPDATE otp_requests SET registration = ? WHERE id = ?", {db::Param::blob(""), awaited});
        const domain::PendingRegistration form{newId(), kHash, keys(150), keys(150), "de"};
        for (const Uuid& id : {plain, awaited}) store_->keepRegistration(id, form);
        const auto kept = [&](const Uuid& id) {
            return connection_->queryOne("SELECT registration FROM otp_requests WHERE id = ?", {id})->optionalText(0);
        };
        CPPUNIT_ASSERT(!kept(plain));
        const auto found = domain::unpackRegistration(kept(awaited).value()).value();
        CPPUNIT_ASSERT(found.userId == form.userId && found.passwordHash == kHash);
        CPPUNIT_ASSERT_EQUAL(keys(150), found.lastName);
    }

    void keepsTheNamesOfWhatHashesCost() {
        store_->notePasswordCosts({"bcrypt$12", "pbkdf2_sha256$600000"});
        store_->notePasswordCosts({"bcrypt$12"});
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_->passwordCosts().size());
        const auto hashes = store_->passwordHashes({}, 10);
        CPPUNIT_ASSERT(hashes.size() == 1 && hashes[0].first == ada_ && hashes[0].second == kHash);
        CPPUNIT_ASSERT(store_->passwordHashes(ada_, 10).empty());
    }

    void createsAnAccount() {
        domain::NewAccount account = newAccount("bob@example.org");
        account.user.firstName = keys(150);
        account.user.phoneNumber = "+15550100";
        account.user.phoneVerified = true;
        account.user.role = domain::Role::Admin;
        account.passwordHash = kHash;
        CPPUNIT_ASSERT_EQUAL(Outcome::Created, store_->create(account).outcome);
        const auto user = store_->find(destination("+15550100")).value();
        CPPUNIT_ASSERT(user.id == account.user.id);
        CPPUNIT_ASSERT_EQUAL(keys(150), user.firstName);
        CPPUNIT_ASSERT(!user.emailVerified && user.phoneVerified && user.hasPassword);
        CPPUNIT_ASSERT(user.role == domain::Role::Admin);
        CPPUNIT_ASSERT(store_->find(user.id).value().email == "bob@example.org");
        assertWords({"USER_REGISTERED"}, auditEvents());
    }

    void leavesATakenAddressAloneAndTellsItsOwner() {
        domain::NewAccount account = newAccount(kAda);
        account.passwordHash = "of somebody else";
        CPPUNIT_ASSERT_EQUAL(Outcome::Taken, store_->create(account).outcome);
        CPPUNIT_ASSERT_EQUAL(kHash, hashOf(ada_));
        CPPUNIT_ASSERT(!store_->find(account.user.id));
        assertWords({"REGISTRATION_REFUSED"}, auditEvents());
        CPPUNIT_ASSERT(only("SELECT user_id FROM audit_events").uuid(0) == ada_);
    }

    void createsOneForSixteenThreads() {
        std::vector<domain::NewAccount> accounts;
        for (std::size_t i = 0; i < kThreads; ++i) accounts.push_back(newAccount("bob@example.org"));
        std::atomic<int> created{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            if (store::makeAccountStore(connection)->create(accounts[i]).outcome == Outcome::Created) ++created;
        });
        CPPUNIT_ASSERT_EQUAL(1, created.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE email = 'bob@example.org'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{15}, count("audit_events WHERE event = 'REGISTRATION_REFUSED'"));
    }

    void createsByAReceiptOfTheSameAddressOnce() {
        const auto tryWith = [&](const std::string& email, const Uuid& code) {
            domain::NewAccount account = newAccount(email);
            account.otpId = code;
            return store_->create(account).outcome;
        };
        const Uuid code = addCode("bob@example.org", Purpose::Register);
        CPPUNIT_ASSERT_EQUAL(Outcome::ReceiptSpent, tryWith("eve@example.org", code));
        CPPUNIT_ASSERT_EQUAL(Outcome::ReceiptSpent, tryWith("bob@example.org", newId()));
        CPPUNIT_ASSERT_EQUAL(Outcome::ReceiptSpent,
                             tryWith("bob@example.org", addCode("bob@example.org", Purpose::Reset)));
        CPPUNIT_ASSERT_EQUAL(Outcome::ReceiptSpent,
                             tryWith("bob@example.org", addCode("bob@example.org", Purpose::Register, Code::Live)));
        CPPUNIT_ASSERT_EQUAL(Outcome::Created, tryWith("bob@example.org", code));
        CPPUNIT_ASSERT_EQUAL(Outcome::ReceiptSpent, tryWith("bob@example.org", code));
        CPPUNIT_ASSERT_EQUAL(Outcome::Taken, tryWith("bob@example.org", addCode("bob@example.org", Purpose::Register)));
    }

    void limitsCreationsByReceipt() {
        domain::NewAccount account = newAccount("bob@example.org");
        account.otpId = addCode("bob@example.org", Purpose::Register);
        account.clientBucket = domain::limitBucket("request-client", "192.0.2.7");
        account.clientRule = rule("2/1h");
        CPPUNIT_ASSERT_EQUAL(Outcome::Created, store_->create(account).outcome);
        CPPUNIT_ASSERT_EQUAL(Outcome::ReceiptSpent, store_->create(account).outcome);
        account.auditId = newId();
        const auto refused = store_->create(account);
        CPPUNIT_ASSERT_EQUAL(Outcome::ClientLimited, refused.outcome);
        CPPUNIT_ASSERT_EQUAL(std::size_t{16}, refused.hits.size());
    }

    void listsInTheOrderOfIds() {
        std::vector<Uuid> ids{ada_};
        for (int i = 0; i < 4; ++i) ids.push_back(addUser("p" + std::to_string(i) + "@example.org"));
        std::vector<Uuid> listed;
        Uuid last;
        while (true) {
            const auto users = store_->list(last, 2);
            for (const auto& user : users) listed.push_back(user.id);
            if (users.size() < 2) break;
            last = listed.back();
        }
        std::sort(ids.begin(), ids.end());
        CPPUNIT_ASSERT(ids == listed);
    }

    void updatesWhatIsThereAndAuditsWhatChanged() {
        domain::ProfileChange change{.userId = ada_,
                                     .username = std::nullopt,
                                     .displayName = std::nullopt,
                                     .firstName = "Ada",
                                     .lastName = std::nullopt,
                                     .locale = "en",
                                     .now = now(),
                                     .auditId = newId(),
                                     .client = client()};
        const auto user = store_->updateProfile(change).user.value();
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada"}, user.firstName);
        CPPUNIT_ASSERT(!user.username);
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"fields":["first_name","locale"]})"},
                             only("SELECT metadata FROM audit_events WHERE event = 'PROFILE_UPDATED'").text(0));
        change.auditId = newId();
        CPPUNIT_ASSERT(store_->updateProfile(change).outcome == domain::ProfileUpdate::Outcome::Updated);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events"));
        change.userId = newId();
        CPPUNIT_ASSERT(store_->updateProfile(change).outcome == domain::ProfileUpdate::Outcome::NoSuchUser);
    }

    void disablesAndEnables() {
        const Uuid session = addSession(ada_, addDevice(ada_));
        CPPUNIT_ASSERT(store_->setStatus({ada_, UserStatus::Disabled, now(), newId(), client()}));
        CPPUNIT_ASSERT(!store_->setStatus({ada_, UserStatus::Disabled, now(), newId(), client()}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE id = ? AND revoked_at_us IS NOT NULL", {session}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("devices WHERE revoked_at_us IS NULL"));
        CPPUNIT_ASSERT(store_->setStatus({ada_, UserStatus::Active, now(), newId(), client()}));
        CPPUNIT_ASSERT(!store_->setStatus({newId(), UserStatus::Disabled, now(), newId(), client()}));
        assertWords({"USER_DISABLED", "USER_ENABLED"}, auditEvents());
    }

    void changesTheRole() {
        CPPUNIT_ASSERT(store_->setRole({ada_, domain::Role::Admin, now(), newId(), client()}));
        CPPUNIT_ASSERT(!store_->setRole({ada_, domain::Role::Admin, now(), newId(), client()}));
        CPPUNIT_ASSERT(store_->find(ada_).value().role == domain::Role::Admin);
        assertWords({"ROLE_CHANGED"}, auditEvents());
    }

    void removesTheAccountWithAllThatIsItsOwn() {
        const Uuid bob = addUser("bob@example.org");
        for (const auto& [id, address] : {std::pair{ada_, kAda}, std::pair{bob, std::string{"bob@example.org"}}}) {
            addSession(id, addDevice(id));
            const Uuid code = addCode(address, Purpose::Login, Code::Live);
            const Uuid key = newId();
            connection_->execute(
                "INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes, created_at_us)"
                " VALUES (?, ?, 'x', ?, ?, '', 1)",
                {key, id, address, db::Param::blob(std::string(32, 'x'))});
            connection_->execute(
                "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us,"
                " expires_at_us, available_at_us) VALUES (?, ?, 'email', 'login', ?, '', '', 1, 1, 1)",
                {code, code, address});
            CPPUNIT_ASSERT(guess(address));
            addEvent(id, address);
            addEvent(id, std::nullopt);
            addEvent(std::nullopt, address);
        }
        const Words tables{"users", "sessions", "devices", "api_keys", "otp_requests", "outbox", "rate_limits"};
        for (const std::string& table : tables) CPPUNIT_ASSERT_EQUAL_MESSAGE(table, std::int64_t{2}, count(table));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1},
                             connection_->query("SELECT id FROM devices WHERE user_id = ?", {ada_}).size());

        const auto user = store_->find(ada_).value();
        CPPUNIT_ASSERT(store_->remove({user, {domain::limitBucket("password", kAda)}, now(), newId()}));

        for (const std::string& table : tables) CPPUNIT_ASSERT_EQUAL_MESSAGE(table, std::int64_t{1}, count(table));
        CPPUNIT_ASSERT(store_->find(bob).has_value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("audit_events WHERE destination = ?", {kAda}));
        const std::string blank =
            " AND destination IS NULL AND ip_address IS NULL AND user_agent IS NULL"
            " AND metadata IS NULL AND created_at_us > 0";
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE user_id = ?" + blank, {ada_}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1},
                             count("audit_events WHERE event = 'USER_DELETED' AND user_id = ?", {ada_}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE ip_address IS NOT NULL"));
    }

    void blanksTrailsOfAnyLength() {
        connection_->transact([&] {
            for (int i = 0; i < 1001; ++i) {
                addEvent(ada_, std::nullopt);
                addEvent(std::nullopt, kAda);
            }
        });
        CPPUNIT_ASSERT(store_->remove({store_->find(ada_).value(), {}, now(), newId()}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2003}, count("audit_events"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0},
                             count("audit_events WHERE ip_address IS NOT NULL OR destination = ?", {kAda}));
    }

    // A server that has to look at the events of everybody ends the statement before it has.
    void removesWithoutALookAtOthers() {
        constexpr int kOthers = 2000;
        connection_->transact([&] {
            for (int i = 0; i < kOthers; ++i) addEvent(newId(), "somebody" + std::to_string(i) + "@example.org");
            addEvent(std::nullopt, kAda);
        });
        // SQLite does not say how many.
        const auto lookedAt = [&] {
            if (Engine::kEngine != db::Engine::Mysql) return 0LL;
            return std::stoll(only("SHOW SESSION STATUS LIKE 'Handler_read_rnd_next'").text(1)) +
                   std::stoll(only("SHOW SESSION STATUS LIKE 'Handler_read_next'").text(1));
        };
        const auto before = lookedAt();
        CPPUNIT_ASSERT(store_->remove({store_->find(ada_).value(), {}, now(), newId()}));
        CPPUNIT_ASSERT_LESS(static_cast<long long>(kOthers), lookedAt() - before);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{kOthers}, count("audit_events WHERE destination IS NOT NULL"));
    }

    void removesOnce() {
        const domain::UserDeletion deletion{store_->find(ada_).value(), {}, now(), newId()};
        CPPUNIT_ASSERT(store_->remove(deletion));
        CPPUNIT_ASSERT(!store_->remove(deletion));
        assertWords({"USER_DELETED"}, auditEvents());
    }

    void importsWhoIsNotThere() {
        std::vector<domain::ImportedUser> users;
        for (const std::string email : {"bob@example.org", "ada@example.org", "eve@example.org"}) {
            users.push_back({newAccount(email).user, "pbkdf2_sha256$1$x$y"});
        }
        using Result = domain::ImportResult;
        CPPUNIT_ASSERT((store_->import(users, now()) == std::vector{Result::Added, Result::Unchanged, Result::Added}));
        CPPUNIT_ASSERT((store_->import(users, now()) == std::vector(3, Result::Unchanged)));
        CPPUNIT_ASSERT_EQUAL(kHash, hashOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::string{"pbkdf2_sha256$1$x$y"}, hashOf(users[2].user.id));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("users"));
        CPPUNIT_ASSERT(store_->import({}, now()).empty());
    }

    // As it is where somebody takes one of the addresses between the question and the rows.
    void importsTheFirstOfTwoWithOneAddress() {
        std::vector<domain::ImportedUser> users;
        for (const std::string name : {"bob", "bert", "eve"}) {
            const std::string email = name == "bert" ? "bob@example.org" : name + "@example.org";
            users.push_back({newAccount(email).user, "pbkdf2_sha256$1$x$y"});
            users.back().user.username = name;
        }
        using Result = domain::ImportResult;
        CPPUNIT_ASSERT((store_->import(users, now()) == std::vector{Result::Added, Result::Unchanged, Result::Added}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("users"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE username = 'bob' AND email = 'bob@example.org'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE username = 'eve'"));
        // The name of whoever was not added is nobody's.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("usernames WHERE name = 'bert'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("usernames"));
    }

    std::unique_ptr<domain::AccountStore> store_;
    Uuid ada_;
};

REGISTER_ON_BOTH_ENGINES(AccountStoreTest);

}  // namespace account_store_test
}  // namespace otpgate::test
