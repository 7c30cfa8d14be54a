// The settings of mail: [mail], and the second server of [mail_fallback]. Filled by settings.cpp, used by the
// transports.
#pragma once

#include <chrono>
#include <string>

namespace otpgate::delivery {

enum class MailTransportKind { Smtp, File, Null };
enum class SmtpSecurity { None, StartTls, Tls };
// Auto: OAuth where there is a token file, else PLAIN or LOGIN, as the server offers.
enum class SmtpAuth { Auto, Plain, Login, XOAuth2, OAuthBearer };
// Whether a login may cross the network without TLS. To a loopback address it always may.
enum class PlaintextAuth { Forbidden, Allowed };

struct SmtpServer {
    std::string section = "mail";  // what errors call its settings by
    std::string host = "localhost";
    unsigned port = 25;
    SmtpSecurity security = SmtpSecurity::None;
    std::string caFile;
    std::string username;
    std::string password;
    SmtpAuth auth = SmtpAuth::Auto;
    std::string oauthTokenFile;  // instead of a password; read at each connection, because somebody renews it
};

struct SmtpTimeouts {
    std::chrono::seconds connect{5};  // TCP and TLS, each
    std::chrono::seconds answer{10};  // to each command
    std::chrono::seconds data{30};    // to the final dot (RFC 5321, section 4.5.3.2.6)
};

struct SmtpManners {
    SmtpTimeouts timeouts;
    PlaintextAuth plaintextAuth = PlaintextAuth::Forbidden;
};

// The second server before anything is said about it: without a host there is none.
inline SmtpServer noFallback() {
    SmtpServer server;
    server.section = "mail_fallback";
    server.host.clear();
    return server;
}

struct MailSettings {
    MailTransportKind transport = MailTransportKind::Smtp;
    std::string directory;  // of File
    std::string from;       // address, or Name <address>
    SmtpServer smtp;
    SmtpServer fallback = noFallback();
    SmtpManners smtpManners;
};

}  // namespace otpgate::delivery
