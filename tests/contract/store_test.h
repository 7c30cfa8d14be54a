// What the suites of the stores share: an empty database with a connection, ids that count up, a look at the tables,
// and threads that begin together.
#pragma once

#include "contract/engines.h"
#include "otpgate/domain/stores.h"
#include "otpgate/store/groups.h"
#include "store/group_calls.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace otpgate::test {

inline domain::Destination destination(std::string_view text) {
    return domain::Destination::parse(text).value();
}
inline domain::LimitRule rule(std::string_view text) {
    return domain::LimitRule::parse(text).value();
}

// A character of four bytes, which MySQL's "utf8" cannot hold, so many times.
inline std::string keys(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "\U0001F511";
    return text;
}

// In one transaction.
template <typename Call>
std::vector<store::AnswerTo<Call>> makeTogether(db::Connection& connection, const std::vector<Call>& calls) {
    std::vector<store::GroupCall> group;
    for (const Call& call : calls) group.emplace_back(&call);
    std::vector<store::AnswerTo<Call>> answers;
    for (store::GroupAnswer& answer : store::transact(connection, group)) {
        answers.push_back(std::get<store::AnswerTo<Call>>(std::move(answer)));
    }
    return answers;
}

template <class Suite, class Engine>
class StoreTest : public ContractTest<Suite, Engine> {
    using Base = ContractTest<Suite, Engine>;

public:
    void setUp() override {
        Base::migratedScratch().emptyTables();
        connection_ = Base::connect();
    }
    // All fixtures live until the last test has run, and a server has only so many connections.
    void tearDown() override { connection_.reset(); }

protected:
    using Words = std::vector<std::string>;
    static constexpr std::size_t kThreads = 16;

    // What the worker threads of one process share, over the suite's database.
    static store::Groups& groups() {
        static store::Groups only(Base::migratedScratch().database());
        return only;
    }
    // As the threads of a test are made: every other one goes together with others, the rest are alone, as if they were
    // of another process.
    static store::Groups* groupsOf(std::size_t thread) { return thread % 2 == 0 ? &groups() : nullptr; }

    Timestamp now() const { return clock_.now(); }
    Uuid newId() { return Uuid::makeV7(now(), random_); }
    static domain::Client client(const std::string& address = "192.0.2.7") {
        return {address, address, "Browser/1.0", "request-1"};
    }

    std::int64_t count(const std::string& tableAndCondition, std::initializer_list<db::Param> params = {}) {
        return connection_->queryOne("SELECT COUNT(*) FROM " + tableAndCondition, params).value().integer(0);
    }
    // The one row that there must be.
    db::Row only(const std::string& sql, std::initializer_list<db::Param> params = {}) {
        auto rows = connection_->query(sql, params);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(sql, std::size_t{1}, rows.size());
        return std::move(rows.front());
    }
    // `verifies`: whether it has verified its user, and is a factor.
    Uuid addPasskey(const Uuid& userId, int verifies) {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO passkeys (id, user_id, user_handle, credential_id, credential_hash, algorithm, public_key,"
            " name, transports, aaguid, sign_count, backup_eligible, backed_up, verifies_user, created_at_us)"
            " VALUES (?, ?, ?, ?, ?, -7, 'k', 'Laptop', '', ?, 0, 0, 0, ?, ?)",
            {id, userId, userId, db::Param::blob(id.bytes()), db::Param::blob(id.bytes()), db::Param::blob(id.bytes()),
             verifies, now()});
        if (verifies == 1) connection_->execute("UPDATE users SET factors = 1 WHERE id = ?", {userId});
        return id;
    }
    // What the audit trail tells, in the order of its ids.
    Words auditEvents() {
        Words events;
        for (const db::Row& row : connection_->query("SELECT event FROM audit_events ORDER BY id")) {
            events.push_back(row.text(0));
        }
        return events;
    }
    static void assertWords(const Words& expected, const Words& actual) {
        CPPUNIT_ASSERT_EQUAL(joined(expected), joined(actual));
    }

    template <typename Work>
    void onSixteenThreads(Work work) {
        onThreads(kThreads, work);
    }
    // Runs work(connection, i) on threads that begin together, each with a connection of its own. None may throw.
    template <typename Work>
    void onThreads(std::size_t number, Work work) {
        std::vector<std::unique_ptr<db::Connection>> connections;
        for (std::size_t i = 0; i < number; ++i) {
            connections.push_back(Base::connect());
            connections.back()->query("SELECT 1");
        }
        std::vector<std::string> failures(number);
        std::latch start(static_cast<std::ptrdiff_t>(number));
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < number; ++i) {
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                try {
                    work(*connections[i], i);
                } catch (const std::exception& error) {
                    failures[i] = error.what();
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (const std::string& failure : failures) CPPUNIT_ASSERT_EQUAL(std::string{}, failure);
    }

    FakeClock clock_;
    CountingRandom random_;
    std::unique_ptr<db::Connection> connection_;

private:
    static std::string joined(const Words& words) {
        std::string text;
        for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
        return text;
    }
};

}  // namespace otpgate::test
