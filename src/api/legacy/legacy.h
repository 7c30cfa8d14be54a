// Older clients of other services, served unchanged; openapi.json describes what they read. Paths, field names and
// statuses are theirs; the rules are the services' that the v1 routes use, and none is here.
#pragma once

#include "api/endpoints.h"

namespace otpgate::api::legacy {

// authstack.cpp
http::Response requestAuthstackOtp(const http::Request& request, domain::OtpService& codes,
                                   domain::SessionService& sessions, const ApiSettings& settings);
http::Response verifyAuthstackOtp(const http::Request& request, domain::OtpService& codes,
                                  domain::SessionService& sessions, const ApiSettings& settings);

// phone_only.cpp
http::Response sendPhoneOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                            const ApiSettings& settings);
http::Response verifyPhoneOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                              const ApiSettings& settings);
http::Response showPhoneProfile(const http::Request& request, const Caller& caller);

}  // namespace otpgate::api::legacy
