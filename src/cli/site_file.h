// The ready files for the web servers, with a host's own names in them. Used by setup.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::cli {

enum class WebServer { Nginx, Apache };

struct Certificate {
    std::string file;
    std::string keyFile;
};

struct SiteNames {
    std::string host;
    std::optional<Certificate> certificate;  // none: what is served over TLS is left out
    std::string pages;                       // the folder of the pages
    std::string socket;                      // of otpgate
};

// Of etc/nginx/otpgate.conf or etc/apache/otpgate.conf. Throws std::runtime_error where the file is not as it was
// shipped.
std::string siteFile(WebServer server, std::string_view shipped, const SiteNames& names);

}  // namespace otpgate::cli
