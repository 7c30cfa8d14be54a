// One user as a row of an import says it, whatever wrote the row, and what the kinds of rows read alike.
#pragma once

#include "otpgate/domain/account_store.h"

#include <Poco/JSON/Object.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace otpgate::cli {

// The row cannot be imported; what() says why, without quoting it.
class BadRow : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct ImportRow {
    domain::ImportedUser imported;  // without id
    std::string passwordNotTaken;   // why its password is left out, without quoting it; empty where nothing is lost
    // Why its user name is the display name alone, without quoting it; empty where it is not, or there is none.
    std::string usernameNotTaken;
};

using ImportFields = Poco::JSON::Object;

// These throw BadRow.
ImportFields::Ptr parseObject(const std::string& json);
std::string textIn(const ImportFields& fields, const std::string& name);  // empty where it is absent or null
std::string personNameIn(const ImportFields& fields, const std::string& name);
std::optional<Timestamp> timeIn(const ImportFields& fields, const std::string& name);  // without an offset it is UTC
// Normalized; nullopt where it is absent or empty.
std::optional<std::string> emailIn(const ImportFields& fields, const std::string& name,
                                   domain::EmailValidation validation);
std::optional<std::string> phoneNumberIn(const ImportFields& fields, const std::string& name);

// An empty text, and one that begins with !, is no password.
void takeHash(const std::string& written, ImportRow& row);
// After the role. What is an address names nobody; what does not fit becomes the display name.
void takeUsername(const std::string& written, ImportRow& row);

}  // namespace otpgate::cli
