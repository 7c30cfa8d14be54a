#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/message_composer.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/cors.h"
#include "start_notes.h"

#include <cerrno>
#include <grp.h>
#include <iostream>
#include <pwd.h>
#include <system_error>
#include <unistd.h>

namespace otpgate::cli {

namespace {

constexpr const char* kServiceUser = "otpgate";

// From now on, for good: root reads what the service cannot.
void become(const passwd& user) {
    if (initgroups(user.pw_name, user.pw_gid) == 0 && setgid(user.pw_gid) == 0 && setuid(user.pw_uid) == 0) return;
    throw std::system_error(errno, std::system_category(), std::string{"cannot become "} + user.pw_name);
}

// Its name, or nothing where everything is read as whoever calls.
std::string becomeServiceUser(const std::optional<std::string>& named) {
    const bool isNamed = named.has_value();
    std::string name = named.value_or(kServiceUser);
    if (!isNamed && geteuid() != 0) return {};
    const passwd* const user = getpwnam(name.c_str());
    if (user == nullptr && isNamed) throw ConfigurationError("there is no user " + name);
    if (user == nullptr || user->pw_uid == geteuid()) return {};
    become(*user);
    return name;
}

}  // namespace

int checkConfig(const Invocation& invocation) {
    const std::string user = becomeServiceUser(invocation.value("--as"));
    const Settings settings = invocation.settings();
    const auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    const domain::OtpCodes codes(ring, settings.otp.format, settings.otp.fixedCode);
    const delivery::Templates templates(settings.templates);
    const delivery::MessageComposer composer(codes, templates, settings.mail.from, serviceWords(settings));
    // Only where that makes no directory: nothing is changed here.
    if (settings.mail.transport == delivery::MailTransportKind::Smtp) delivery::makeMailTransport(settings.mail);
    const http::TrustedProxies proxies(settings.trustedProxies);
    const http::AddressList metricsReaders(settings.metricsReaders, "metrics.allowed_addresses");
    const http::Cors cors(settings.corsOrigins, settings.publicUrl, settings.corsHeaders);
    const auto database = db::openDatabase(settings.database);
    crypto::SystemRandom random;
    // The file transport would make its directory.
    if (settings.sms.transport != delivery::SmsTransportKind::File) delivery::makeSmsTransport(settings.sms, random);
    for (const std::string& doubt : doubtsAbout(settings)) std::cout << "doubtful: " << doubt << "\n";
    for (const std::string& note : startNotes(settings)) std::cout << note << "\n";
    if (const std::string host = database->currentHost(); !host.empty()) {
        std::cout << "database.url: " << host << " is used while it is well, and then the next one\n";
    }
    std::cout << "the configuration is good" << (user.empty() ? "" : ", as the user " + user + " reads it") << "\n";
    return 0;
}

}  // namespace otpgate::cli
