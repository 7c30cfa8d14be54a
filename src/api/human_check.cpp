// GET /api/v1/human-check: the page on which a service of somebody else checks the visitor. A page by itself, so that
// the scripts of that service never see another one of ours: it is opened in a window that knows of no other, its
// policy lets it speak to that service alone, and it may open nothing.
#include "api/endpoints.h"
#include "api/html_page.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

namespace {

using domain::HumanCheckService;

struct Needs {
    std::string_view script;
    std::string_view policy;
};

// As the service's documentation says. The name after onload is that of a function of www/js/check.js.
Needs needsOf(HumanCheckService service) {
    switch (service) {
    case HumanCheckService::None: break;
    case HumanCheckService::Turnstile:
        return {"https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit&onload=begin",
                "script-src 'self' https://challenges.cloudflare.com; frame-src https://challenges.cloudflare.com;"
                " style-src 'self'"};
    case HumanCheckService::HCaptcha:
        return {"https://js.hcaptcha.com/1/api.js?render=explicit&onload=begin",
                "script-src 'self' https://hcaptcha.com https://*.hcaptcha.com;"
                " frame-src https://hcaptcha.com https://*.hcaptcha.com;"
                " style-src 'self' https://hcaptcha.com https://*.hcaptcha.com;"
                " connect-src https://hcaptcha.com https://*.hcaptcha.com"};
    }
    return {};
}

// In its sandbox it is of our origin, which the services want, and may neither open a window nor lead one elsewhere. A
// Cross-Origin-Opener-Policy beside a sandbox is refused by browsers.
std::string policyOf(std::string_view allowed) {
    return "default-src 'none'; " + std::string{allowed} +
           "; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
           " sandbox allow-scripts allow-same-origin";
}

}  // namespace

http::Response showHumanCheck(const http::Request& /*request*/, const ApiSettings& settings) {
    const domain::HumanCheckSite& site = settings.humanCheck;
    if (!site.isUsed()) throw http::ApiError(http::ErrorCode::NotFound);
    const Needs needs = needsOf(site.service);
    return HtmlPage(settings, 200, "One more step")
        .policies(policyOf(needs.policy), "strict-origin-when-cross-origin")
        .paragraph("Please show that you are a human, and no program.")
        .box("check", {{"data-service", std::string{toString(site.service)}},
                       {"data-site-key", site.siteKey},
                       {"data-action", std::string{domain::kHumanCheckAction}}})
        .hiddenParagraph("done", "Thank you. Go on where you came from; you can close this window.")
        .hiddenParagraph("failed", "The check could not be loaded. Please try again, or in another browser.")
        .script(settings.basePath + "/js/check.js")
        .script(needs.script)
        .take();
}

}  // namespace otpgate::api
