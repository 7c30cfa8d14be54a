// Calls that wait at the same time go together: who goes with whom, and what each gets where something fails. Nothing
// here depends on time: a group goes on when the test says so, and a call counts as waiting when it is seen to wait.
#include "db/grouped_calls.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <stdexcept>

namespace otpgate::db {
namespace {

using Names = std::vector<std::string>;
using Keys = std::vector<std::string_view>;
using Answers = std::vector<std::pair<std::int64_t, std::string>>;

// GroupedCalls over a procedure of the test's own. Each call is packed as one letter, its name.
class Procedure {
public:
    explicit Procedure(unsigned threads = 1)
        : calls_(std::make_unique<GroupedCalls>(
              threads, [this] { return [this, alive = alive_](std::string_view calls) { return execute(calls); }; })) {}
    Procedure(const Procedure&) = delete;
    Procedure& operator=(const Procedure&) = delete;
    // Also where an assertion failed half-way.
    ~Procedure() {
        open();
        for (std::future<std::string>& caller : callers_) {
            if (caller.valid()) caller.wait();
        }
    }

    // What the n-th group gets; what is not set here: an answer to each.
    std::map<std::size_t, std::function<Answers(std::string_view calls)>> behaviour;
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
    std::weak_ptr<int> executes() const { return alive_; }
    void forgetExecutes() { alive_.reset(); }
    void end() { calls_.reset(); }

    // A call on a thread of its own, which is what it returns the number of.
    std::size_t call(char name, Keys keys = {}) {
        callers_.push_back(std::async(std::launch::async, [this, name, keys = std::move(keys)] {
            return calls_
                ->call({std::string_view{&name, 1}, keys}, [this](std::string_view calls) { return makeAlone(calls); })
                .text(1);
        }));
        return callers_.size() - 1;
    }
    // Calls that find all threads busy; in the order of the names.
    void callBehind(std::string_view names, const Keys& keys = {}) {
        for (const char name : names) {
            const std::size_t before = calls_->waiting();
            call(name, keys);
            while (calls_->waiting() == before) std::this_thread::yield();
        }
    }
    std::string answer(std::size_t caller) { return callers_.at(caller).get(); }
    // One group of "a" under way, `names` waiting for its end, and then all of them made.
    void runBehindOne(std::string_view names) {
        hold();
        call('a');
        awaitGroups(1);
        callBehind(names);
        open();
    }

private:
    template <typename Change>
    void change(Change&& change) {
        {
            const std::lock_guard lock(mutex_);
            change();
        }
        changed_.notify_all();
    }

    std::vector<Row> execute(std::string_view calls) {
        std::size_t number = 0;
        {
            std::unique_lock lock(mutex_);
            number = groups_.size();
            groups_.emplace_back(calls);
            changed_.notify_all();
            changed_.wait(lock, [&] { return !isHeld_ || mayGo_ > 0; });
            if (isHeld_) --mayGo_;
        }
        const auto found = behaviour.find(number);
        std::vector<Row> rows;
        for (auto& [place, text] : found == behaviour.end() ? answerAll(calls) : found->second(calls)) {
            rows.emplace_back(std::vector<Row::Cell>{place, std::move(text)});
        }
        return rows;
    }

    std::vector<Row> makeAlone(std::string_view call) {
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, call.size());
        {
            const std::lock_guard lock(mutex_);
            alone_ += call;
        }
        behaviourAlone(call[0]);
        return {Row({std::int64_t{0}, std::string{call} + " alone"})};
    }

    // From the last to the first, because a database promises no order.
    static Answers answerAll(std::string_view calls) {
        Answers answers;
        for (std::size_t i = calls.size(); i-- > 0;) {
            answers.emplace_back(static_cast<std::int64_t>(i), std::string{calls[i]});
        }
        return answers;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool isHeld_ = false;
    int mayGo_ = 0;
    Names groups_;
    std::string alone_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
    std::deque<std::future<std::string>> callers_;
    std::unique_ptr<GroupedCalls> calls_;
};

class GroupedCallsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(GroupedCallsTest);
    CPPUNIT_TEST(makesACallThatComesAloneAtOnce);
    CPPUNIT_TEST(makesWhatWaitsTogether);
    CPPUNIT_TEST(takesNoMoreThanAProcedureTakes);
    CPPUNIT_TEST(partsCallsWithACommonKey);
    CPPUNIT_TEST(makesAsManyGroupsAtOnceAsThereAreThreads);
    CPPUNIT_TEST(makesEachCallOfAFailedGroupAlone);
    CPPUNIT_TEST(failsNobodyForTheCallOfAnother);
    CPPUNIT_TEST(failsAllWhoWaitWhereTheDatabaseHasGone);
    CPPUNIT_TEST(makesAnUnansweredCallAlone);
    CPPUNIT_TEST(failsAGroupThatIsAnsweredWrongly);
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
    static ErrorKind kindOf(Procedure& procedure, std::size_t caller) {
        try {
            procedure.answer(caller);
        } catch (const DbError& error) {
            return error.kind();
        }
        CPPUNIT_FAIL("nothing was thrown");
        return ErrorKind::Duplicate;
    }
    static std::function<Answers(std::string_view)> failure(ErrorKind kind) {
        return [kind](std::string_view) -> Answers { throw DbError(kind, 1, "as told"); };
    }

    void makesACallThatComesAloneAtOnce() {
        Procedure procedure;
        for (std::size_t i = 0; i < 3; ++i) {
            const std::string name(1, static_cast<char>('a' + i));
            same(name, procedure.answer(procedure.call(name[0])));
        }
        same({"a", "b", "c"}, procedure.groups());
        same("", procedure.alone());
    }

    void makesWhatWaitsTogether() {
        Procedure procedure;
        procedure.runBehindOne("bcd");
        for (std::size_t i = 0; i < 4; ++i) same(std::string(1, static_cast<char>('a' + i)), procedure.answer(i));
        same({"a", "bcd"}, procedure.groups());
        same("", procedure.alone());
    }

    void takesNoMoreThanAProcedureTakes() {
        std::string names;
        for (std::size_t i = 0; i < kMaxGroup + 8; ++i) names += static_cast<char>('0' + i);
        Procedure procedure;
        procedure.runBehindOne(names);
        for (std::size_t i = 0; i < names.size(); ++i) same(names.substr(i, 1), procedure.answer(i + 1));
        same({"a", names.substr(0, kMaxGroup), names.substr(kMaxGroup)}, procedure.groups());
    }

    void partsCallsWithACommonKey() {
        Procedure procedure;
        procedure.hold();
        procedure.call('a', {"one"});
        procedure.awaitGroups(1);
        procedure.callBehind("b", {"one"});
        procedure.callBehind("c", {"one", "two"});
        procedure.callBehind("d", {"two"});
        procedure.callBehind("e", {"three"});
        procedure.callBehind("fg");
        procedure.callBehind("h", {"three", "two"});
        procedure.open();
        for (std::size_t i = 0; i < 8; ++i) same(std::string(1, static_cast<char>('a' + i)), procedure.answer(i));
        same({"a", "bdefg", "c", "h"}, procedure.groups());
    }

    void makesAsManyGroupsAtOnceAsThereAreThreads() {
        Procedure procedure(2);
        procedure.hold();
        procedure.call('a');
        procedure.awaitGroups(1);
        procedure.call('b');
        procedure.awaitGroups(2);
        procedure.callBehind("cd");
        procedure.letOneGo();
        procedure.awaitGroups(3);
        procedure.open();
        for (std::size_t i = 0; i < 4; ++i) same(std::string(1, static_cast<char>('a' + i)), procedure.answer(i));
        same({"a", "b", "cd"}, procedure.groups());
    }

    void makesEachCallOfAFailedGroupAlone() {
        for (const ErrorKind kind : {ErrorKind::Other, ErrorKind::Deadlock, ErrorKind::Duplicate, ErrorKind::Busy}) {
            Procedure procedure;
            procedure.behaviour[1] = failure(kind);
            procedure.runBehindOne("bc");
            same("a", procedure.answer(0));
            same("b alone", procedure.answer(1));
            same("c alone", procedure.answer(2));
            same("bc", procedure.alone());
            same({"a", "bc"}, procedure.groups());
            same("d", procedure.answer(procedure.call('d')));
        }
    }

    void failsNobodyForTheCallOfAnother() {
        Procedure procedure;
        procedure.behaviour[1] = failure(ErrorKind::Other);
        procedure.behaviourAlone = [](char name) {
            if (name == 'c') throw DbError(ErrorKind::Duplicate, 1062, "c is wrong");
        };
        procedure.runBehindOne("bcd");
        same("b alone", procedure.answer(1));
        CPPUNIT_ASSERT(kindOf(procedure, 2) == ErrorKind::Duplicate);
        same("d alone", procedure.answer(3));
        same("bcd", procedure.alone());
    }

    void failsAllWhoWaitWhereTheDatabaseHasGone() {
        Procedure procedure;
        procedure.behaviour[1] = failure(ErrorKind::Gone);
        procedure.hold();
        procedure.call('a');
        procedure.awaitGroups(1);
        procedure.callBehind("bc");
        procedure.letOneGo();
        procedure.awaitGroups(2);
        procedure.callBehind("de", {"apart"});
        procedure.open();
        same("a", procedure.answer(0));
        for (std::size_t i = 1; i <= 4; ++i) CPPUNIT_ASSERT(kindOf(procedure, i) == ErrorKind::Gone);
        same("", procedure.alone());
        same({"a", "bc"}, procedure.groups());
        same("f", procedure.answer(procedure.call('f')));
    }

    void makesAnUnansweredCallAlone() {
        Procedure procedure;
        procedure.behaviour[1] = [](std::string_view) { return Answers{{0, "b"}, {2, "d"}}; };
        procedure.runBehindOne("bcde");
        same("a", procedure.answer(0));
        same("b", procedure.answer(1));
        same("c alone", procedure.answer(2));
        same("d", procedure.answer(3));
        same("e alone", procedure.answer(4));
        same({"a", "bcde"}, procedure.groups());
        same("ce", procedure.alone());
    }

    void failsAGroupThatIsAnsweredWrongly() {
        for (const std::int64_t place : {std::int64_t{2}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
            Procedure procedure;
            procedure.behaviour[1] = [place](std::string_view) { return Answers{{0, "b"}, {place, "c"}}; };
            procedure.runBehindOne("bc");
            same("a", procedure.answer(0));
            CPPUNIT_ASSERT_THROW(procedure.answer(1), std::out_of_range);
            CPPUNIT_ASSERT_THROW(procedure.answer(2), std::out_of_range);
            same({"a", "bc"}, procedure.groups());
            same("", procedure.alone());
            same("d", procedure.answer(procedure.call('d')));
        }
    }

    void endsItsThreads() {
        for (const unsigned threads : {1U, 3U}) {
            Procedure procedure(threads);
            same("a", procedure.answer(procedure.call('a')));
            const std::weak_ptr<int> executes = procedure.executes();
            procedure.forgetExecutes();
            CPPUNIT_ASSERT_EQUAL(static_cast<long>(threads), executes.use_count());
            procedure.end();
            CPPUNIT_ASSERT(executes.expired());
        }
    }

    // Many callers, some keys in common, and groups of which some fail and some leave a call out.
    void givesEachItsOwnAnswer() {
        constexpr int kCallers = 24;
        constexpr int kCalls = 300;
        std::atomic<unsigned> groups{0};
        std::atomic<int> wrong{0};
        const auto answers = [](std::string_view packed, std::size_t leftOut) {
            std::vector<Row> rows;
            for (std::size_t i = 0; i * 8 < packed.size(); ++i) {
                if (i == leftOut) continue;
                rows.push_back(Row({static_cast<std::int64_t>(i), std::string{packed.substr(i * 8, 8)}}));
            }
            return rows;
        };
        GroupedCalls calls(2, [&] {
            return [&](std::string_view packed) {
                const unsigned number = ++groups;
                if (packed.size() > kMaxGroup * 8) ++wrong;
                if (number % 7 == 0) throw DbError(ErrorKind::Deadlock, 1213, "as told");
                return answers(packed, number % 5 == 0 && packed.size() > 8 ? 1 : kMaxGroup);
            };
        });
        std::vector<std::thread> callers;
        callers.reserve(kCallers);
        for (int caller = 0; caller < kCallers; ++caller) {
            callers.emplace_back([&, caller] {
                const std::string key = std::to_string(caller / 2);
                const Keys keys{key};
                for (int i = 0; i < kCalls; ++i) {
                    const std::string packed = std::to_string(10'000'000 + caller * kCalls + i);
                    const Row row =
                        calls.call({packed, keys}, [&](std::string_view alone) { return answers(alone, kMaxGroup); });
                    if (row.text(1) != packed) ++wrong;
                }
            });
        }
        for (std::thread& caller : callers) caller.join();
        CPPUNIT_ASSERT_EQUAL(0, wrong.load());
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, calls.waiting());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GroupedCallsTest);

}  // namespace
}  // namespace otpgate::db
