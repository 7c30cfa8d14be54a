// GET /api/openapi.json.
#include "api/openapi.h"

#include "api/endpoints.h"

namespace otpgate::api {

http::Response showOpenApi(const http::Request&, const ApiSettings& settings) {
    std::string_view rest = openApiDocument();
    http::Response response;
    response.body.reserve(rest.size());
    for (auto at = rest.find(kExampleUrl); at != std::string_view::npos; at = rest.find(kExampleUrl)) {
        response.body += rest.substr(0, at);
        response.body += settings.publicUrl;
        rest.remove_prefix(at + kExampleUrl.size());
    }
    response.body += rest;
    return response;
}

}  // namespace otpgate::api
