#include "cli/setup_web.h"

#include "cli/settings_file.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <Poco/Exception.h>
#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>

#include <array>
#include <filesystem>
#include <optional>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace otpgate::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kWebServerCheck = "web server";
constexpr const char* kSite = "otpgate.conf";
// What Debian's apache2 has not enabled from the start, with what mod_ssl needs.
constexpr std::array<const char*, 6> kApacheModules{"socache_shmcb", "ssl",     "proxy",
                                                    "proxy_fcgi",    "headers", "unique_id"};

// Files and links that can be taken back.
class Changes {
public:
    // False where it is so already.
    bool write(const fs::path& path, const std::string& content) {
        std::optional<std::string> before;
        if (fs::exists(path)) before = readWholeFile(path);
        if (before == content) return false;
        fs::create_directories(path.parent_path());
        replaceFile(path, content, own());
        undo_.push_back({path, before});
        return true;
    }
    bool link(const fs::path& path, const fs::path& target) {
        if (fs::exists(fs::symlink_status(path))) return false;
        fs::create_directories(path.parent_path());
        fs::create_symlink(target, path);
        undo_.push_back({path, std::nullopt});
        return true;
    }
    bool areAny() const { return !undo_.empty(); }
    void takeBack() {
        for (auto change = undo_.rbegin(); change != undo_.rend(); ++change) {
            if (change->before) {
                replaceFile(change->path, *change->before, own());
            } else {
                fs::remove(change->path);
            }
        }
        undo_.clear();
    }

private:
    static FileOwner own() { return {geteuid(), getegid(), 0644}; }

    struct Change {
        fs::path path;
        std::optional<std::string> before;
    };
    std::vector<Change> undo_;
};

// The program's exit code and all that it says.
std::pair<int, std::string> run(const std::string& program, const std::vector<std::string>& arguments) {
    try {
        Poco::Pipe output;
        const Poco::ProcessHandle process = Poco::Process::launch(program, arguments, nullptr, &output, &output);
        Poco::PipeInputStream in(output);
        std::ostringstream told;
        told << in.rdbuf();
        return {process.wait(), told.str()};
    } catch (const Poco::Exception& error) {
        return {127, error.displayText()};
    }
}

std::pair<int, std::string> test(const WebSetup& setup) {
    const bool isStandard = setup.folder == standardFolder(setup.server);
    switch (setup.server) {
    case WebServer::Nginx: return run("/usr/sbin/nginx", {"-t", "-q", "-c", setup.folder + "/nginx.conf"});
    case WebServer::Apache:
        if (isStandard) return run("/usr/sbin/apache2ctl", {"configtest"});
        return run("/usr/sbin/apache2", {"-t", "-d", setup.folder, "-f", setup.folder + "/apache2.conf"});
    }
    throw std::logic_error("no web server");
}

// Files that every site of ours includes. What is the owner's to edit is not replaced.
void writeIncluded(const WebSetup& setup, Changes& changes) {
    const bool isNginx = setup.server == WebServer::Nginx;
    const fs::path from = fs::path{setup.shipped} / (isNginx ? "nginx" : "apache");
    const fs::path to = isNginx ? fs::path{setup.folder} / "snippets" : fs::path{setup.folder};
    for (const auto& file : fs::directory_iterator(from)) {
        const std::string name = file.path().filename();
        if (name == kSite || !name.ends_with(".conf")) continue;
        if (name == "otpgate_cors.conf" && fs::exists(to / name)) continue;
        changes.write(to / name, readWholeFile(file.path()));
    }
}

std::vector<std::string> enableModules(const fs::path& folder, Changes& changes) {
    std::vector<std::string> missing;
    for (const std::string name : kApacheModules) {
        if (!fs::exists(folder / "mods-available" / (name + ".load"))) {
            missing.push_back(name);
            continue;
        }
        for (const char* ending : {".load", ".conf"}) {
            const std::string file = name + ending;
            if (!fs::exists(folder / "mods-available" / file)) continue;
            changes.link(folder / "mods-enabled" / file, fs::path{"../mods-available"} / file);
        }
    }
    return missing;
}

void hintAtCertificate(const WebSetup& setup, Findings& findings) {
    if (setup.names.certificate) {
        findings.good("certificate", setup.names.certificate->file);
        return;
    }
    findings.doubtful("certificate", "there is none for " + setup.names.host + " yet, so port 80 alone is served",
                      "browsers keep a session over https only",
                      "reload the web server, then `certbot certonly --webroot -w /var/www/html -d " +
                          setup.names.host +
                          "`, then otpgate setup once more, which finds it; or name yours by --certificate and "
                          "--certificate-key");
}

void hintAtPort(const WebSetup& setup, const fs::path& site, Findings& findings) {
    if (setup.port.empty()) return;
    findings.doubtful("port", "server.public_url names port " + setup.port + ", and the site file has 80 and 443",
                      "browsers ask at a port where nobody may listen",
                      "pass that port on to this host's 443, or change `443` in " + site.string());
}

}  // namespace

std::string_view toString(WebServer server) {
    switch (server) {
    case WebServer::Nginx: return "nginx";
    case WebServer::Apache: return "apache";
    }
    return {};
}

std::string standardFolder(WebServer server) {
    switch (server) {
    case WebServer::Nginx: return "/etc/nginx";
    case WebServer::Apache: return "/etc/apache2";
    }
    return {};
}

void setUpWebServer(const WebSetup& setup, Findings& findings) {
    const std::string name{toString(setup.server)};
    const fs::path folder = setup.folder;
    const fs::path shipped = fs::path{setup.shipped} / name / kSite;
    if (!fs::exists(folder) || !fs::exists(shipped)) {
        findings.wrong(kWebServerCheck, "there is no " + (fs::exists(folder) ? shipped.string() : folder.string()),
                       "visitors reach otpgate by a web server",
                       fs::exists(folder) ? "name the folder of otpgate's files by --share"
                                          : "apt install " + std::string{name == "nginx" ? name : "apache2"});
        return;
    }
    const auto [before, saidBefore] = test(setup);
    if (before != 0) {
        findings.wrong(kWebServerCheck,
                       name + " refuses its own files already: " + std::string{trim(saidBefore, " \n")},
                       "nothing was written, because it could not be tested", "mend that first");
        return;
    }
    Changes changes;
    std::vector<std::string> missing;
    writeIncluded(setup, changes);
    if (setup.server == WebServer::Apache) missing = enableModules(folder, changes);
    const fs::path site = folder / "sites-available" / kSite;
    const std::string content = siteFile(setup.server, readWholeFile(shipped), setup.names);
    // Somebody may have edited it.
    if (fs::exists(site) && readWholeFile(site) != content) {
        changes.write(site.string() + ".before-setup", readWholeFile(site));
    }
    changes.write(site, content);
    changes.link(folder / "sites-enabled" / kSite, fs::path{"../sites-available"} / kSite);
    const auto [code, said] = test(setup);
    if (code != 0) {
        changes.takeBack();
        findings.wrong(kWebServerCheck, name + " refuses the site file: " + std::string{trim(said, " \n")},
                       "it was taken back, so that " + name + " starts again",
                       missing.empty() ? "mend what it names and run otpgate setup again"
                                       : "install the modules " + joined(missing, ", "));
        return;
    }
    if (!changes.areAny()) {
        findings.good(kWebServerCheck, site.string() + " is as it should be");
    } else {
        const std::string reload =
            setup.server == WebServer::Nginx ? "systemctl reload nginx" : "systemctl restart apache2";
        findings.doubtful(kWebServerCheck, "wrote " + site.string() + ", which " + name + " has tested",
                          name + " does not know it yet", reload);
    }
    hintAtCertificate(setup, findings);
    hintAtPort(setup, site, findings);
}

}  // namespace otpgate::cli
