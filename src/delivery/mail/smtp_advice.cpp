#include "delivery/mail/smtp_advice.h"

#include "otpgate/base/text.h"

#include <Poco/String.h>

namespace otpgate::delivery {

namespace {

struct Mistake {
    std::string_view step;  // how the reason begins, without the server
    std::string_view word;  // what else is in it and the space behind it, in lower case
    std::string_view advice;
};

constexpr std::string_view kName =
    "the server does not like the name of this host: give the host a full name with a domain";
constexpr std::string_view kRelay =
    "the server takes mail for others only from whom it knows: set SECTION.smtp_username and its password, or have "
    "this host's address allowed there";
constexpr std::string_view kPolicy =
    "the server refuses by a rule of its own, which its words and its log tell: a block list, or what it knows of "
    "mail.from's domain";

// The first that fits. SECTION stands for the server's section of the settings.
constexpr Mistake kMistakes[] = {
    {"name lookup:", "", "is SECTION.smtp_host spelt right? This host's DNS does not know it"},
    {"connect:", "refused",
     "nobody listens there: check SECTION.smtp_host and SECTION.smtp_port (25, 465 or 587), and that the server runs"},
    {"connect:", "timed out",
     "no answer: a firewall on the way, or a network that blocks port 25: try SECTION.smtp_port = 587 or 465"},
    {"connect:", "", "check SECTION.smtp_host and this host's network"},
    {"greeting: timeout", "",
     "a server that says nothing may be waiting for TLS: port 465 needs SECTION.smtp_security = tls"},
    {"greeting: the server does not speak SMTP", "", "another service listens there: check SECTION.smtp_port"},
    {"greeting: 4", "", "the server is busy or limits connections from here: try again in some minutes"},
    {"greeting: ", "", "the server takes nothing from this host's address: have it allowed there"},
    {"EHLO: 5", "", kName},
    {"HELO: 5", "", kName},
    {"TLS: ", "protocol version", "the server speaks no TLS 1.2 or later: it needs an update"},
    {"TLS: ", "unsupported protocol", "the server speaks no TLS 1.2 or later: it needs an update"},
    {"TLS: ", "handshake failure", "the server and we have no cipher in common: it needs an update"},
    {"AUTH: 535", "password",
     "many providers want a password made for programs instead of the account's, or an access token "
     "(SECTION.smtp_auth = xoauth2)"},
    {"AUTH: 534", "",
     "the provider takes no such login: use a password made for programs, or SECTION.smtp_auth = xoauth2"},
    {"AUTH: 538", "", "the server takes a login by TLS only: set SECTION.smtp_security = starttls"},
    {"AUTH: 4", "", "the server cannot check a login just now: try again, and see its log"},
    {"", ": 530",
     "the server wants a login first: set SECTION.smtp_username and its password, and SECTION.smtp_security = "
     "starttls"},
    {"", " relay ", kRelay},
    {"", " relaying", kRelay},
    {"MAIL FROM: 5", "size", "the message is larger than the server takes: raise its limit"},
    {"MAIL FROM: 552", "", "the message is larger than the server takes: raise its limit"},
    {"MAIL FROM: 5", "", "the server does not let us send as mail.from: use an address that belongs to this login"},
    {"RCPT TO: 5", "sender", "the server does not let us send as mail.from: use an address that belongs to this login"},
    {"RCPT TO: 553", "", "the server does not let us send as mail.from: use an address that belongs to this login"},
    {"RCPT TO: 5", " 5.7.", kPolicy},
    {"RCPT TO: 5", " block", kPolicy},
    {"RCPT TO: 5", " listed ", kPolicy},
    {"RCPT TO: 5", " 5.2.2", "the recipient's mailbox is full: try another ADDRESS"},
    {"RCPT TO: 552", "", "the recipient's mailbox is full: try another ADDRESS"},
    {"RCPT TO: 5", "", "the server does not know this recipient: is ADDRESS right?"},
    {"RCPT TO: 4", " 4.2.2", "the recipient's mailbox is full: try another ADDRESS"},
    {"RCPT TO: 4", " 4.3.", "the server is in trouble itself: see its log"},
    {"RCPT TO: 4", "",
     "the server wants it later, as those do who do not know us yet (greylisting): try again in some minutes"},
    {"message: 552", "", "the message is larger than the server takes, or a mailbox is full"},
    {"message: 5", "",
     "the server refuses what it has read: see its log, and the SPF and DKIM records of mail.from's domain"},
    {"message: timeout", "", "the server checks for longer than mail.smtp_data_timeout: raise it"},
    {"", ": timeout", "the server is slower than mail.smtp_timeout: raise it, or see what holds the server up"},
};

// "mail.example.com:587: greeting: timeout" without the server.
std::string_view withoutServer(std::string_view reason) {
    const auto end = reason.find(": ");
    if (end == std::string_view::npos) return reason;
    const std::string_view first = reason.substr(0, end);
    return first.find(':') == std::string_view::npos ? reason : reason.substr(end + 2);
}

}  // namespace

std::string smtpAdvice(std::string_view reason, std::string_view section) {
    const std::string_view what = withoutServer(reason);
    const std::string words = toLower(what) + " ";
    for (const Mistake& mistake : kMistakes) {
        if (what.starts_with(mistake.step) && words.find(mistake.word) != std::string::npos)
            return Poco::replace(std::string(mistake.advice), std::string("SECTION"), std::string(section));
    }
    return {};
}

}  // namespace otpgate::delivery
