// What `otpgate import-django` reads: a file of any size, element by element, and in each a user.
#include "cli/django_user.h"
#include "cli/json_elements.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/domain/username.h"

#include <sstream>

namespace {

using namespace otpgate;
using cli::BadRow;

void requireUser(const cli::ImportRow& read, domain::EmailValidation validation) {
    const domain::User& user = read.imported.user;
    REQUIRE(user.email || user.phoneNumber);
    if (user.email) REQUIRE(domain::Destination::parseEmail(*user.email, validation)->value() == *user.email);
    if (user.phoneNumber)
        REQUIRE(domain::Destination::parsePhoneNumber(*user.phoneNumber)->value() == *user.phoneNumber);
    for (const std::string* text : {&user.displayName, &user.firstName, &user.lastName}) REQUIRE(isValidUtf8(*text));
    if (user.username) REQUIRE(domain::parseUsername(*user.username) == user.username);
    REQUIRE(user.hasPassword == read.imported.passwordHash.has_value());
    REQUIRE(!user.hasPassword || read.passwordNotTaken.empty());
    REQUIRE(user.role == domain::Role::User);
}

}  // namespace

FUZZ_TARGET(django) {
    fuzz::Input bytes(input);
    const auto validation = bytes.byte() % 2 == 1 ? domain::EmailValidation::Lenient : domain::EmailValidation::Strict;
    std::istringstream in{std::string{bytes.rest()}};
    try {
        cli::JsonElements elements(in);
        while (const auto element = elements.next()) {
            try {
                const auto user = cli::parseDjangoUser(*element, cli::StaffAre::Users, validation, Timestamp{});
                if (user) requireUser(*user, validation);
            } catch (const BadRow& bad) {
                // One line for the terminal; nothing of the row in it.
                const std::string_view what = bad.what();
                REQUIRE(!what.empty() && what.size() < 100 && isValidUtf8(what) &&
                        what.find('\n') == std::string_view::npos);
            }
        }
    } catch (const std::runtime_error& error) {
        REQUIRE(std::string_view{error.what()}.starts_with("not a JSON array: "));
    }
}
