// The one error boundary, the one log line a request, and where requests are counted. Everything that a client gets
// passes here.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/http/cors.h"
#include "otpgate/http/request.h"
#include "otpgate/http/request_metrics.h"
#include "otpgate/http/router.h"
#include "otpgate/http/sentences.h"

namespace otpgate::http {

// Routes the request and turns whatever happens into an answer: ApiError by its table, ServiceUnavailable into 503
// UNAVAILABLE with Retry-After: 1, anything else into 500 INTERNAL_ERROR. Adds X-Request-Id, Cache-Control: no-store,
// X-Content-Type-Options: nosniff and a Content-Security-Policy that forbids everything, framing too (an endpoint may
// have set its own of the last three), then logs method, path
// pattern-free path, status, client address, duration and request id, with the log detail of an error, and counts.
// Preflights of configured origins are answered here. What an answer says to people it says in the first language that
// can be spoken of: `locale` of the body, the account's, those of Accept-Language, the fallback; Content-Language names
// it. Never throws.
Response answer(const Router& router, Request& request, const Cors& cors, const Sentences& sentences,
                const Clock& clock, Logger& log, RequestMetrics& metrics);

}  // namespace otpgate::http
