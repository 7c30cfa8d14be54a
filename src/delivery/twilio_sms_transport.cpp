#include "delivery/twilio_sms_transport.h"

#include "otpgate/base/errors.h"
#include "otpgate/domain/destination.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool isHexDigit(char c) {
    return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool isMessagingService(std::string_view from) {
    return from.size() == 34 && from.starts_with("MG") && std::all_of(from.begin() + 2, from.end(), isHexDigit);
}

// A short code; or an alphanumeric sender, which Twilio takes in countries that allow it.
bool isShortSender(std::string_view from) {
    if (from.empty() || from.size() > 11) return false;
    if (std::all_of(from.begin(), from.end(), isDigit)) return from.size() >= 3 && from.size() <= 8;
    const auto allowed = [](char c) {
        return isDigit(c) || isLetter(c) || c == ' ' || c == '+' || c == '-' || c == '_' || c == '&';
    };
    return std::all_of(from.begin(), from.end(), allowed) && std::any_of(from.begin(), from.end(), isLetter);
}

void checkSender(const std::string& from) {
    if (from.empty()) throw ConfigurationError("sms.from is needed with sms.transport = twilio");
    const bool isNumber = from.front() == '+' && domain::Destination::parsePhoneNumber(from).has_value();
    if (!isNumber && !isMessagingService(from) && !isShortSender(from)) {
        throw ConfigurationError(
            "sms.from is neither a number (+1...), a short code, an alphanumeric sender of at most "
            "11 characters nor a messaging service (MG...): " +
            from);
    }
}

// https, without a path's slash at the end. http only to this host, for tests: the token would be read on the way.
std::string checkedUrl(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    const auto isTo = [&](std::string_view start) {
        return url.starts_with(start) && (url.size() == start.size() || url[start.size()] == ':');
    };
    const bool isLoopback = isTo("http://localhost") || isTo("http://127.0.0.1") || isTo("http://[::1]");
    const bool isPlain = std::all_of(url.begin(), url.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '@' && c != '?' && c != '#' && c != '\\';
    });
    if ((!(url.starts_with("https://") && url.size() > 8) && !isLoopback) || !isPlain) {
        throw ConfigurationError("sms.twilio_url must begin with https:// and hold neither login nor query: " + url);
    }
    return url;
}

void checkAccount(const SmsSettings& settings) {
    const std::string_view sid = settings.twilioAccountSid;
    const auto allowed = [](char c) { return isDigit(c) || isLetter(c); };
    if (sid.size() < 3 || !sid.starts_with("AC") || !std::all_of(sid.begin(), sid.end(), allowed)) {
        throw ConfigurationError("sms.twilio_account_sid must be AC and letters and digits: " + std::string(sid));
    }
    const std::string_view token = settings.twilioAuthToken;
    if (token.empty()) throw ConfigurationError("sms.twilio_auth_token is needed with sms.transport = twilio");
    if (!std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
        throw ConfigurationError("sms.twilio_auth_token holds a character that no token has");
    }
}

// libcurl would tell only when it sends.
void checkCaFile(const std::string& file) {
    if (file.empty()) return;
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
    if (store && X509_STORE_load_file(store.get(), file.c_str()) == 1) return;
    ERR_clear_error();
    throw ConfigurationError("sms.ca_file holds no certificates or cannot be read: " + file);
}

// Twilio splits its codes into finer ones now and then and advises against logic upon them: the status decides, and an
// unknown code of status 400 is a refusal.
enum class Blame { Recipient, Sender };
struct Explanation {
    int code;
    Blame blame;
    std::string_view text;
};
constexpr std::string_view kBadSender = "sms.from cannot be used as sender";
constexpr std::array kExplanations{
    Explanation{21211, Blame::Recipient, "invalid number"},
    Explanation{21214, Blame::Recipient, "number cannot be reached"},
    Explanation{21217, Blame::Recipient, "number does not seem valid"},
    Explanation{21219, Blame::Recipient, "number not verified, which a trial account needs"},
    Explanation{21265, Blame::Recipient, "number is a short code"},
    Explanation{21266, Blame::Recipient, "number is the sender itself"},
    Explanation{21408, Blame::Recipient, "no permission to send to this region"},
    Explanation{21608, Blame::Recipient, "number not verified, which a trial account needs"},
    Explanation{21610, Blame::Recipient, "recipient has unsubscribed"},
    Explanation{21612, Blame::Recipient, "no way to this number from sms.from"},
    Explanation{21614, Blame::Recipient, "not a mobile number"},
    Explanation{21617, Blame::Recipient, "text too long"},
    Explanation{21635, Blame::Recipient, "number is a landline"},
    Explanation{21212, Blame::Sender, kBadSender},
    Explanation{21601, Blame::Sender, kBadSender},
    Explanation{21603, Blame::Sender, kBadSender},
    Explanation{21606, Blame::Sender, kBadSender},
    Explanation{21659, Blame::Sender, kBadSender},
    Explanation{21660, Blame::Sender, kBadSender},
    Explanation{21661, Blame::Sender, kBadSender},
    Explanation{21701, Blame::Sender, kBadSender},
    Explanation{21703, Blame::Sender, kBadSender},
    Explanation{21704, Blame::Sender, kBadSender},
    Explanation{21705, Blame::Sender, kBadSender},
};

// The error code of {"code": 21211, "message": ..., "more_info": ..., "status": 400}, or 0. The message is left alone:
// it repeats the number.
int errorCode(const std::string& body) {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(8);
        return parser.parse(body).extract<Poco::JSON::Object::Ptr>()->getValue<int>("code");
    } catch (const Poco::Exception&) {
        return 0;
    }
}

// Status 4xx other than those that are about us.
SendResult refusal(const HttpReply& reply) {
    const int code = errorCode(reply.body);
    if (code == 0) return {Outcome::Refused, "twilio: " + std::to_string(reply.status)};
    const std::string name = "twilio " + std::to_string(code) + ": ";
    const auto* found = std::find_if(kExplanations.begin(), kExplanations.end(),
                                     [code](const Explanation& explanation) { return explanation.code == code; });
    if (found == kExplanations.end()) return {Outcome::Refused, name + "status " + std::to_string(reply.status)};
    // A setting can be put right while the message waits. A sender may serve other countries, so others are tried.
    return {found->blame == Blame::Sender ? Outcome::TryLater : Outcome::Refused, name + std::string(found->text)};
}

SendResult aboutUs(const HttpReply& reply, std::string_view what) {
    return {Outcome::TryLater, "twilio: " + std::to_string(reply.status) + std::string(what), Cause::Provider,
            reply.retryAfter};
}

SendResult judge(const HttpReply& reply) {
    switch (reply.status) {
    case 401: return aboutUs(reply, " authentication");
    case 403: return aboutUs(reply, " forbidden");
    case 404: return aboutUs(reply, " no such account");  // the path names nothing else
    case 408: return aboutUs(reply, " timeout");
    case 429: return aboutUs(reply, " too many requests");
    default: break;
    }
    if (reply.status / 100 == 2) return {};
    return reply.status / 100 == 4 ? refusal(reply) : aboutUs(reply, "");
}

}  // namespace

TwilioSmsTransport::TwilioSmsTransport(const SmsSettings& settings)
    : sender_(settings.from),
      timeout_(settings.timeout),
      client_({.caFile = settings.caFile,
               .username = settings.twilioAccountSid,
               .password = settings.twilioAuthToken,
               .timeout = settings.timeout}) {
    checkSender(settings.from);
    checkAccount(settings);
    checkCaFile(settings.caFile);
    if (settings.timeout < std::chrono::seconds(1)) throw ConfigurationError("sms.timeout must be 1s or more");
    url_ = checkedUrl(settings.twilioUrl) + "/2010-04-01/Accounts/" + settings.twilioAccountSid + "/Messages.json";
    senderField_ = isMessagingService(settings.from) ? "MessagingServiceSid" : "From";
}

SendResult TwilioSmsTransport::send(const SmsMessage& message) {
    try {
        return judge(client_.post(url_, {{"To", message.recipient}, {senderField_, sender_}, {"Body", message.text}}));
    } catch (const HttpError& error) {
        return {Outcome::TryLater, std::string("twilio: ") + error.what(), Cause::Provider};
    }
}

}  // namespace otpgate::delivery
