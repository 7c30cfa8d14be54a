// Calls that wait at the same time go together: who goes with whom, on whose thread, and what each gets where something
// fails. Nothing here depends on time: a group goes on when the test says so, and a call counts as waiting when it is
// seen to wait.
#include "otpgate/db/grouped_calls.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>

namespace otpgate::db {
namespace grouped_calls_test {

using Names = std::vector<std::string>;

// A call is a letter, its name.
struct Answer {
    std::string text;
    std::thread::id madeBy;
};

class Caller {
public:
    explicit Caller(unsigned groups = 1)
        : calls_(std::make_unique<Calls>(
              groups,
              [this] { return [this, alive = alive_](std::span<const char* const> calls) { return execute(calls); }; },
              sizes_)) {}
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    // Also where an assertion failed half-way.
    ~Caller() {
        open();
        for (std::future<Outcome>& caller : callers_) {
            if (caller.valid()) caller.wait();
        }
    }

    // What the n-th group gets; what is not set here: to each its name.
    std::map<std::size_t, std::function<Names(const std::string& names)>> behaviour;
    std::function<void(char name)> behaviourAlone = [](char) {};

    // From now on each group waits until it is let go.
    void hold() {
        change([this] { isHeld_ = true; });
    }
    void letOneGo() {
        change([this] { ++mayGo_; });
    }
    void open() {
        change([this] { isHeld_ = false; });
    }
    void awaitGroups(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return groups_.size() == count; });
    }
    Names groups() {
        const std::lock_guard lock(mutex_);
        return groups_;
    }
    // Those that were made alone, by their names.
    std::string alone() {
        const std::lock_guard lock(mutex_);
        std::ranges::sort(alone_);
        return alone_;
    }
    const SizeHistogram& sizes() const { return sizes_; }
    std::weak_ptr<int> executes() const { return alive_; }
    void forgetExecutes() { alive_.reset(); }
    void end() { calls_.reset(); }

    // A call on a thread of its own, which is what it returns the number of.
    std::size_t call(char name, std::chrono::milliseconds patience = {}) {
        callers_.push_back(std::async(std::launch::async, [this, name, patience] {
            Answer answer = calls_->call(
                name, [this](char alone) { return makeAlone(alone); }, patience);
            return Outcome{std::move(answer.text), answer.madeBy == std::this_thread::get_id()};
        }));
        return callers_.size() - 1;
    }
    // Calls that find all groups under way; in the order of the names.
    void callBehind(std::string_view names, std::chrono::milliseconds patience = {}) {
        for (const char name : names) {
            const std::size_t before = calls_->waiting();
            call(name, patience);
            while (calls_->waiting() == before) std::this_thread::yield();
        }
    }
    std::string answer(std::size_t caller) { return callers_.at(caller).get().text; }
    bool isMadeByItsOwnThread(std::size_t caller) { return callers_.at(caller).get().isMadeByItsOwnThread; }
    // One group of "a" under way, `names` waiting for its end, and then all of them made.
    void runBehindOne(std::string_view names) {
        hold();
        call('a');
        awaitGroups(1);
        callBehind(names);
        open();
    }

private:
    using Calls = GroupedCalls<char, Answer>;
    struct Outcome {
        std::string text;
        bool isMadeByItsOwnThread;
    };

    template <typename Change>
    void change(Change&& change) {
        {
            const std::lock_guard lock(mutex_);
            change();
        }
        changed_.notify_all();
    }

    std::vector<Answer> execute(std::span<const char* const> calls) {
        std::string names;
        for (const char* call : calls) names += *call;
        std::size_t number = 0;
        {
            std::unique_lock lock(mutex_);
            number = groups_.size();
            groups_.push_back(names);
            changed_.notify_all();
            changed_.wait(lock, [&] { return !isHeld_ || mayGo_ > 0; });
            if (isHeld_) --mayGo_;
        }
        const auto found = behaviour.find(number);
        std::vector<Answer> answers;
        for (std::string& text : found == behaviour.end() ? eachItsName(names) : found->second(names)) {
            answers.push_back({std::move(text), std::this_thread::get_id()});
        }
        return answers;
    }

    Answer makeAlone(char name) {
        {
            const std::lock_guard lock(mutex_);
            alone_ += name;
        }
        behaviourAlone(name);
        return {std::string{name} + " alone", std::this_thread::get_id()};
    }

    static Names eachItsName(const std::string& names) {
        Names answers;
        for (const char name : names) answers.emplace_back(1, name);
        return answers;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool isHeld_ = false;
    int mayGo_ = 0;
    Names groups_;
    std::string alone_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
    std::deque<std::future<Outcome>> callers_;
    SizeHistogram sizes_;
    std::unique_ptr<Calls> calls_;
};

class GroupedCallsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(GroupedCallsTest);
    CPPUNIT_TEST(makesACallThatFindsNobodyOnItsOwnThread);
    CPPUNIT_TEST(makesWhatWaitsTogetherOnAThreadOfItsOwn);
    CPPUNIT_TEST(takesNoMoreThanAGroupHolds);
    CPPUNIT_TEST(makesAsManyGroupsAtOnceAsItMay);
    CPPUNIT_TEST(letsAPatientCallGoWithTheNextOne);
    CPPUNIT_TEST(letsAPatientCallGoWithWhatWaits);
    CPPUNIT_TEST(makesAPatientCallThatFoundNobody);
    CPPUNIT_TEST(failsAPatientCallWithThoseWhoWait);
    CPPUNIT_TEST(countsTheSizesOfGroups);
    CPPUNIT_TEST(makesEachCallOfAFailedGroupAlone);
    CPPUNIT_TEST(makesACallThatFailedByItselfOnceMore);
    CPPUNIT_TEST(failsNobodyForTheCallOfAnother);
    CPPUNIT_TEST(failsAllWhoWaitWhereTheDatabaseHasGone);
    CPPUNIT_TEST(failsThoseBehindACallThatFindsTheDatabaseGone);
    CPPUNIT_TEST(letsThoseWhoWaitGoOnWhereThereIsAnotherHost);
    CPPUNIT_TEST(tellsOnlyWhoWasSentThatItMayBeDone);
    CPPUNIT_TEST(failsAGroupWhereNobodyCanKnow);
    CPPUNIT_TEST(failsAGroupThatIsNotAnsweredInFull);
    CPPUNIT_TEST(endsItsThreads);
    CPPUNIT_TEST(givesEachItsOwnAnswer);
    CPPUNIT_TEST_SUITE_END();

    static void same(const Names& expected, const Names& actual) {
        const auto text = [](const Names& names) {
            std::string all;
            for (const std::string& name : names) all += name + "|";
            return all;
        };
        CPPUNIT_ASSERT_EQUAL(text(expected), text(actual));
    }
    static void same(std::string_view expected, const std::string& actual) {
        CPPUNIT_ASSERT_EQUAL(std::string{expected}, actual);
    }
    static ErrorKind kindOf(Caller& caller, std::size_t number) {
        try {
            caller.answer(number);
        } catch (const DbError& error) {
            return error.kind();
        }
        CPPUNIT_FAIL("nothing was thrown");
        return ErrorKind::Duplicate;
    }
    static std::function<Names(const std::string&)> failure(ErrorKind kind) {
        return [kind](const std::string&) -> Names { throw DbError(kind, 1, "as told"); };
    }
    // Those after which a call may be right though its group was not.
    static constexpr ErrorKind kForOneOfThem[] = {ErrorKind::Duplicate, ErrorKind::Deadlock, ErrorKind::Locked,
                                                  ErrorKind::Busy, ErrorKind::Other};

    void makesACallThatFindsNobodyOnItsOwnThread() {
        Caller caller;
        for (const char name : {'a', 'b', 'c'}) CPPUNIT_ASSERT(caller.isMadeByItsOwnThread(caller.call(name)));
        same({"a", "b", "c"}, caller.groups());
        same("", caller.alone());
    }

    void makesWhatWaitsTogetherOnAThreadOfItsOwn() {
        Caller caller;
        caller.runBehindOne("bcd");
        CPPUNIT_ASSERT(caller.isMadeByItsOwnThread(0));
        for (std::size_t i = 1; i < 4; ++i) CPPUNIT_ASSERT(!caller.isMadeByItsOwnThread(i));
        same({"a", "bcd"}, caller.groups());
        same("", caller.alone());
    }

    void takesNoMoreThanAGroupHolds() {
        std::string names;
        for (std::size_t i = 0; i < kMaxGroup + 8; ++i) names += static_cast<char>('0' + i);
        Caller caller;
        caller.runBehindOne(names);
        for (std::size_t i = 0; i < names.size(); ++i) same(names.substr(i, 1), caller.answer(i + 1));
        same({"a", names.substr(0, kMaxGroup), names.substr(kMaxGroup)}, caller.groups());
    }

    void makesAsManyGroupsAtOnceAsItMay() {
        Caller caller(2);
        caller.hold();
        caller.call('a');
        caller.awaitGroups(1);
        caller.call('b');
        caller.awaitGroups(2);
        caller.callBehind("cd");
        caller.letOneGo();
        caller.awaitGroups(3);
        caller.open();
        for (std::size_t i = 0; i < 4; ++i) same(std::string(1, static_cast<char>('a' + i)), caller.answer(i));
        same({"a", "b", "cd"}, caller.groups());
    }

    // Longer than any test takes.
    static constexpr std::chrono::milliseconds kForEver{600000};

    void letsAPatientCallGoWithTheNextOne() {
        Caller caller;
        caller.callBehind("p", kForEver);
        const std::size_t other = caller.call('a');
        CPPUNIT_ASSERT(caller.isMadeByItsOwnThread(other));
        same("p", caller.answer(0));
        same({"ap"}, caller.groups());
    }

    void letsAPatientCallGoWithWhatWaits() {
        Caller caller;
        caller.hold();
        caller.call('a');
        caller.awaitGroups(1);
        caller.callBehind("p", kForEver);
        caller.callBehind("b");
        caller.open();
        for (std::size_t i = 0; i < 3; ++i) same(std::string(1, "apb"[i]), caller.answer(i));
        same({"a", "pb"}, caller.groups());
    }

    void makesAPatientCallThatFoundNobody() {
        Caller caller;
        CPPUNIT_ASSERT(caller.isMadeByItsOwnThread(caller.call('p', std::chrono::milliseconds{1})));
        caller.hold();
        caller.call('a');
        caller.awaitGroups(2);
        caller.callBehind("q", std::chrono::milliseconds{1});
        caller.letOneGo();
        caller.awaitGroups(3);  // nobody else has come
        caller.open();
        same("q", caller.answer(2));
        same({"p", "a", "q"}, caller.groups());
    }

    void failsAPatientCallWithThoseWhoWait() {
        Caller caller;
        caller.behaviour[0] = failure(ErrorKind::Gone);
        caller.hold();
        caller.call('a');
        caller.awaitGroups(1);
        caller.callBehind("p", kForEver);
        caller.open();
        for (std::size_t i = 0; i < 2; ++i) CPPUNIT_ASSERT(kindOf(caller, i) == ErrorKind::Gone);
        same({"a"}, caller.groups());
    }

    void countsTheSizesOfGroups() {
        Caller caller;
        caller.behaviour[1] = failure(ErrorKind::Deadlock);  // a group of three nevertheless
        caller.runBehindOne("bcd");
        for (std::size_t i = 0; i < 4; ++i) caller.answer(i);
        const SizeHistogram::Buckets buckets = caller.sizes().buckets();
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, caller.sizes().sum());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, buckets[0]);  // of one
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, buckets[2]);  // up to four
    }

    void makesEachCallOfAFailedGroupAlone() {
        for (const ErrorKind kind : kForOneOfThem) {
            Caller caller;
            caller.behaviour[1] = failure(kind);
            caller.runBehindOne("bc");
            same("a", caller.answer(0));
            same("b alone", caller.answer(1));
            same("c alone", caller.answer(2));
            same("bc", caller.alone());
            same({"a", "bc"}, caller.groups());
            same("d", caller.answer(caller.call('d')));
        }
    }

    void makesACallThatFailedByItselfOnceMore() {
        for (const ErrorKind kind : kForOneOfThem) {
            Caller caller;
            caller.behaviour[0] = failure(kind);
            caller.runBehindOne("b");
            same("a alone", caller.answer(0));
            same("b", caller.answer(1));
            same("a", caller.alone());
        }
    }

    void failsNobodyForTheCallOfAnother() {
        Caller caller;
        caller.behaviour[1] = failure(ErrorKind::Other);
        caller.behaviourAlone = [](char name) {
            if (name == 'c') throw DbError(ErrorKind::Duplicate, 1062, "c is wrong");
        };
        caller.runBehindOne("bcd");
        same("b alone", caller.answer(1));
        CPPUNIT_ASSERT(kindOf(caller, 2) == ErrorKind::Duplicate);
        same("d alone", caller.answer(3));
        same("bcd", caller.alone());
    }

    void failsAllWhoWaitWhereTheDatabaseHasGone() {
        Caller caller;
        caller.behaviour[1] = failure(ErrorKind::Gone);
        caller.hold();
        caller.call('a');
        caller.awaitGroups(1);
        caller.callBehind("bc");
        caller.letOneGo();
        caller.awaitGroups(2);
        caller.callBehind("de");
        caller.open();
        same("a", caller.answer(0));
        for (std::size_t i = 1; i <= 4; ++i) CPPUNIT_ASSERT(kindOf(caller, i) == ErrorKind::Gone);
        same("", caller.alone());
        same({"a", "bc"}, caller.groups());
        same("f", caller.answer(caller.call('f')));
    }

    void failsThoseBehindACallThatFindsTheDatabaseGone() {
        Caller caller;
        caller.behaviour[0] = failure(ErrorKind::Gone);
        caller.runBehindOne("bc");
        for (std::size_t i = 0; i <= 2; ++i) CPPUNIT_ASSERT(kindOf(caller, i) == ErrorKind::Gone);
        same("", caller.alone());
        same({"a"}, caller.groups());
        CPPUNIT_ASSERT(caller.isMadeByItsOwnThread(caller.call('d')));
    }

    void letsThoseWhoWaitGoOnWhereThereIsAnotherHost() {
        Caller caller;
        caller.behaviour[0] = [](const std::string&) -> Names {
            throw DbError(ErrorKind::Gone, 2013, "as told").withOtherHost(true);
        };
        caller.runBehindOne("bc");
        CPPUNIT_ASSERT(kindOf(caller, 0) == ErrorKind::Gone);
        same("b", caller.answer(1));
        same("c", caller.answer(2));
    }

    void tellsOnlyWhoWasSentThatItMayBeDone() {
        Caller caller;
        caller.behaviour[0] = [](const std::string&) -> Names {
            throw DbError(ErrorKind::Gone, 2013, "as told").asMaybeCommitted(true);
        };
        caller.runBehindOne("b");
        const auto mayBeDone = [&](std::size_t number) {
            try {
                caller.answer(number);
            } catch (const DbError& error) {
                return error.mayBeCommitted();
            }
            CPPUNIT_FAIL("was answered");
            return false;
        };
        CPPUNIT_ASSERT(mayBeDone(0));
        CPPUNIT_ASSERT(!mayBeDone(1));
    }

    void failsAGroupWhereNobodyCanKnow() {
        Caller caller;
        caller.behaviour[0] =
            caller.behaviour[1] = [](const std::string&) -> Names { throw std::runtime_error("as told"); };
        caller.hold();
        caller.call('a');
        caller.awaitGroups(1);
        caller.callBehind("bc");
        caller.letOneGo();
        caller.awaitGroups(2);
        caller.callBehind("d");
        caller.open();
        for (std::size_t i = 0; i <= 2; ++i) CPPUNIT_ASSERT_THROW(caller.answer(i), std::runtime_error);
        same("d", caller.answer(3));  // was in neither
        same("", caller.alone());
    }

    void failsAGroupThatIsNotAnsweredInFull() {
        Caller caller;
        caller.behaviour[1] = [](const std::string&) { return Names{"b"}; };
        caller.runBehindOne("bc");
        same("a", caller.answer(0));
        CPPUNIT_ASSERT_THROW(caller.answer(1), std::out_of_range);
        CPPUNIT_ASSERT_THROW(caller.answer(2), std::out_of_range);
        same({"a", "bc"}, caller.groups());
        same("", caller.alone());
        same("d", caller.answer(caller.call('d')));
    }

    void endsItsThreads() {
        for (const unsigned groups : {1U, 3U}) {
            Caller caller(groups);
            same("a", caller.answer(caller.call('a')));
            const std::weak_ptr<int> executes = caller.executes();
            caller.forgetExecutes();
            CPPUNIT_ASSERT_EQUAL(static_cast<long>(groups), executes.use_count());
            caller.end();
            CPPUNIT_ASSERT(executes.expired());
        }
    }

    // Many callers, and groups of which some fail. The answer to n is its square.
    void givesEachItsOwnAnswer() {
        constexpr std::int64_t kCallers = 24;
        constexpr std::int64_t kCalls = 300;
        std::atomic<unsigned> groups{0};
        std::atomic<int> wrong{0};
        std::atomic<std::uint64_t> calls{0};
        SizeHistogram sizes;
        GroupedCalls<std::int64_t, std::int64_t> squares(
            2,
            [&] {
                return [&](std::span<const std::int64_t* const> numbers) {
                    if (numbers.empty() || numbers.size() > kMaxGroup) ++wrong;
                    calls += numbers.size();
                    if (++groups % 7 == 0) throw DbError(ErrorKind::Deadlock, 1213, "as told");
                    std::vector<std::int64_t> answers;
                    for (const std::int64_t* number : numbers) answers.push_back(*number * *number);
                    return answers;
                };
            },
            sizes);
        std::vector<std::thread> callers;
        for (std::int64_t caller = 0; caller < kCallers; ++caller) {
            callers.emplace_back([&, caller] {
                for (std::int64_t number = caller * kCalls; number < (caller + 1) * kCalls; ++number) {
                    if (squares.call(number, [](std::int64_t alone) { return alone * alone; }) != number * number) {
                        ++wrong;
                    }
                }
            });
        }
        for (std::thread& caller : callers) caller.join();
        CPPUNIT_ASSERT_EQUAL(0, wrong.load());
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, squares.waiting());
        CPPUNIT_ASSERT_EQUAL(static_cast<std::uint64_t>(kCallers * kCalls), calls.load());
        CPPUNIT_ASSERT_EQUAL(calls.load(), sizes.sum());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GroupedCallsTest);

}  // namespace grouped_calls_test
}  // namespace otpgate::db
