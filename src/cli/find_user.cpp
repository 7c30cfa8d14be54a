#include "cli/find_user.h"

#include "cli/command_line.h"
#include "otpgate/domain/username.h"

#include <stdexcept>

namespace otpgate::cli {

domain::User findUser(domain::AccountService& accounts, const std::string& who) {
    std::optional<domain::User> user;
    if (const auto id = Uuid::parse(who)) {
        user = accounts.find(*id);
    } else if (const auto destination = domain::Destination::parse(who, domain::EmailValidation::International)) {
        user = accounts.find(*destination);
    } else if (const auto name = domain::parseUsername(who)) {
        user = accounts.findNamed(*name);
    } else {
        throw UsageError("neither an address, a user name nor an id: " + who);
    }
    if (!user) throw std::runtime_error("there is no such user: " + who);
    return std::move(*user);
}

}  // namespace otpgate::cli
