// Who calls: from the Authorization header to an active session and its user.
#pragma once

#include "api/endpoints.h"

namespace otpgate::api {

// Throws ApiError: Unauthenticated without a Bearer token, InvalidToken with one that is not good.
Caller authenticate(Services& services, const http::Request& request);

domain::Client clientOf(const http::Request& request);

}  // namespace otpgate::api
