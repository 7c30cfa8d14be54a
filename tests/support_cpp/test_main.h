// The main of the unit and contract test programs: runs every registered suite, or the tests whose name contains the
// first argument ("UuidTest::" for a class), and ends with the line `tests: N run, N failed`. A test that hangs fails,
// and ends the program. With OTPGATE_TEST_SHARE=1/2 it runs one half of the suites, and with 2/2 the other.
#pragma once

#include "otpgate/base/text.h"
#include "support_cpp/soak_time.h"
#include "support_cpp/watchdog.h"

#include <cppunit/Exception.h>
#include <cppunit/Message.h>
#include <cppunit/SourceLine.h>
#include <cppunit/Test.h>
#include <cppunit/TestFailure.h>
#include <cppunit/TestListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::test {

// Much more than any test takes, under a sanitizer on a busy machine too.
inline std::chrono::seconds longestTest() {
    return std::chrono::minutes{5} + soakTime();
}

class FailurePrinter final : public CppUnit::TestListener {
public:
    void startTest(CppUnit::Test* test) override {
        ++run_;
        watchdog_.begin(test->getName());
    }
    void endTest(CppUnit::Test*) override { watchdog_.end(); }

    void addFailure(const CppUnit::TestFailure& failure) override {
        ++failed_;
        const CppUnit::SourceLine line = failure.sourceLine();
        const CppUnit::Message message = failure.thrownException()->message();
        std::cout << (line.isValid() ? line.fileName() : "?") << ':' << (line.isValid() ? line.lineNumber() : 0) << ": "
                  << failure.failedTestName() << ": " << message.shortDescription() << '\n'
                  << message.details() << std::flush;
    }

    int run() const { return run_; }
    int failed() const { return failed_; }

private:
    void giveUp(const std::string& test) {
        std::cout << test << ": still runs after " << longestTest().count() << " seconds\n"
                  << "tests: " << run_ << " run, " << failed_ + 1 << " failed" << std::endl;
        std::_Exit(1);
    }

    std::atomic<int> run_ = 0;
    std::atomic<int> failed_ = 0;
    Watchdog watchdog_{longestTest(), [this](const std::string& test) { giveUp(test); }};
};

using Tests = std::vector<CppUnit::Test*>;

inline bool isSingle(const CppUnit::Test& test) {
    return test.getChildTestCount() == 0 && test.countTestCases() > 0;
}

// Those that consist of tests, and not of other suites.
inline void findSuites(CppUnit::Test& test, Tests& suites) {
    const int children = test.getChildTestCount();
    if (children > 0 && isSingle(*test.getChildTestAt(0))) return suites.push_back(&test);
    for (int i = 0; i < children; ++i) findSuites(*test.getChildTestAt(i), suites);
}

// Of the pairs of suites each `of`th, from the first one on: a contract suite stands there once for each engine.
struct Share {
    std::size_t first = 0;
    std::size_t of = 1;
};

// Throws std::invalid_argument for what is no share.
inline Share parseShare(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto number = parseNumber<std::size_t>(text.substr(0, slash));
    const auto of = slash == std::string_view::npos ? std::nullopt : parseNumber<std::size_t>(text.substr(slash + 1));
    if (!number || !of || *number == 0 || *number > *of) throw std::invalid_argument("OTPGATE_TEST_SHARE is no share");
    return {*number - 1, *of};
}

inline void runMatching(const Tests& suites, std::string_view filter, Share share, CppUnit::TestResult& result) {
    for (std::size_t i = 0; i < suites.size(); ++i) {
        if (i / 2 % share.of != share.first) continue;
        for (int test = 0; test < suites[i]->getChildTestCount(); ++test) {
            CppUnit::Test* single = suites[i]->getChildTestAt(test);
            if (single->getName().find(filter) != std::string::npos) single->run(&result);
        }
    }
}

// The exit code of main. A run without a test is a failure: a name was mistyped, or nothing was linked.
inline int runTests(int argc, char** argv) {
    std::unique_ptr<CppUnit::Test> all;
    try {
        all.reset(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
    } catch (const std::exception& error) {
        // CppUnit makes the objects of all suites before it runs one.
        std::cout << "the constructor of a suite has failed: " << error.what() << "\ntests: 0 run, 1 failed"
                  << std::endl;
        return 1;
    }
    CppUnit::TestResult result;
    FailurePrinter printer;
    result.addListener(&printer);
    Tests suites;
    findSuites(*all, suites);
    const char* share = std::getenv("OTPGATE_TEST_SHARE");
    runMatching(suites, argc > 1 ? argv[1] : "", share ? parseShare(share) : Share{}, result);
    if (printer.run() == 0) std::cout << "no test matches\n";
    std::cout << "tests: " << printer.run() << " run, " << printer.failed() << " failed" << std::endl;
    return printer.run() > 0 && printer.failed() == 0 ? 0 : 1;
}

}  // namespace otpgate::test
