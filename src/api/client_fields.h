// An application that is registered, as JSON: for administrators and for the command.
#pragma once

#include "otpgate/domain/oidc_client.h"
#include "otpgate/http/json.h"

#include <optional>
#include <string>

namespace otpgate::api {

// `secret`: the one time that it is told; else empty.
void writeClient(http::JsonWriter& json, const domain::OidcClient& client, const std::string& secret = {});

// What the body says of the client, in the place of what is there, as far as domain::faultOf() allows. What is wrong is
// noted.
void readClient(http::JsonBody& body, domain::OidcClient& client, domain::ClientKind kind);

}  // namespace otpgate::api
