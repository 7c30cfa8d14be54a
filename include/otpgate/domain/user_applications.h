// The applications that a user has let in, as their owner sees them and takes that back. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/oidc_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct UserApplication {
    std::string clientId;
    std::string title;
    std::vector<OidcScope> scopes;        // what it may know
    Timestamp since;                      // of the consent, or the first sign-in that still counts
    std::optional<Timestamp> lastUsedAt;  // of a code or a refresh token; nullopt: nothing that it was given counts
};

// One for each application that was allowed something, or that something still counts of, by title.
std::vector<UserApplication> applicationsOf(const std::vector<OidcConsent>& consents,
                                            const std::vector<GrantsAlike>& grants, Timestamp now);

class UserApplications {
public:
    UserApplications(OidcStore& store, const Clock& clock, Random& random)
        : store_(store),
          clock_(clock),
          random_(random) {}

    std::vector<UserApplication> list(const User& user);
    // It is out at once, and asks again where users are asked. False: the user has let in no such application.
    bool withdraw(const Uuid& userId, std::string_view clientId, const Client& client);

private:
    OidcStore& store_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace otpgate::domain
