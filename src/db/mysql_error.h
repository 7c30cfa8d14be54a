// What the numbers of MySQL, MariaDB and their client library mean to us.
#pragma once

#include "otpgate/db/error.h"

#include <string>
#include <string_view>

namespace otpgate::db {

ErrorKind mysqlErrorKind(int number);

// Of what is Gone: the server itself says that it does not serve, or serves no writes, so another host is to be asked.
bool hostRefuses(int number);

// The server's text without the values that it quotes ("Duplicate entry 'eve@example.org' for key 'email'"): logs hold
// no addresses. Which key or column it was stays.
std::string withoutValues(int number, std::string_view sqlState, std::string_view text);

}  // namespace otpgate::db
