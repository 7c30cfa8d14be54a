#include "api/profile_fields.h"

#include "otpgate/domain/person_name.h"
#include "otpgate/domain/username.h"

namespace otpgate::api {

std::optional<std::string> readName(http::JsonBody& body, std::string_view field) {
    const auto text = body.string(field);
    if (!text) return std::nullopt;
    auto name = domain::parsePersonName(*text);
    if (!name) body.noteInvalid(field, "must be at most 150 characters, without control characters");
    return name;
}

std::optional<std::string> readUsername(http::JsonBody& body, const domain::User& user) {
    const auto text = body.string("username");
    if (!text || *text == domain::shownUsername(user)) return std::nullopt;
    auto name = domain::parseUsername(*text);
    if (!name) {
        body.noteInvalid("username",
                         "must be 2 to 64 of a-z, 0-9, dot, _ and -, with a letter, and none of the signs at an end");
    }
    return name;
}

std::optional<std::string> readNewPassword(http::JsonBody& body, std::string_view field) {
    auto password = body.string(field);
    if (password && !password->empty()) return password;
    body.noteMissing(field);
    return std::nullopt;
}

void noteRefusal(http::JsonBody& body, std::string_view field, const std::optional<std::string>& reason) {
    if (reason) body.noteInvalid(field, *reason);
}

}  // namespace otpgate::api
