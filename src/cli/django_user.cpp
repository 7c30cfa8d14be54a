#include "cli/django_user.h"

#include "otpgate/crypto/password_hash.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/domain/username.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
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

void readAddresses(const Fields& fields, domain::EmailValidation validation, domain::User& user) {
    if (const std::string email = text(fields, "email"); !email.empty()) {
        const auto parsed = Destination::parseEmail(email, validation);
        if (!parsed && Destination::parseEmail(email, domain::EmailValidation::Lenient)) {
            throw BadRow("email needs email.validation = lenient");
        }
        if (!parsed && Destination::parseEmail(email, domain::EmailValidation::International)) {
            throw BadRow("email needs email.validation = international");
        }
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
    const auto parsed = Destination::parse(text(fields, "username"), validation);
    if (!parsed) throw BadRow("there is neither an e-mail address nor a telephone number");
    (parsed->channel() == domain::Channel::Email ? user.email : user.phoneNumber) = parsed->value();
}

// Why no login can take a hash, by its kind.
std::string reasonToLeaveOut(const std::string& hash) {
    // They are a matter of minutes for whoever gets hold of the database, wrapped in a better one or not, because most
    // of them are in lists already. Their owners sign in by code and set a new password.
    constexpr const char* kWeak[] = {"md5", "unsalted_md5", "sha1", "unsalted_sha1", "crypt"};
    const std::string kind = hash.substr(0, hash.find('$'));
    const bool isBareMd5 = hash.size() == 32 && hash.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (isBareMd5) return "unsalted_md5 is too weak to keep";
    if (std::find(std::begin(kWeak), std::end(kWeak), kind) != std::end(kWeak)) return kind + " is too weak to keep";
    if (hash.size() > kMaxHashBytes) return "it is longer than 255 bytes";
    for (const char* known : {"pbkdf2_sha256", "pbkdf2_sha1", "bcrypt", "bcrypt_sha256", "argon2", "scrypt"}) {
        if (kind == known) return kind + " that is damaged or costs too much";
    }
    return "it is of an unknown kind";
}

void readHash(const Fields& fields, DjangoUser& user) {
    std::string hash = text(fields, "password");
    // Django writes a ! before what no password matches.
    if (hash.empty() || hash.starts_with('!')) return;
    if (hash.size() <= kMaxHashBytes && crypto::isUsableHash(hash)) {
        user.imported.passwordHash = std::move(hash);
    } else {
        user.passwordNotTaken = reasonToLeaveOut(hash);
    }
}

// After the role. What is an address names nobody.
void readUsername(const Fields& fields, DjangoUser& user) {
    const std::string written = nameIn(fields, "username");
    if (written.empty() || written.find('@') != std::string::npos ||
        Destination::parse(written, domain::EmailValidation::International))
        return;
    domain::User& account = user.imported.user;
    auto name = domain::parseUsername(written);
    if (!name) {
        user.usernameNotTaken = "it is not 2 to 64 of a-z, 0-9, dot, _ and - with a letter";
    } else if (domain::isReservedUsername(*name) && account.role != domain::Role::Admin) {
        user.usernameNotTaken = "it is an administrator's";
        name.reset();
    }
    if (name != written) account.displayName = written;
    account.username = std::move(name);
}

bool isUser(const Fields& object, const Fields& fields) {
    const auto model = object.get("model");
    if (model.isString() && model.extract<std::string>() == "auth.user") return true;
    if (!fields.has("password")) return false;
    return fields.has("email") || fields.has("phone_number") || fields.has("phone") || fields.has("username");
}

}  // namespace

std::optional<DjangoUser> parseDjangoUser(const std::string& json, StaffAre staff, domain::EmailValidation validation,
                                          Timestamp now) {
    const Fields::Ptr object = parseObject(json);
    const Fields::Ptr fields = object->getObject("fields");
    if (!fields) throw BadRow("there is no object \"fields\"");
    if (!isUser(*object, *fields)) return std::nullopt;

    DjangoUser result;
    domain::User& user = result.imported.user;
    readAddresses(*fields, validation, user);
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
    readUsername(*fields, result);
    readHash(*fields, result);
    user.hasPassword = result.imported.passwordHash.has_value();
    return result;
}

}  // namespace otpgate::cli
