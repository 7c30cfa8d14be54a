// GET /api/v1/page: what the pages must know of this installation, so that they promise nothing that it does not hold.
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

namespace {

// As the pages name it, from where they are.
std::optional<std::string> fileOf(const std::string& name) {
    return name.empty() ? std::nullopt : std::optional{"page/" + name};
}

void writeLinks(http::JsonWriter& json, const PageSettings& page) {
    const auto link = [&](std::string_view name, const std::string& url) {
        if (!url.empty()) json.member(name, url);
    };
    json.key("links").beginObject();
    link("privacy", page.privacyUrl);
    link("imprint", page.imprintUrl);
    link("support", page.supportUrl);
    json.endObject();
}

}  // namespace

http::Response showPage(const http::Request& request, const ApiSettings& settings) {
    const PageSettings& page = settings.page;
    http::JsonWriter json;
    json.beginObject();
    json.member("name", page.name);
    json.member("accent", unlessEmpty(page.accent));
    json.member("logo", fileOf(page.logo)).member("stylesheet", fileOf(page.stylesheet));
    writeLinks(json, page);
    writeCodes(json, settings);
    json.member("link", domain::toString(settings.linkUse));
    json.member("passkeys", settings.passkeysAreOffered);
    if (settings.deviceTrust)
        json.member("trusted_device_days", std::chrono::floor<std::chrono::days>(*settings.deviceTrust).count());
    if (const auto target = settings.returnTargets.find(request.queryParameter("return_to").value_or(""))) {
        json.key("return_to").beginObject();
        json.member("url", target->url).member("name", target->name).endObject();
    }
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
