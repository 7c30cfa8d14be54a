// The web server's part of setup: its site file for this host, tested by the web server itself.
#pragma once

#include "cli/findings.h"
#include "cli/site_file.h"

#include <string>

namespace otpgate::cli {

struct WebSetup {
    WebServer server = WebServer::Nginx;
    std::string folder;   // /etc/nginx, /etc/apache2
    std::string shipped;  // share/otpgate, which holds nginx/, apache/ and www/
    SiteNames names;
    std::string port;  // that server.public_url names; empty: the scheme's own, as in the site file
};

std::string_view toString(WebServer server);
std::string standardFolder(WebServer server);

// Writes what is not there yet, tests all of it, and takes it back where the web server does not like it. Says what to
// reload, which it does not do itself.
void setUpWebServer(const WebSetup& setup, Findings& findings);

}  // namespace otpgate::cli
