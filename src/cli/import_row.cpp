#include "cli/import_row.h"

#include "otpgate/crypto/password_hash.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/domain/username.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Parser.h>

#include <utility>

namespace otpgate::cli {

using domain::Destination;

namespace {

constexpr std::size_t kMaxHashBytes = 255;

// How otpgate writes what others put a name before: Dovecot and LDAP {BLF-CRYPT}, Spring {bcrypt}, Kratos
// $sha512-crypt.
std::string withoutScheme(std::string hash) {
    if (hash.starts_with('{')) {
        const auto end = hash.find('}');
        if (end != std::string::npos && hash.compare(end + 1, 1, "$") == 0) return hash.substr(end + 1);
    }
    for (const auto& [theirs, ours] : {std::pair{"$sha256-crypt$", "$5$"}, std::pair{"$sha512-crypt$", "$6$"}}) {
        if (hash.starts_with(theirs)) return ours + hash.substr(std::string_view{theirs}.size());
    }
    return hash;
}

std::string reasonNotToTake(const std::string& hash) {
    const auto [fault, kind] = crypto::inspectHash(hash);
    const bool isTooLong = hash.size() > kMaxHashBytes;
    switch (fault) {
    case crypto::HashFault::None: return isTooLong ? "it is longer than 255 bytes" : "";
    // Their owners sign in by code and set a new password.
    case crypto::HashFault::TooWeak: return std::string{kind} + " is too weak to keep";
    case crypto::HashFault::TooCostly: return std::string{kind} + " that costs too much";
    case crypto::HashFault::Damaged: return std::string{kind} + " that is damaged";
    case crypto::HashFault::Unknown: break;
    }
    return isTooLong ? "it is longer than 255 bytes" : "it is of an unknown kind";
}

}  // namespace

ImportFields::Ptr parseObject(const std::string& json) {
    try {
        return Poco::JSON::Parser().parse(json).extract<ImportFields::Ptr>();
    } catch (const Poco::Exception&) {
        throw BadRow("it is not a JSON object");
    }
}

std::string textIn(const ImportFields& fields, const std::string& name) {
    const auto value = fields.get(name);
    if (value.isEmpty()) return {};
    if (!value.isString()) throw BadRow(name + " is not a text");
    return value.extract<std::string>();
}

std::string personNameIn(const ImportFields& fields, const std::string& name) {
    auto parsed = domain::parsePersonName(textIn(fields, name));
    if (!parsed) throw BadRow(name + " is longer than 150 characters, or has control characters");
    return std::move(*parsed);
}

std::optional<Timestamp> timeIn(const ImportFields& fields, const std::string& name) {
    const std::string written = textIn(fields, name);
    if (written.empty()) return std::nullopt;
    // Without USE_TZ there is no offset.
    auto time = parseRfc3339(written);
    if (!time) time = parseRfc3339(written + "Z");
    if (!time) throw BadRow(name + " is not a date and time");
    return time->begin;
}

std::optional<std::string> emailIn(const ImportFields& fields, const std::string& name,
                                   domain::EmailValidation validation) {
    const std::string written = textIn(fields, name);
    if (written.empty()) return std::nullopt;
    const auto parsed = Destination::parseEmail(written, validation);
    if (parsed) return parsed->value();
    if (Destination::parseEmail(written, domain::EmailValidation::Lenient)) {
        throw BadRow(name + " needs email.validation = lenient");
    }
    if (Destination::parseEmail(written, domain::EmailValidation::International)) {
        throw BadRow(name + " needs email.validation = international");
    }
    throw BadRow(name + " is not an e-mail address");
}

std::optional<std::string> phoneNumberIn(const ImportFields& fields, const std::string& name) {
    const std::string written = textIn(fields, name);
    if (written.empty()) return std::nullopt;
    const auto parsed = Destination::parsePhoneNumber(written);
    if (!parsed) throw BadRow(name + " is not a telephone number such as +4930123456");
    return parsed->value();
}

void takeHash(const std::string& written, ImportRow& row) {
    if (written.empty() || written.starts_with('!')) return;
    std::string hash = withoutScheme(written);
    row.passwordNotTaken = reasonNotToTake(hash);
    if (row.passwordNotTaken.empty()) row.imported.passwordHash = std::move(hash);
    row.imported.user.hasPassword = row.imported.passwordHash.has_value();
}

void takeUsername(const std::string& written, ImportRow& row) {
    if (written.empty() || written.find('@') != std::string::npos ||
        Destination::parse(written, domain::EmailValidation::International))
        return;
    domain::User& account = row.imported.user;
    auto name = domain::parseUsername(written);
    if (!name) {
        row.usernameNotTaken = "it is not 2 to 64 of a-z, 0-9, dot, _ and - with a letter";
    } else if (domain::isReservedUsername(*name) && account.role != domain::Role::Admin) {
        row.usernameNotTaken = "it is an administrator's";
        name.reset();
    }
    if (name != written) account.displayName = written;
    account.username = std::move(name);
}

}  // namespace otpgate::cli
