// libFuzzer's program for all targets; OTPGATE_FUZZ_TARGET says which one. One program, because each would link all of
// the library again. Without the variable it lists them.
#include "fuzz/fuzz.h"

#include <cstdio>
#include <cstdlib>

namespace otpgate::fuzz {

namespace {

Target chosen = nullptr;

}  // namespace

void fail(const char* sentence, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: not true: %s\n", file, line, sentence);
    std::abort();
}

}  // namespace otpgate::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    using namespace otpgate::fuzz;
    const char* name = std::getenv("OTPGATE_FUZZ_TARGET");
    if (name == nullptr) {
        for (const auto& [each, function] : targets()) std::puts(each.c_str());
        std::exit(0);
    }
    const auto found = targets().find(name);
    if (found == targets().end()) {
        std::fprintf(stderr, "no such fuzz target: %s\n", name);
        std::exit(2);
    }
    chosen = found->second;
    return 0;
}

// NOLINTNEXTLINE(readability-identifier-naming): the same
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    otpgate::fuzz::chosen({reinterpret_cast<const char*>(data), size});
    return 0;
}
