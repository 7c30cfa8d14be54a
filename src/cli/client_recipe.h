// The finished configuration of an application that signs its users in here: `otpgate client create --for`.
#pragma once

#include "otpgate/domain/oidc_client.h"

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::cli {

struct RecipeFacts {
    std::string issuer;
    std::string secret;  // empty for a public client, and where it is not known
    std::string random;  // of the application's own
};

const std::vector<std::string_view>& recipeNames();  // "apache", ...
// Throws UsageError for a name that is not one of them.
std::string recipeFor(std::string_view application, const domain::OidcClient& client, const RecipeFacts& facts);

}  // namespace otpgate::cli
