// src/api/openapi.json, embedded at build time by src/embed_text.sh: what GET /api/openapi.json serves and tests hold
// the routes to.
#pragma once

#include <string_view>

namespace otpgate::api {

// Where the document says that the service is; replaced by server.public_url when it is served.
inline constexpr std::string_view kExampleUrl = "https://login.example.com";

std::string_view openApiDocument();

}  // namespace otpgate::api
