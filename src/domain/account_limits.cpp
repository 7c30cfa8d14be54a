#include "otpgate/domain/account_limits.h"

namespace otpgate::domain {

namespace {

// As the services that count name it.
std::string_view kindOf(Counted counted) {
    switch (counted) {
    case Counted::Requests: return "request";
    case Counted::RequestsByDevices: return "request-device";
    case Counted::Guesses: return "guess";
    case Counted::GuessesByDevices: return "guess-device";
    case Counted::Passwords: return "password";
    case Counted::PasswordsByDevices: return "password-device";
    case Counted::Changes: return "change";
    case Counted::PasskeySignIns: return "passkey";
    case Counted::SecondSteps: return "second-step";
    case Counted::SecondStepsByDevices: return "second-step-device";
    case Counted::RecoveryGuesses: return "recovery";
    case Counted::RecoverySets: return "recovery-set";
    }
    return {};
}

}  // namespace

std::string_view toString(Counted counted) {
    switch (counted) {
    case Counted::Requests: return "requests";
    case Counted::RequestsByDevices: return "requests_by_devices";
    case Counted::Guesses: return "guesses";
    case Counted::GuessesByDevices: return "guesses_by_devices";
    case Counted::Passwords: return "passwords";
    case Counted::PasswordsByDevices: return "passwords_by_devices";
    case Counted::Changes: return "changes";
    case Counted::PasskeySignIns: return "passkey_sign_ins";
    case Counted::SecondSteps: return "second_steps";
    case Counted::SecondStepsByDevices: return "second_steps_by_devices";
    case Counted::RecoveryGuesses: return "recovery_guesses";
    case Counted::RecoverySets: return "recovery_sets";
    }
    return {};
}

std::vector<AccountLimit> limitsOf(const User& user) {
    std::vector<AccountLimit> limits;
    for (const std::string& address : addressesOf(user)) {
        for (const Counted counted : {Counted::Requests, Counted::RequestsByDevices, Counted::Guesses,
                                      Counted::GuessesByDevices, Counted::Passwords, Counted::PasswordsByDevices}) {
            limits.push_back({counted, address, limitBucket(kindOf(counted), address)});
        }
    }
    for (const Counted counted : {Counted::Changes, Counted::PasskeySignIns, Counted::SecondSteps,
                                  Counted::SecondStepsByDevices, Counted::RecoveryGuesses, Counted::RecoverySets}) {
        limits.push_back({counted, "", limitBucket(kindOf(counted), user.id.bytes())});
    }
    return limits;
}

std::vector<std::string> limitBucketsOf(const User& user) {
    std::vector<std::string> buckets;
    for (AccountLimit& limit : limitsOf(user)) buckets.push_back(std::move(limit.bucket));
    return buckets;
}

const LimitRule& ruleOf(Counted counted, const AccountLimitRules& rules) {
    switch (counted) {
    case Counted::Requests:
    case Counted::RequestsByDevices: return rules.requests;
    case Counted::Guesses:
    case Counted::GuessesByDevices:
    case Counted::Passwords:
    case Counted::PasswordsByDevices:
    case Counted::SecondSteps:
    case Counted::SecondStepsByDevices:
    case Counted::RecoveryGuesses:
    case Counted::RecoverySets: break;
    case Counted::Changes: return rules.changes;
    case Counted::PasskeySignIns: return rules.passkeySignIns;
    }
    return rules.guesses;
}

}  // namespace otpgate::domain
