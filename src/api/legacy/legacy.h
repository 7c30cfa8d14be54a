// Older clients of other services, served unchanged (API.md 7). Paths, field names and statuses are theirs; the rules
// are the services' that the v1 routes use, and none is here.
#pragma once

#include "api/endpoints.h"

namespace otpgate::api::legacy {

// authstack.cpp: family A
http::Response requestAuthstackOtp(Services& services, const http::Request& request);
http::Response verifyAuthstackOtp(Services& services, const http::Request& request);

// phone_only.cpp: family C
http::Response sendPhoneOtp(Services& services, const http::Request& request);
http::Response verifyPhoneOtp(Services& services, const http::Request& request);
http::Response showPhoneProfile(Services& services, const http::Request& request, const Caller& caller);

}  // namespace otpgate::api::legacy
