// The HTTP API: from the services of one worker thread to the table of its routes.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/http/cors.h"
#include "otpgate/http/router.h"

#include <functional>
#include <string>

namespace otpgate::api {

// What /health/ready asks; each member throws ServiceUnavailable, with the reason, where it is not ready.
struct Readiness {
    std::function<void()> checkDatabase;
    std::function<void()> checkMigrations;
    std::function<void()> checkKeys;
};

// What a deployment decides of the API itself.
struct ApiSettings {
    bool smsIsSetUp = false;
};

struct Services {
    domain::OtpService& otp;
    domain::SessionService& sessions;
    const domain::SigningKeys& keys;
    const http::Cors& cors;
    const Clock& clock;
    const Readiness& readiness;
    ApiSettings settings;
};

// The services outlive the router.
http::Router makeRouter(Services& services);

}  // namespace otpgate::api
