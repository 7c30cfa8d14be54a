#include "otpgate/crypto/password_gate.h"

#include "otpgate/base/errors.h"
#include "support_cpp/fake_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <functional>
#include <sys/resource.h>
#include <unistd.h>

namespace otpgate::crypto {
namespace password_gate_test {

using namespace std::string_literals;
using namespace std::chrono_literals;

constexpr PasswordCost kCheap{64, 1};

// Holds whoever wants randomness until it is opened: a hash that takes as long as the test wants.
class Barrier final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        std::unique_lock lock(mutex_);
        ++arrived_;
        priority_ = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
        changed_.notify_all();
        changed_.wait(lock, [this] { return isOpen_; });
        if (fails_) throw std::runtime_error("no random bytes");
        for (std::uint8_t& byte : bytes) byte = 7;
    }
    void close() { set(false, false); }
    void open() { set(true, false); }
    void openAndFail() { set(true, true); }
    void awaitArrivals(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return arrived_ >= count; });
    }
    int priority() {
        const std::lock_guard lock(mutex_);
        return priority_;
    }

private:
    void set(bool isOpen, bool fails) {
        const std::lock_guard lock(mutex_);
        arrived_ = 0;
        isOpen_ = isOpen;
        fails_ = fails;
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    int arrived_ = 0;
    int priority_ = 0;
    bool isOpen_ = true;  // for the gate's constructor
    bool fails_ = false;
};

void await(const std::function<bool()>& isTrue) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!isTrue()) {
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() < limit);
        std::this_thread::sleep_for(1ms);
    }
}

std::vector<std::jthread> startThreads(int count, const std::function<void()>& call) {
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) threads.emplace_back(call);
    return threads;
}

class PasswordGateTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PasswordGateTest);
    CPPUNIT_TEST(hashesAndVerifies);
    CPPUNIT_TEST(hashesAtItsCost);
    CPPUNIT_TEST(hashesAsManyAtATimeAsThereAreSlots);
    CPPUNIT_TEST(refusesAtOnceWhenTheQueueIsFull);
    CPPUNIT_TEST(needsNoQueueForAFreeSlot);
    CPPUNIT_TEST(yieldsToAllOtherThreads);
    CPPUNIT_TEST(reportsAFailureAndGoesOn);
    CPPUNIT_TEST(doesTheSameWorkWhereThereIsNoHash);
    CPPUNIT_TEST(takesMemoryWithTheFirstHashAndGivesItBackWhenIdle);
    CPPUNIT_TEST(doesWhatWaitsBeforeItEnds);
    CPPUNIT_TEST(answersManyThreads);
    CPPUNIT_TEST_SUITE_END();

    void hashesAndVerifies() {
        test::FakeRandom random;
        PasswordGate gate({.cost = kCheap}, random);
        const std::string hash = gate.hash("correct horse");
        CPPUNIT_ASSERT(gate.verify("correct horse", hash) == PasswordMatch::Right);
        CPPUNIT_ASSERT(gate.verify("correct house", hash) == PasswordMatch::Wrong);
        CPPUNIT_ASSERT(gate.verify("correct horse", "!") == PasswordMatch::Unusable);
        gate.verifyNobody("correct horse");
    }

    void hashesAtItsCost() {
        test::FakeRandom random;
        PasswordGate gate({.cost = {128, 3}}, random);
        const std::string hash = gate.hash("correct horse");
        CPPUNIT_ASSERT_EQUAL("$argon2id$v=19$m=128,t=3,p=1$"s, hash.substr(0, 29));
        CPPUNIT_ASSERT(!gate.needsUpgrade(hash));
        CPPUNIT_ASSERT_THROW(PasswordGate({.cost = {1, 1}}, random), std::invalid_argument);
    }

    void hashesAsManyAtATimeAsThereAreSlots() {
        Barrier barrier;
        PasswordGate gate({.cost = kCheap, .slots = 3, .queue = 2}, barrier);
        barrier.close();
        auto callers = startThreads(5, [&] { gate.hash("x"); });
        barrier.awaitArrivals(3);
        await([&] { return gate.load().waiting == 2; });
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, gate.load().running);
        barrier.open();
        callers.clear();
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, gate.load().running);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, gate.load().waiting);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, gate.load().refused);
    }

    void refusesAtOnceWhenTheQueueIsFull() {
        Barrier barrier;
        PasswordGate gate({.cost = kCheap, .slots = 1, .queue = 2}, barrier);
        barrier.close();
        auto callers = startThreads(3, [&] { gate.hash("x"); });
        await([&] { return gate.load().running == 1 && gate.load().waiting == 2; });
        try {
            gate.verify("x", "!");
            CPPUNIT_FAIL("was not refused");
        } catch (const ServiceUnavailable& error) {
            CPPUNIT_ASSERT_EQUAL("the password queue is full: 1 running, 2 waiting"s, std::string(error.what()));
        }
        CPPUNIT_ASSERT_THROW(gate.verifyNobody("x"), ServiceUnavailable);
        CPPUNIT_ASSERT_THROW(gate.hash("x"), ServiceUnavailable);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, gate.load().refused);
        barrier.open();
        callers.clear();
        gate.hash("x");
    }

    void needsNoQueueForAFreeSlot() {
        Barrier barrier;
        PasswordGate gate({.cost = kCheap, .slots = 1, .queue = 0}, barrier);
        for (int i = 0; i < 20; ++i) gate.hash("x");
        barrier.close();
        std::jthread caller([&] { gate.hash("x"); });
        barrier.awaitArrivals(1);
        CPPUNIT_ASSERT_THROW(gate.hash("x"), ServiceUnavailable);
        barrier.open();
    }

    void yieldsToAllOtherThreads() {
        const auto priorityHere = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
        const int before = priorityHere();
        Barrier barrier;
        PasswordGate gate({.cost = kCheap}, barrier);
        gate.hash("x");
        CPPUNIT_ASSERT_EQUAL(19, barrier.priority());
        CPPUNIT_ASSERT_EQUAL(before, priorityHere());
    }

    void reportsAFailureAndGoesOn() {
        Barrier barrier;
        PasswordGate gate({.cost = kCheap, .slots = 1}, barrier);
        barrier.openAndFail();
        for (int i = 0; i < 3; ++i) {
            try {
                gate.hash("x");
                CPPUNIT_FAIL("did not fail");
            } catch (const ServiceUnavailable& error) {
                CPPUNIT_ASSERT_EQUAL("cannot hash a password: no random bytes"s, std::string(error.what()));
            }
        }
        barrier.open();
        CPPUNIT_ASSERT(gate.verify("x", gate.hash("x")) == PasswordMatch::Right);
    }

    void doesTheSameWorkWhereThereIsNoHash() {
        test::FakeRandom random;
        PasswordGate gate({.cost = {256, 1}, .slots = 1}, random);
        // What it worked in says what it cost.
        gate.verify("x", "!");
        CPPUNIT_ASSERT_EQUAL(std::size_t{256} * 1024, gate.load().heldBytes);
        PasswordGate other({.cost = {256, 1}, .slots = 1}, random);
        other.verifyNobody("x");
        CPPUNIT_ASSERT_EQUAL(std::size_t{256} * 1024, other.load().heldBytes);
    }

    void takesMemoryWithTheFirstHashAndGivesItBackWhenIdle() {
        Barrier barrier;
        PasswordGate gate({.cost = kCheap, .slots = 2, .queue = 4, .keepMemory = 30ms}, barrier);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, gate.load().heldBytes);
        for (int i = 0; i < 2; ++i) {
            barrier.close();
            auto callers = startThreads(2, [&] { gate.hash("x"); });
            barrier.awaitArrivals(2);
            barrier.open();
            callers.clear();
            await([&] { return gate.load().heldBytes == 0; });
        }
        PasswordGate patient({.cost = kCheap, .slots = 1}, barrier);
        patient.hash("x");
        await([&] { return patient.load().heldBytes == std::size_t{64} * 1024; });
    }

    void doesWhatWaitsBeforeItEnds() {
        Barrier barrier;
        auto gate =
            std::make_unique<PasswordGate>(PasswordGateOptions{.cost = kCheap, .slots = 1, .queue = 3}, barrier);
        barrier.close();
        std::atomic<int> hashed = 0;
        auto callers = startThreads(4, [&, pointer = gate.get()] {
            if (!pointer->hash("x").empty()) ++hashed;
        });
        await([&] { return gate->load().running == 1 && gate->load().waiting == 3; });
        std::jthread opener([&] {
            std::this_thread::sleep_for(20ms);
            barrier.open();
        });
        gate.reset();
        callers.clear();
        CPPUNIT_ASSERT_EQUAL(4, hashed.load());
    }

    void answersManyThreads() {
        test::FakeRandom random;
        PasswordGate gate({.cost = kCheap, .slots = 2, .queue = 4, .keepMemory = 0ms}, random);
        const std::string hash = gate.hash("correct horse");
        std::atomic<int> wrong = 0;
        std::atomic<int> answered = 0;
        std::atomic<std::uint64_t> refused = 0;
        {
            std::vector<std::jthread> threads;
            threads.reserve(16);
            for (int t = 0; t < 16; ++t) {
                threads.emplace_back([&, t] {
                    for (int i = 0; i < 50; ++i) {
                        try {
                            const bool isRight =
                                gate.verify(t % 2 == 0 ? "correct horse" : "x", hash) == PasswordMatch::Right;
                            if (isRight != (t % 2 == 0)) ++wrong;
                            ++answered;
                        } catch (const ServiceUnavailable&) {
                            ++refused;
                        }
                    }
                });
            }
        }
        CPPUNIT_ASSERT_EQUAL(0, wrong.load());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{800}, refused.load() + static_cast<std::uint64_t>(answered.load()));
        CPPUNIT_ASSERT_EQUAL(refused.load(), gate.load().refused);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PasswordGateTest);

}  // namespace password_gate_test
}  // namespace otpgate::crypto
