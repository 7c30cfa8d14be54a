// From a limit of the domain to what clients see of it: the RateLimit headers, and the 429 of one that is reached.
#pragma once

#include "otpgate/domain/otp_service.h"
#include "otpgate/http/errors.h"

#include <optional>

namespace otpgate::api {

http::Response withLimit(http::Response response, const std::optional<domain::LimitReport>& limit);
http::ApiError limitError(http::ErrorCode code, const std::optional<domain::LimitReport>& limit);

}  // namespace otpgate::api
