// The limits that stand in the way of one account: every bucket that counts what is done to its addresses or by its
// devices. Who clears them, deletes the account or asks how they stand asks here.
#pragma once

#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// What a bucket counts.
enum class Counted {
    Requests,           // codes that strangers asked for
    RequestsByDevices,  // codes that devices asked for that the account knows
    Guesses,            // wrong codes
    GuessesByDevices,
    Passwords,  // wrong passwords
    PasswordsByDevices,
    Changes,  // codes for another address
    PasskeySignIns,
    SecondSteps,  // wrong codes of an authenticator app
    SecondStepsByDevices,
    RecoveryGuesses,  // recovery codes that were tried, right ones too
    RecoverySets      // sets of recovery codes that were made, and codes that were typed back
};
std::string_view toString(Counted counted);  // "requests_by_devices"

struct AccountLimit {
    Counted counted = Counted::Requests;
    std::string address;  // that it is about; of what is about no address, empty
    std::string bucket;
};
std::vector<AccountLimit> limitsOf(const User& user);
std::vector<std::string> limitBucketsOf(const User& user);

// What the settings allow.
struct AccountLimitRules {
    LimitRule requests;
    LimitRule guesses;
    LimitRule changes;
    LimitRule passkeySignIns;
};
const LimitRule& ruleOf(Counted counted, const AccountLimitRules& rules);

}  // namespace otpgate::domain
