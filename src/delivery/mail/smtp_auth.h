// How we log in to a mail server: the choice of a SASL mechanism and the words of each (RFC 4616, RFC 7628, and the
// XOAUTH2 of the large providers). Used by SmtpDialogue; nothing is kept.
#pragma once

#include "delivery/secrets.h"
#include "otpgate/delivery/mail_settings.h"

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

enum class Encryption { None, Tls };
struct LoginPath {
    Encryption encryption = Encryption::None;
    std::string peerAddress;
};

// Throws SmtpError where a login would cross the network in clear and the settings do not allow it.
void requireProtection(const SmtpServer& server, const LoginPath& path, PlaintextAuth plaintextAuth);

// The mechanism to use, never Auto. `offered` is what followed AUTH in the reply to EHLO, in upper case. Throws
// SmtpError that says what the server offers instead, without secrets.
SmtpAuth chooseMechanism(const SmtpServer& server, std::string_view offered, const Secrets& secrets);

std::string_view mechanismName(SmtpAuth mechanism);  // "XOAUTH2"

bool usesToken(SmtpAuth mechanism);

// The password, or the access token as its file holds it now. Throws SmtpError when there is none to be read.
std::string readSecret(const SmtpServer& server, SmtpAuth mechanism);

// In base64: the one response of PLAIN, XOAUTH2 and OAUTHBEARER; user name and then password of LOGIN.
std::vector<std::string> saslResponses(SmtpAuth mechanism, const SmtpServer& server, const std::string& secret);

// What a client says when it was told by a challenge why its token is not good, so that the server may refuse it in
// form (RFC 7628, section 3.2.3).
std::string_view answerToErrorChallenge(SmtpAuth mechanism);
// "401" of {"status":"401",...} in base64; empty when there is none.
std::string statusOfErrorChallenge(std::string_view base64);

}  // namespace otpgate::delivery
