// Who is meant by a command's WHO.
#pragma once

#include "otpgate/domain/account_service.h"

#include <string>

namespace otpgate::cli {

// By e-mail address, telephone number, id or user name. Throws UsageError for what is none of these, and
// std::runtime_error where there is no such user.
domain::User findUser(domain::AccountService& accounts, const std::string& who);

}  // namespace otpgate::cli
