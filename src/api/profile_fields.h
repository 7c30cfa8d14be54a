// Reads what people say about themselves. What is wrong is noted in the body; rejectInvalid() then throws.
#pragma once

#include "otpgate/domain/models.h"
#include "otpgate/http/json.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::api {

// A name as it is kept, see parsePersonName(); nullopt where it is absent.
std::optional<std::string> readName(http::JsonBody& body, std::string_view field);

// A user name as it is kept, see parseUsername(). What answers show in the place of one (shownUsername()) counts as
// absent: clients send back what they got.
std::optional<std::string> readUsername(http::JsonBody& body, const domain::User& user);

// A password that is to be set; absent or empty, it is noted as missing.
std::optional<std::string> readNewPassword(http::JsonBody& body, std::string_view field);
// Notes why it may not be used, where there is a reason.
void noteRefusal(http::JsonBody& body, std::string_view field, const std::optional<std::string>& reason);

}  // namespace otpgate::api
