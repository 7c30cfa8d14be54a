// Reads what browsers say of passkeys: the JSON forms of WebAuthn Level 3, sections 5.1 and 5.8.1.
#pragma once

#include "otpgate/domain/passkey_service.h"
#include "otpgate/http/json.h"

#include <string>

namespace otpgate::api {

// Bytes that a browser wrote as JSON. Throws ApiError where they are none.
domain::ClientData readClientData(std::string json);

// The member `credential`: RegistrationResponseJSON and AuthenticationResponseJSON, as PublicKeyCredential.toJSON()
// makes them. Throws ApiError.
domain::PasskeyCreation readCreation(http::JsonBody& body);
domain::PasskeyAssertion readAssertion(http::JsonBody& body);

// `name`: 1 to 100 characters of plain text; noted where it is not, or missing.
std::string readPasskeyName(http::JsonBody& body);

}  // namespace otpgate::api
