#include "support_cpp/test_main.h"

int main(int argc, char** argv) {
    return otpgate::test::runTests(argc, argv);
}
