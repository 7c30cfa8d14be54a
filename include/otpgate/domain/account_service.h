// Accounts beside their passwords: made by administrators, changed and deleted by their owners. One object a worker
// thread, and one for the commands of administrators.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/account_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct ProfileFields {
    std::optional<std::string> username;  // as parseUsername() gives it
    std::optional<std::string> displayName;
    std::optional<std::string> firstName;
    std::optional<std::string> lastName;
    std::optional<std::string> locale;
};

// A user as it begins; its address is not verified.
User makeUser(const Uuid& id, const Destination& destination, Timestamp now);

class AccountService {
public:
    AccountService(AccountStore& store, const Clock& clock, Random& random);

    std::optional<User> find(const Uuid& id) { return store_.find(id); }
    std::optional<User> find(const Destination& destination) { return store_.find(destination); }
    std::vector<User> list(const Uuid& after, unsigned limit) { return store_.list(after, limit); }

    // An account whose addresses an administrator vouches for; its id, time and name are set here. nullopt: an address
    // is taken.
    std::optional<User> create(User user, std::optional<std::string> passwordHash, const Client& client);
    std::optional<User> findNamed(std::string_view username) { return store_.findNamed(username); }
    // To an owner a reserved name (username.h) is one that is taken.
    ProfileUpdate updateProfile(const Uuid& userId, const ProfileFields& fields, NameGiver giver, const Client& client);
    // What is known of the user beside the account itself and the audit trail. What was sent to an address counts once
    // that is verified: until then it may be somebody else's.
    std::vector<ExportSection> exportOf(const User& user);
    // With sessions, devices, keys and codes; of the audit trail event, user and time stay. See AccountStore::remove.
    bool remove(const User& user, const std::optional<Uuid>& actor = std::nullopt);
    // False: it is so already. Who is disabled loses every session at once.
    bool setStatus(const Uuid& userId, UserStatus status, const Client& client);
    bool setRole(const Uuid& userId, Role role, const Client& client);

private:
    AccountStore& store_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace otpgate::domain
