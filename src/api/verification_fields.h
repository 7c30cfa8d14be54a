// Reads what POST /api/v1/verifications is asked, and says errors as clients of stateless contexts read
// them.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/http/json.h"

#include <functional>
#include <optional>

namespace otpgate::api {

// nullopt where `to` is missing or unusable. What is wrong is noted in the body; rejectInvalid() then throws. A code is
// of the `standard` format where the body names no other.
std::optional<domain::VerificationQuestion> readVerification(const ApiSettings& settings, domain::CodeFormat standard,
                                                             http::JsonBody& body);

// Runs the endpoint. An error that ends it is passed on with the members `error` (its sentence) and `error_code`.
http::Response withErrorMembers(const std::function<http::Response()>& endpoint);

}  // namespace otpgate::api
