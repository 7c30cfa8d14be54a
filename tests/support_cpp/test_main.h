// The main of the unit and contract test programs: runs every registered suite, or the tests whose name contains the
// first argument ("UuidTest::" for a class), and ends with the line `tests: N run, N failed`. A test that hangs fails,
// and ends the program.
#pragma once

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
#include <string>
#include <string_view>

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

inline void runMatching(CppUnit::Test& test, std::string_view filter, CppUnit::TestResult& result) {
    const int children = test.getChildTestCount();
    for (int i = 0; i < children; ++i) runMatching(*test.getChildTestAt(i), filter, result);
    if (children == 0 && test.countTestCases() > 0 && test.getName().find(filter) != std::string::npos) {
        test.run(&result);
    }
}

// The exit code of main. A run without a test is a failure: a name was mistyped, or nothing was linked.
inline int runTests(int argc, char** argv) {
    const std::unique_ptr<CppUnit::Test> all(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
    CppUnit::TestResult result;
    FailurePrinter printer;
    result.addListener(&printer);
    runMatching(*all, argc > 1 ? argv[1] : "", result);
    if (printer.run() == 0) std::cout << "no test matches\n";
    std::cout << "tests: " << printer.run() << " run, " << printer.failed() << " failed" << std::endl;
    return printer.run() > 0 && printer.failed() == 0 ? 0 : 1;
}

}  // namespace otpgate::test
