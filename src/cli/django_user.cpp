#include "cli/django_user.h"

#include <initializer_list>

namespace otpgate::cli {

namespace {

using domain::Destination;
using Fields = ImportFields;

// As Django's own BooleanField reads them: many a database has 0 and 1 in place of a boolean, and dumps say so.
std::optional<bool> parseFlag(const Poco::Dynamic::Var& value) {
    if (value.isBoolean()) return value.extract<bool>();
    const bool isScalar = value.isInteger() || value.isString();
    const auto text = isScalar ? value.convert<std::string>() : std::string{};
    for (const char* word : {"1", "true", "True", "t"}) {
        if (text == word) return true;
    }
    for (const char* word : {"0", "false", "False", "f"}) {
        if (text == word) return false;
    }
    return std::nullopt;
}

bool flag(const Fields& fields, std::initializer_list<const char*> names, bool standard) {
    for (const char* name : names) {
        const auto value = fields.get(name);
        if (value.isEmpty()) continue;
        const auto parsed = parseFlag(value);
        if (!parsed) throw BadRow(std::string{name} + " is neither true nor false");
        return *parsed;
    }
    return standard;
}

void readAddresses(const Fields& fields, domain::EmailValidation validation, domain::User& user) {
    user.email = emailIn(fields, "email", validation);
    for (const char* name : {"phone_number", "phone"}) {
        if (!user.phoneNumber) user.phoneNumber = phoneNumberIn(fields, name);
    }
    if (user.email || user.phoneNumber) return;
    // Many a site has the address there alone.
    const auto parsed = Destination::parse(textIn(fields, "username"), validation);
    if (!parsed) throw BadRow("there is neither an e-mail address nor a telephone number");
    (parsed->channel() == domain::Channel::Email ? user.email : user.phoneNumber) = parsed->value();
}

bool isUser(const Fields& object, const Fields& fields) {
    const auto model = object.get("model");
    if (model.isString() && model.extract<std::string>() == "auth.user") return true;
    if (!fields.has("password")) return false;
    return fields.has("email") || fields.has("phone_number") || fields.has("phone") || fields.has("username");
}

}  // namespace

std::optional<ImportRow> parseDjangoUser(const std::string& json, StaffAre staff, domain::EmailValidation validation,
                                         Timestamp now) {
    const Fields::Ptr object = parseObject(json);
    const Fields::Ptr fields = object->getObject("fields");
    if (!fields) throw BadRow("there is no object \"fields\"");
    if (!isUser(*object, *fields)) return std::nullopt;

    ImportRow result;
    domain::User& user = result.imported.user;
    readAddresses(*fields, validation, user);
    user.firstName = personNameIn(*fields, "first_name");
    user.lastName = personNameIn(*fields, "last_name");
    user.emailVerified = user.email && flag(*fields, {"email_verified", "is_email_verified", "is_verified"}, false);
    user.phoneVerified =
        user.phoneNumber && flag(*fields, {"is_phone_verified", "phone_verified", "is_verified"}, false);
    user.status = flag(*fields, {"is_active"}, true) ? domain::UserStatus::Active : domain::UserStatus::Disabled;
    const bool isStaff = flag(*fields, {"is_superuser"}, false) || flag(*fields, {"is_staff"}, false);
    user.role = isStaff && staff == StaffAre::Admins ? domain::Role::Admin : domain::Role::User;
    user.joinedAt = timeIn(*fields, "date_joined").value_or(now);
    user.lastLoginAt = timeIn(*fields, "last_login");
    takeUsername(personNameIn(*fields, "username"), result);
    // Django writes a ! before what no password matches.
    takeHash(textIn(*fields, "password"), result);
    return result;
}

}  // namespace otpgate::cli
