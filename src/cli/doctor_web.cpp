#include "cli/doctor_web.h"

#include "cli/installation.h"
#include "cli/service_user.h"
#include "cli/web_probe.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace otpgate::cli {

namespace {

namespace fs = std::filesystem;
using std::chrono::days;

constexpr const char* kSocketCheck = "socket";
constexpr const char* kWebServer = "web server";
constexpr const char* kCertificate = "certificate";
constexpr const char* kClient = "client address";
// Of the block for documentation (RFC 5737): nobody has it.
constexpr const char* kForgedClient = "203.0.113.77";
constexpr days kRenewBefore{14};
// Where the shipped units let systemd listen.
constexpr const char* kSystemdSocket = "/run/otpgate/otpgate.sock";
constexpr const char* kStart =
    "start otpgate (systemctl start otpgate); where it ends at once, `journalctl -u otpgate` says why";

// Whom a web server's workers run as: of one that runs, else what Debian's would.
std::optional<SystemUser> webServerUser() {
    constexpr std::array<std::string_view, 4> kNames{"nginx", "apache2", "httpd", "lighttpd"};
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        std::string name;
        std::getline(std::ifstream(entry.path() / "comm"), name);
        if (std::ranges::find(kNames, name) == kNames.end()) continue;
        struct stat owner {};
        if (::stat(entry.path().c_str(), &owner) == 0 && owner.st_uid != 0) return findSystemUser(owner.st_uid);
    }
    return findSystemUser("www-data");
}

std::string nameOfGroupOf(const SystemUser& user) {
    return user.name == "www-data" ? "www-data" : "the group of " + user.name;
}

bool isSameAddress(const std::string& one, const std::string& other) {
    const auto first = http::IpAddress::parse(one);
    const auto second = http::IpAddress::parse(other);
    return first && second && first->toString() == second->toString();
}

// Of /health/live: which address the service takes for the client's. Nullopt where it is not ours that answered.
std::optional<std::string> clientOf(const WebAnswer& answer) {
    try {
        for (const auto& [name, value] : http::readTexts(answer.body)) {
            if (name == "client_ip") return value;
        }
    } catch (const std::logic_error&) {
        // It is no such document.
    }
    return std::nullopt;
}

void examineCertificate(const std::string& url, const WebAnswer& answer, Timestamp now, Findings& findings) {
    if (!url.starts_with("https://")) return;
    const std::string host{hostOf(url)};
    if (!answer.tlsFault.empty()) {
        findings.wrong(kCertificate, "the certificate of " + host + " is not good: " + answer.tlsFault,
                       "browsers warn, and applications that check it refuse to talk",
                       "let certbot or your authority issue one for " + host + ", name it in the site file, reload");
    } else if (answer.certificateEnd && *answer.certificateEnd < now + kRenewBefore) {
        findings.doubtful(kCertificate, "the certificate ends at " + formatRfc3339(*answer.certificateEnd),
                          "from then on browsers warn and nobody signs in",
                          "renew it now, and see why it was not renewed by itself (systemctl list-timers)");
    } else if (answer.certificateEnd) {
        findings.good(kCertificate, "good until " + formatRfc3339(*answer.certificateEnd));
    }
}

// Whether whoever comes from anywhere may say so of himself.
bool trustsEverybody(const std::vector<std::string>& proxies) {
    const http::TrustedProxies trusted(proxies);
    const auto isBelieved = [&](const char* anybody, const char* claim) {
        return trusted.clientOf(anybody, claim).toString() == claim;
    };
    return isBelieved("203.0.113.77", "198.51.100.7") || isBelieved("2001:db8:1::7", "2001:db8:2::7");
}

void examineClient(const Settings& settings, const std::string& seen, const WebAnswer& answer, Findings& findings) {
    if (isSameAddress(seen, answer.ownAddress)) {
        findings.good(kClient, "who asks from " + seen + " is seen as " + seen);
    } else if (seen == kForgedClient && settings.trustedProxies.empty()) {
        findings.wrong(kClient, "the web server believes what visitors say of their address",
                       "limits count by address: who names another each time has none",
                       "pass REMOTE_ADDR on as the shipped web server files do");
    } else if (seen == kForgedClient && trustsEverybody(settings.trustedProxies)) {
        findings.wrong(kClient, "server.trusted_proxies trusts everybody, so each visitor says what address he has",
                       "limits count by address: who names another each time has none",
                       "name there only what stands before the web server, such as a load balancer");
    } else if (seen == kForgedClient) {
        findings.doubtful(kClient,
                          "server.trusted_proxies trusts " + answer.ownAddress +
                              ", from which any program of this machine can call itself any address; and so can any "
                              "visitor where a web server is trusted that passes X-Forwarded-For on",
                          "limits count by address, and the audit trail names it",
                          "name there only what stands before the web server, such as a load balancer");
    } else {
        findings.wrong(
            kClient, "who asks from " + answer.ownAddress + " is seen as " + seen,
            "all visitors share the limits of one address, and the audit trail does not tell them apart",
            settings.trustedProxies.empty()
                ? "pass REMOTE_ADDR on as the shipped web server files do; behind a load balancer, name it in "
                  "server.trusted_proxies"
                : "see that server.trusted_proxies names what stands before the web server, and no more");
    }
}

void examineName(const Settings& settings, const Whereabouts& whereabouts, Findings& findings) {
    const std::string host{hostOf(settings.publicUrl)};
    if (whereabouts.isUnknown) {
        findings.doubtful("name", host + " (server.public_url) leads nowhere",
                          "visitors come by this name, and mails link to it", "let your DNS lead it to this machine");
    } else if (!whereabouts.elsewhere.empty() && settings.trustedProxies.empty()) {
        findings.doubtful("name",
                          host + " leads to " + whereabouts.elsewhere +
                              ", which is not this machine, and server.trusted_proxies is empty",
                          "if that is a load balancer, all visitors share its address and its limits",
                          "name the load balancer's own address in server.trusted_proxies");
    }
}

}  // namespace

void examineSocket(const Settings& settings, Findings& findings) {
    std::string listen = settings.server.listen;
    if (listen == "systemd" && fs::exists(kSystemdSocket)) listen = std::string{"unix:"} + kSystemdSocket;
    if (listen == "systemd" || listen.starts_with("fd:")) {
        findings.good(kSocketCheck,
                      "whoever starts otpgate listens for it; the web server's line says whether it is reached");
        return;
    }
    try {
        requireAnswerAt(listen);
    } catch (const ServiceUnavailable& error) {
        findings.wrong(kSocketCheck, error.what(), "the web server has nobody to ask, and answers 502 or 503", kStart);
        return;
    }
    const auto user = webServerUser();
    if (!listen.starts_with("unix:") || geteuid() != 0 || !user) {
        findings.good(kSocketCheck,
                      "it answers at " + listen +
                          (listen.starts_with("unix:") ? "; root is told whether the web server may use it" : ""));
        return;
    }
    try {
        const ActingAs webServer(*user);
        requireAnswerAt(listen);
    } catch (const ServiceUnavailable&) {
        findings.wrong(kSocketCheck, "the web server's user " + user->name + " may not use " + listen.substr(5),
                       "it answers 502 or 503 to everybody",
                       "set [server] socket_group to " + nameOfGroupOf(*user) +
                           ", make otpgate a member of it (usermod -aG), and restart otpgate; the folder of the socket "
                           "must be open to it, too");
        return;
    }
    findings.good(kSocketCheck, "it answers at " + listen + ", and the user " + user->name + " may use it");
}

void examineWay(const Settings& settings, Timestamp now, Findings& findings) {
    const Whereabouts whereabouts = findHost(std::string{hostOf(settings.publicUrl)});
    examineName(settings, whereabouts, findings);
    const std::string url = settings.publicUrl + "/health/live";
    const std::string where = url + ", asked at " + whereabouts.here;
    WebAnswer answer;
    try {
        answer = askWebServer(url, whereabouts.here, kForgedClient);
    } catch (const NoWebAnswer& error) {
        findings.wrong(kWebServer, "nobody answers " + where + ": " + error.what(), "visitors see an error",
                       "see that the web server runs and listens there; otpgate setup writes its site file");
        return;
    }
    examineCertificate(settings.publicUrl, answer, now, findings);
    const auto seen = clientOf(answer);
    if (answer.status >= 502 && answer.status <= 504) {
        findings.wrong(
            kWebServer, where + ": the web server does not reach otpgate (" + std::to_string(answer.status) + ")",
            "nobody can sign in",
            "see above whether otpgate runs and its socket is open; the site file must name the same socket");
    } else if (answer.status != 200 || !seen) {
        findings.wrong(kWebServer, where + ": somebody else answers (" + std::to_string(answer.status) + ")",
                       "visitors do not reach the login page",
                       "enable the site file, with this host in it, and reload the web server");
    } else {
        findings.good(kWebServer, where + ": otpgate answers");
        examineClient(settings, *seen, answer, findings);
    }
}

}  // namespace otpgate::cli
