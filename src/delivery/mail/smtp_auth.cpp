#include "delivery/mail/smtp_auth.h"

#include "delivery/base64.h"
#include "delivery/mail/smtp_error.h"
#include "delivery/mail/smtp_reply.h"
#include "delivery/mail/tcp_connect.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestToken = 8192;  // in base64 it is within the 12288 bytes of RFC 4954, section 4
constexpr std::size_t kLongestShown = 60;

bool offers(std::string_view offered, std::string_view name) {
    const std::string list = " " + std::string(offered) + " ";
    return list.find(" " + std::string(name) + " ") != std::string::npos;
}

std::vector<SmtpAuth> candidates(const SmtpServer& server) {
    if (server.auth != SmtpAuth::Auto) return {server.auth};
    if (!server.oauthTokenFile.empty()) return {SmtpAuth::XOAuth2, SmtpAuth::OAuthBearer};
    return {SmtpAuth::Plain, SmtpAuth::Login};
}

bool isTokenCharacter(char c) {
    return c != ' ' && isPrintable(c);
}

std::string readAccessToken(const SmtpServer& server) {
    const std::string setting = server.section + ".smtp_oauth_token_file ";
    errno = 0;
    std::ifstream file(server.oauthTokenFile, std::ios::binary);
    if (!file) throw SmtpError(setting + server.oauthTokenFile + " cannot be read: " + errorText(errno));
    std::string token;
    std::getline(file, token);
    while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (token.empty()) throw SmtpError(setting + server.oauthTokenFile + " holds no token");
    if (token.size() > kLongestToken || !std::all_of(token.begin(), token.end(), isTokenCharacter))
        throw SmtpError(setting + server.oauthTokenFile + " holds no access token: one line of printable characters");
    return token;
}

}  // namespace

void requireProtection(const SmtpServer& server, const LoginPath& path, PlaintextAuth plaintextAuth) {
    const std::string& peer = path.peerAddress;
    const bool isLoopback = peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
    if (path.encryption == Encryption::Tls || isLoopback || plaintextAuth == PlaintextAuth::Allowed) return;
    throw SmtpError("the login would cross the network in clear: set " + server.section +
                    ".smtp_security = starttls or tls, or mail.smtp_allow_plaintext_auth = true");
}

std::string_view mechanismName(SmtpAuth mechanism) {
    switch (mechanism) {
    case SmtpAuth::Auto: break;
    case SmtpAuth::Plain: return "PLAIN";
    case SmtpAuth::Login: return "LOGIN";
    case SmtpAuth::XOAuth2: return "XOAUTH2";
    case SmtpAuth::OAuthBearer: return "OAUTHBEARER";
    }
    return "";
}

SmtpAuth chooseMechanism(const SmtpServer& server, std::string_view offered, const Secrets& secrets) {
    std::string wanted;
    for (const SmtpAuth mechanism : candidates(server)) {
        if (offers(offered, mechanismName(mechanism))) return mechanism;
        wanted += wanted.empty() ? "" : " or ";
        wanted += mechanismName(mechanism);
    }
    if (offered.empty()) {
        const bool isClear = server.security == SmtpSecurity::None;
        throw SmtpError("the server offers no AUTH here: try " +
                        (isClear ? server.section + ".smtp_security = starttls" : server.section + ".smtp_port = 587") +
                        ", or do without " + server.section + ".smtp_username");
    }
    throw SmtpError("the server offers no AUTH " + wanted + " but " + serverSaid(offered, secrets, kLongestShown) +
                    ": change " + server.section + ".smtp_auth");
}

bool usesToken(SmtpAuth mechanism) {
    return mechanism == SmtpAuth::XOAuth2 || mechanism == SmtpAuth::OAuthBearer;
}

std::string readSecret(const SmtpServer& server, SmtpAuth mechanism) {
    return usesToken(mechanism) ? readAccessToken(server) : server.password;
}

std::vector<std::string> saslResponses(SmtpAuth mechanism, const SmtpServer& server, const std::string& secret) {
    const std::string nul(1, '\0');
    const std::string separator(1, '\x01');
    switch (mechanism) {
    case SmtpAuth::Auto: break;
    case SmtpAuth::Plain: return {toBase64(nul + server.username + nul + secret)};
    case SmtpAuth::Login: return {toBase64(server.username), toBase64(secret)};
    case SmtpAuth::XOAuth2:
        return {toBase64("user=" + server.username + separator + "auth=Bearer " + secret + separator + separator)};
    case SmtpAuth::OAuthBearer:
        return {toBase64("n,a=" + server.username + "," + separator + "host=" + server.host + separator + "port=" +
                         std::to_string(server.port) + separator + "auth=Bearer " + secret + separator + separator)};
    }
    return {};
}

std::string_view answerToErrorChallenge(SmtpAuth mechanism) {
    return mechanism == SmtpAuth::OAuthBearer ? "AQ==" : "";
}

std::string statusOfErrorChallenge(std::string_view base64) {
    static constexpr std::string_view kKey = "\"status\"";
    const std::string json = fromBase64(base64);
    std::size_t at = json.find(kKey);
    if (at == std::string::npos) return {};
    at = json.find_first_not_of(" \t:\"", at + kKey.size());
    if (at == std::string::npos) return {};
    std::string status;
    for (; at < json.size() && status.size() < 32; ++at) {
        const char c = json[at];
        if (!isLetterOrDigit(c) && c != '_') break;
        status += c;
    }
    return status;
}

}  // namespace otpgate::delivery
