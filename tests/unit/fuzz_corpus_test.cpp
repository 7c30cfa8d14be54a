// The fuzzers' targets over their kept inputs, so that what one of them found once is looked at with every change.
#include "fuzz/fuzz.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace otpgate {
namespace fuzz_corpus_test {

// No std::exception: the targets catch those that they expect.
struct NotTrue {
    std::string text;
};

std::string contentOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace fuzz_corpus_test

void fuzz::fail(const char* sentence, const char* file, int line) {
    throw fuzz_corpus_test::NotTrue{std::string{file} + ":" + std::to_string(line) + ": not true: " + sentence};
}

namespace fuzz_corpus_test {

class FuzzCorpusTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(FuzzCorpusTest);
    CPPUNIT_TEST(holdsForEveryInputThatWasKept);
    CPPUNIT_TEST_SUITE_END();

    void holdsForEveryInputThatWasKept() {
        CPPUNIT_ASSERT(!fuzz::targets().empty());
        for (const auto& [name, target] : fuzz::targets()) {
            std::size_t count = 0;
            for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/" + name)) {
                ++count;
                // As libFuzzer hands it over: a byte behind it is a byte too far.
                const std::string content = contentOf(entry.path());
                const std::vector<char> bytes(content.begin(), content.end());
                try {
                    target({bytes.data(), bytes.size()});
                } catch (const NotTrue& what) {
                    CPPUNIT_FAIL(entry.path().string() + ": " + what.text);
                }
            }
            CPPUNIT_ASSERT_MESSAGE(name, count > 0);
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FuzzCorpusTest);

}  // namespace fuzz_corpus_test
}  // namespace otpgate
