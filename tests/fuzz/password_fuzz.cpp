// Passwords that somebody wants to set, and hashes as an import brings them. The first line is the owner's address, the
// rest the password; the judgement may not take long, for whoever sends it need not be signed in.
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/password_hash.h"
#include "otpgate/domain/password_policy.h"

#include <ctime>

FUZZ_TARGET(password) {
    using namespace otpgate;
    fuzz::Input lines(input);
    domain::PasswordOwner owner;
    owner.email = lines.line();
    owner.username = owner.email;
    const std::string_view password = lines.rest().substr(0, 1024);
    static const domain::PasswordPolicy policy(2, "login.example.org");
    const std::clock_t begin = std::clock();
    const auto reason = policy.reasonToRefuse(password, owner);
    // Under sanitizers; without them it is a tenth.
    REQUIRE(std::clock() - begin < 2 * CLOCKS_PER_SEC);
    if (reason) REQUIRE(isValidUtf8(*reason) && (password.size() < 12 || reason->find(password) == std::string::npos));
    REQUIRE(policy.reasonToRefuse(password, owner) == reason);
    if (input.size() <= 255) crypto::isUsableHash(std::string{input});
}
