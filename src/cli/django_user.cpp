#include "cli/django_user.h"

#include "otpgate/domain/person_name.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <initializer_list>

namespace otpgate::cli {

namespace {

using domain::Destination;
using Fields = Poco::JSON::Object;

constexpr std::size_t kMaxHashBytes = 255;

Fields::Ptr parseObject(const std::string& json) {
    try {
        return Poco::JSON::Parser().parse(json).extract<Fields::Ptr>();
    } catch (const Poco::Exception&) {
        throw BadRow("it is not a JSON object");
    }
}

std::string text(const Fields& fields, const std::string& name) {
    const auto value = fields.get(name);
    if (value.isEmpty()) return {};
    if (!value.isString()) throw BadRow(name + " is not a text");
    return value.extract<std::string>();
}

bool flag(const Fields& fields, std::initializer_list<const char*> names, bool standard) {
    for (const char* name : names) {
        const auto value = fields.get(name);
        if (value.isEmpty()) continue;
        if (!value.isBoolean()) throw BadRow(std::string{name} + " is neither true nor false");
        return value.extract<bool>();
    }
    return standard;
}

std::string nameIn(const Fields& fields, const std::string& name) {
    auto parsed = domain::parsePersonName(text(fields, name));
    if (!parsed) throw BadRow(name + " is longer than 150 characters, or has control characters");
    return std::move(*parsed);
}

std::optional<Timestamp> timeIn(const Fields& fields, const std::string& name) {
    const std::string written = text(fields, name);
    if (written.empty()) return std::nullopt;
    // Without USE_TZ there is no offset.
    auto time = parseRfc3339(written);
    if (!time) time = parseRfc3339(written + "Z");
    if (!time) throw BadRow(name + " is not a date and time");
    return time->begin;
}

void readAddresses(const Fields& fields, domain::User& user) {
    if (const std::string email = text(fields, "email"); !email.empty()) {
        const auto parsed = Destination::parseEmail(email);
        if (!parsed) throw BadRow("email is not an e-mail address");
        user.email = parsed->value();
    }
    for (const char* name : {"phone_number", "phone"}) {
        const std::string phone = text(fields, name);
        if (phone.empty() || user.phoneNumber) continue;
        const auto parsed = Destination::parsePhoneNumber(phone);
        if (!parsed) throw BadRow(std::string{name} + " is not a telephone number such as +4930123456");
        user.phoneNumber = parsed->value();
    }
    if (user.email || user.phoneNumber) return;
    // Many a site has the address there alone.
    const auto parsed = Destination::parse(text(fields, "username"));
    if (!parsed) throw BadRow("there is neither an e-mail address nor a telephone number");
    (parsed->channel() == domain::Channel::Email ? user.email : user.phoneNumber) = parsed->value();
}

std::optional<std::string> readHash(const Fields& fields) {
    std::string hash = text(fields, "password");
    // Django writes a ! before what no password matches.
    if (hash.empty() || hash.starts_with('!')) return std::nullopt;
    if (hash.size() > kMaxHashBytes) throw BadRow("password is longer than 255 bytes");
    return hash;
}

bool isUser(const Fields& object, const Fields& fields) {
    const auto model = object.get("model");
    if (model.isString() && model.extract<std::string>() == "auth.user") return true;
    if (!fields.has("password")) return false;
    return fields.has("email") || fields.has("phone_number") || fields.has("phone") || fields.has("username");
}

}  // namespace

std::optional<domain::ImportedUser> parseDjangoUser(const std::string& json, StaffAre staff, Timestamp now) {
    const Fields::Ptr object = parseObject(json);
    const Fields::Ptr fields = object->getObject("fields");
    if (!fields) throw BadRow("there is no object \"fields\"");
    if (!isUser(*object, *fields)) return std::nullopt;

    domain::ImportedUser imported;
    domain::User& user = imported.user;
    readAddresses(*fields, user);
    user.username = nameIn(*fields, "username");
    if (user.username.empty()) user.username = user.email ? *user.email : *user.phoneNumber;
    user.firstName = nameIn(*fields, "first_name");
    user.lastName = nameIn(*fields, "last_name");
    user.emailVerified = user.email && flag(*fields, {"email_verified", "is_email_verified", "is_verified"}, false);
    user.phoneVerified =
        user.phoneNumber && flag(*fields, {"is_phone_verified", "phone_verified", "is_verified"}, false);
    user.status = flag(*fields, {"is_active"}, true) ? domain::UserStatus::Active : domain::UserStatus::Disabled;
    const bool isStaff = flag(*fields, {"is_superuser"}, false) || flag(*fields, {"is_staff"}, false);
    user.role = isStaff && staff == StaffAre::Admins ? domain::Role::Admin : domain::Role::User;
    user.joinedAt = timeIn(*fields, "date_joined").value_or(now);
    user.lastLoginAt = timeIn(*fields, "last_login");
    imported.passwordHash = readHash(*fields);
    user.hasPassword = imported.passwordHash.has_value();
    return imported;
}

}  // namespace otpgate::cli
