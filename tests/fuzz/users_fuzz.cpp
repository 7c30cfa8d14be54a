// What `otpgate import-users` reads: in each line a user.
#include "cli/line_user.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/password_costs.h"
#include "otpgate/domain/username.h"

FUZZ_TARGET(users) {
    using namespace otpgate;
    static const cli::LineRules rules{
        .mayMakeAdmins = false, .validation = domain::EmailValidation::International, .groups = {"staff"}};
    fuzz::Input lines(input);
    while (!lines.rest().empty()) {
        const std::string line{lines.line()};
        try {
            const cli::ImportRow row = cli::parseLineUser(line, rules, Timestamp{});
            const domain::User& user = row.imported.user;
            REQUIRE(user.email || user.phoneNumber);
            REQUIRE(user.role == domain::Role::User);
            REQUIRE(!user.emailVerified || user.email);
            for (const std::string* text : {&user.displayName, &user.firstName, &user.lastName})
                REQUIRE(isValidUtf8(*text));
            if (user.username) REQUIRE(domain::parseUsername(*user.username) == user.username);
            REQUIRE(user.hasPassword == row.imported.passwordHash.has_value());
            // Whatever is kept can be compared, and its cost is known.
            if (user.hasPassword) REQUIRE(crypto::costOf(*row.imported.passwordHash) && row.passwordNotTaken.empty());
            for (const std::string& group : user.groups) REQUIRE(group == "staff");
        } catch (const cli::BadRow& bad) {
            // One line for the terminal; nothing of the line in it.
            const std::string_view what = bad.what();
            REQUIRE(!what.empty() && what.size() < 150 && isValidUtf8(what) &&
                    what.find('\n') == std::string_view::npos);
        }
    }
}
