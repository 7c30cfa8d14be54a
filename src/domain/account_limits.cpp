#include "otpgate/domain/account_limits.h"

namespace otpgate::domain {

namespace {

// As the services that count name it.
std::string_view kindOf(Counted counted) {
    switch (counted) {
    case Counted::Requests: return "request";
    case Counted::RequestsByDevices: return "request-device";
    case Counted::Guesses: return "guess";
    case Counted::GuessesByDevice: return "guess-device";
    case Counted::Passwords: return "password";
    case Counted::PasswordsByDevice: return "password-device";
    case Counted::Changes: return "change";
    }
    return {};
}

}  // namespace

std::string_view toString(Counted counted) {
    switch (counted) {
    case Counted::Requests: return "requests";
    case Counted::RequestsByDevices: return "requests_by_devices";
    case Counted::Guesses: return "guesses";
    case Counted::GuessesByDevice: return "guesses_by_device";
    case Counted::Passwords: return "passwords";
    case Counted::PasswordsByDevice: return "passwords_by_device";
    case Counted::Changes: return "changes";
    }
    return {};
}

std::vector<AccountLimit> limitsOf(const User& user, const std::vector<Uuid>& devices) {
    std::vector<AccountLimit> limits;
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (!address) continue;
        for (const Counted counted :
             {Counted::Requests, Counted::RequestsByDevices, Counted::Guesses, Counted::Passwords}) {
            limits.push_back({counted, *address, std::nullopt, limitBucket(kindOf(counted), *address)});
        }
    }
    for (const Uuid& device : devices) {
        for (const Counted counted : {Counted::GuessesByDevice, Counted::PasswordsByDevice}) {
            limits.push_back({counted, "", device, limitBucket(kindOf(counted), device.bytes())});
        }
    }
    limits.push_back({Counted::Changes, "", std::nullopt, limitBucket(kindOf(Counted::Changes), user.id.bytes())});
    return limits;
}

const LimitRule& ruleOf(Counted counted, const AccountLimitRules& rules) {
    switch (counted) {
    case Counted::Requests:
    case Counted::RequestsByDevices: return rules.requests;
    case Counted::Guesses:
    case Counted::GuessesByDevice:
    case Counted::Passwords:
    case Counted::PasswordsByDevice: break;
    case Counted::Changes: return rules.changes;
    }
    return rules.guesses;
}

}  // namespace otpgate::domain
