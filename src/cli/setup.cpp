// otpgate setup: from an installed package to a login page, step by step. Each step can be taken again, says what it
// found, and changes nothing that it was not told to.
#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/service_user.h"
#include "cli/settings_file.h"
#include "cli/setup_database.h"
#include "cli/setup_web.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/mail_test.h"
#include "otpgate/domain/account_service.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace otpgate::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardSettings = "/etc/otpgate/otpgate.conf";
constexpr const char* kStandardDatabase = "mysql://otpgate@localhost/otpgate?socket=/run/mysqld/mysqld.sock";

class Setup {
public:
    Setup(const Invocation& invocation, const Answers& answers)
        : invocation_(invocation),
          answers_(answers),
          file_(invocation.configPath.empty() ? kStandardSettings : invocation.configPath) {}

    // False where a step failed.
    bool run() {
        step("master key", [this](Findings& findings) { masterKey(findings); });
        step("public name", [this](Findings& findings) { publicName(findings); });
        step("database", [this](Findings& findings) { database(findings); });
        step("mail", [this](Findings& findings) { mail(findings); });
        step("administrator", [this](Findings& findings) { administrator(findings); });
        step("web server", [this](Findings& findings) { webServer(findings); });
        return isWell_;
    }

private:
    // One that fails is no reason to leave the others.
    void step(const char* name, const std::function<void(Findings&)>& take) {
        Findings findings;
        try {
            take(findings);
        } catch (const UsageError&) {
            throw;
        } catch (const std::runtime_error& error) {
            findings.wrong(name, error.what(), "this step was not taken", "mend it and run otpgate setup again");
        }
        std::cout << toText(findings) << std::flush;
        isWell_ = isWell_ && findings.areWell();
    }
    Settings settings() const { return invocation_.settings(); }

    void masterKey(Findings& findings) {
        const std::string path = settings().masterKeyFile;
        if (fs::exists(path)) {
            findings.good("master key", path + " is there; keep a copy of it elsewhere");
            return;
        }
        crypto::SystemRandom random;
        crypto::createKeyFile(path, random);
        const auto owner = serviceUser(std::nullopt);
        if (owner && ::chown(path.c_str(), owner->id, owner->group) != 0) {
            findings.doubtful("master key", "made " + path + ", which is root's", "otpgate cannot read it",
                              "chown " + owner->name + " " + path);
            return;
        }
        findings.good("master key", "made " + path + "; keep a copy of it elsewhere");
    }

    void publicName(Findings& findings) {
        const std::string now = settings().publicUrl;
        auto url = answers_.get("--public-url", "The address of the login page", now).value_or(now);
        if (url.find("://") == std::string::npos) url = "https://" + url;
        const std::string_view host = hostOf(url);
        const bool isHost = !host.empty() && std::ranges::all_of(host, [](char c) {
            return isLetterOrDigit(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
        });
        if (!isHost || !(url.starts_with("https://") || url.starts_with("http://"))) {
            throw UsageError("--public-url is like https://login.example.com, not " + url);
        }
        if (file_.set("server.public_url", url)) {
            findings.good("public name", url + " (it was " + now + ")");
        } else {
            findings.good("public name", url);
        }
    }

    void database(Findings& findings) {
        const Settings present = settings();
        const auto answer = answers_.get(
            "--mysql",
            "Database: MySQL or MariaDB by its url, `mysql` for the one of this machine, or nothing to leave it",
            present.database.url);
        if (!answer) {
            findings.good("database", present.database.url);
            return;
        }
        DatabaseSetup setup;
        setup.url = *answer == "mysql" ? kStandardDatabase : *answer;
        if (!setup.url.starts_with("mysql://"))
            throw UsageError("--mysql is a url that begins with mysql://, or mysql");
        setup.passwordFile = (fs::path{file_.path()}.parent_path() / "database.password").string();
        const auto question = setup.url.find("?socket=");
        setup.adminUrl = answers_.given("--mysql-admin-url")
                             .value_or("mysql://root@localhost/mysql" +
                                       (question == std::string::npos ? "" : setup.url.substr(question)));
        if (const auto password = answers_.given("--mysql-admin-password-file")) {
            setup.adminPassword = firstLineOf(*password);
        }
        setUpDatabase(setup, present, file_, findings);
    }

    void mail(Findings& findings) {
        const Settings before = settings();
        const auto from = answers_.get("--mail-from", "Sender of the mails", before.mail.from);
        const std::string server = before.mail.smtp.host + ":" + std::to_string(before.mail.smtp.port);
        const auto smtp = answers_.get("--smtp", "Mail server, as HOST:PORT", server);
        if (from) file_.set("mail.from", *from);
        if (smtp) {
            const auto colon = smtp->rfind(':');
            file_.set("mail.smtp_host", smtp->substr(0, colon));
            if (colon != std::string::npos) file_.set("mail.smtp_port", smtp->substr(colon + 1));
            file_.set("mail.transport", "smtp");
        }
        const auto set = [this](const char* option, const char* key) {
            if (const auto value = answers_.given(option)) file_.set(key, *value);
        };
        set("--smtp-security", "mail.smtp_security");
        set("--smtp-user", "mail.smtp_username");
        set("--smtp-password-file", "mail.smtp_password_file");
        const Settings now = settings();
        if (now.mail.transport != delivery::MailTransportKind::Smtp) {
            findings.doubtful("mail", "mail.transport sends nothing", "no code arrives",
                              "name a mail server by --smtp");
            return;
        }
        for (const delivery::MailProbe& probe : delivery::probeMail(now.mail)) {
            if (probe.fault.empty()) {
                findings.good("mail", probe.server + " would take mail from " + now.mail.from);
            } else {
                findings.wrong("mail", probe.fault, "no code leaves by it",
                               probe.advice.empty() ? "name another by --smtp" : probe.advice);
            }
        }
        const auto recipient = answers_.get("--mail-to", "Send a test message to (nothing: none)");
        if (recipient && findings.areWell()) sendTest(now, *recipient, findings);
    }

    void sendTest(const Settings& settings, const std::string& recipient, Findings& findings) {
        const auto address = domain::Destination::parseEmail(recipient, domain::EmailValidation::International);
        if (!address) throw UsageError("not an e-mail address: " + recipient);
        crypto::SystemRandom random;
        const Timestamp now = SystemClock{}.now();
        std::ostringstream dialogue;
        if (delivery::testMail(settings.mail, {*address, Uuid::makeV7(now, random), now}, dialogue)) {
            findings.good("mail", "sent a test message to " + recipient + ": see that it has arrived");
        } else {
            findings.wrong("mail", "the test message to " + recipient + " was not taken", "no code arrives",
                           "otpgate mail-test " + recipient + " shows the whole dialogue");
        }
    }

    void administrator(Findings& findings) {
        const auto answer = answers_.get("--admin", "E-mail address of the first administrator (nothing: none)");
        if (!answer) return;
        const Settings present = settings();
        const auto address = domain::Destination::parseEmail(*answer, present.emailValidation);
        if (!address) throw UsageError("not an e-mail address: " + *answer);
        migrateDatabase(present);
        const auto database = db::openDatabase(present.database);
        const auto connection = database->connect();
        const auto store = store::makeAccountStore(*connection);
        const SystemClock clock;
        crypto::SystemRandom random;
        domain::AccountService accounts(*store, clock, random);
        domain::Client client;
        client.userAgent = "otpgate setup";
        if (const auto user = accounts.find(*address)) {
            const bool isNew = accounts.setRole(user->id, domain::Role::Admin, client);
            findings.good("administrator", *answer + (isNew ? " is one now" : " is one already"));
            return;
        }
        domain::User user;
        user.email = address->value();
        user.role = domain::Role::Admin;
        if (!accounts.create(user, std::nullopt, client))
            throw ServiceUnavailable("somebody else has just made " + *answer);
        findings.good("administrator", *answer + " was made, and signs in by a mailed code");
    }

    void webServer(Findings& findings) {
        const auto answer = answers_.get("--web", "Web server: nginx, apache, or nothing to leave it");
        if (!answer) return;
        WebSetup setup;
        if (*answer == toString(WebServer::Apache)) {
            setup.server = WebServer::Apache;
        } else if (*answer != toString(WebServer::Nginx)) {
            throw UsageError("--web is nginx or apache, not " + *answer);
        }
        const Settings present = settings();
        setup.folder = answers_.given("--web-folder").value_or(standardFolder(setup.server));
        setup.shipped = answers_.given("--share").value_or(ownShare());
        setup.names.host = hostOf(present.publicUrl);
        setup.port = portOf(present.publicUrl);
        setup.names.pages = setup.shipped + "/www";
        setup.names.socket =
            present.server.listen.starts_with("unix:") ? present.server.listen.substr(5) : "/run/otpgate/otpgate.sock";
        setup.names.certificate = certificateFor(setup.names.host);
        if (present.server.socketGroup.empty() && file_.set("server.socket_group", "www-data")) {
            findings.good("socket", "server.socket_group is www-data now; otpgate must be a member of it");
        }
        setUpWebServer(setup, findings);
    }

    // Named, or made by certbot.
    std::optional<Certificate> certificateFor(const std::string& host) const {
        const auto file = answers_.given("--certificate");
        const auto key = answers_.given("--certificate-key");
        if (file.has_value() != key.has_value()) throw UsageError("--certificate and --certificate-key go together");
        if (file) return Certificate{*file, *key};
        const fs::path folder = fs::path{"/etc/letsencrypt/live"} / host;
        if (!fs::exists(folder / "fullchain.pem")) return std::nullopt;
        return Certificate{folder / "fullchain.pem", folder / "privkey.pem"};
    }

    // Beside the program that runs: /usr/share/otpgate of /usr/bin/otpgate.
    static std::string ownShare() {
        return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "share/otpgate";
    }
    static std::string firstLineOf(const std::string& path) {
        const std::string text = readWholeFile(path);
        return text.substr(0, text.find_first_of("\r\n"));
    }

    const Invocation& invocation_;
    const Answers& answers_;
    SettingsFile file_;
    bool isWell_ = true;
};

}  // namespace

int setup(const Invocation& invocation) {
    const Answers answers(invocation);
    Setup setup(invocation, answers);
    const bool isWell = setup.run();
    std::cout << (isWell ? "next: restart otpgate, and otpgate doctor says whether all is well\n"
                         : "something is left to be done\n");
    return isWell ? 0 : 1;
}

}  // namespace otpgate::cli
