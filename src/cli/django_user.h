// One object of Django's `dumpdata`, read as a user: auth.user, or a model of one's own with the fields that such
// models usually have.
#pragma once

#include "otpgate/domain/account_store.h"

#include <optional>
#include <stdexcept>
#include <string>

namespace otpgate::cli {

// The row cannot be imported; what() says why, without quoting it.
class BadRow : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class StaffAre { Users, Admins };

struct DjangoUser {
    domain::ImportedUser imported;
    std::string passwordNotTaken;  // why its password is left out, without quoting it; empty where nothing is lost
    // Why its user name is the display name alone, without quoting it; empty where it is not, or there is none.
    std::string usernameNotTaken;
};

// nullopt for an object of another model. The id is left to the caller, and the time of joining where the row has none.
// Throws BadRow.
std::optional<DjangoUser> parseDjangoUser(const std::string& json, StaffAre staff, domain::EmailValidation validation,
                                          Timestamp now);

}  // namespace otpgate::cli
