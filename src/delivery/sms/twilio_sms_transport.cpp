#include "delivery/sms/twilio_sms_transport.h"

#include "delivery/sms/provider_settings.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/destination.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

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
        return isLetterOrDigit(c) || c == ' ' || c == '+' || c == '-' || c == '_' || c == '&';
    };
    return std::all_of(from.begin(), from.end(), allowed) && std::any_of(from.begin(), from.end(), isLetter);
}

void checkSender(const std::string& from) {
    if (from.empty()) throw ConfigurationError("sms.from is needed with sms.transport = twilio");
    const auto number = domain::Destination::parsePhoneNumber(from);
    const bool isNumber = number && number->value() == from;  // it goes to Twilio as it is
    if (!isNumber && !isMessagingService(from) && !isShortSender(from)) {
        throw ConfigurationError(
            "sms.from is neither a number (+1...), a short code, an alphanumeric sender of at most "
            "11 characters nor a messaging service (MG...): " +
            from);
    }
}

void checkSid(const std::string& sid, std::string_view start, std::string_view setting) {
    if (sid.size() < 3 || !sid.starts_with(start) || !std::ranges::all_of(sid, isLetterOrDigit)) {
        throw ConfigurationError(std::string(setting) + " must be " + std::string(start) +
                                 " and letters and digits: " + sid);
    }
}

// The account's token, or an API key, which can be revoked by itself; never both, so that it is plain which is used.
void checkAccount(const SmsSettings& settings) {
    checkSid(settings.twilioAccountSid, "AC", "sms.twilio_account_sid");
    if (settings.twilioApiKeySid.empty() && settings.twilioApiKeySecret.empty()) {
        checkSecret(settings.twilioAuthToken, "sms.twilio_auth_token", "twilio");
        return;
    }
    if (!settings.twilioAuthToken.empty()) {
        throw ConfigurationError("sms.twilio_auth_token and sms.twilio_api_key_sid are both set: only one may be");
    }
    checkSid(settings.twilioApiKeySid, "SK", "sms.twilio_api_key_sid");
    checkSecret(settings.twilioApiKeySecret, "sms.twilio_api_key_secret", "twilio");
}

HttpSettings twilioHttpSettings(const SmsSettings& settings) {
    HttpSettings http = httpSettings(settings);
    const bool hasKey = !settings.twilioApiKeySid.empty();
    http.username = hasKey ? settings.twilioApiKeySid : settings.twilioAccountSid;
    http.password = hasKey ? settings.twilioApiKeySecret : settings.twilioAuthToken;
    return http;
}

// Twilio splits its codes into finer ones now and then and advises against logic upon them: the status decides, and an
// unknown code of status 400 is a refusal.
enum class Blame { Recipient, Sender };
struct TwilioError {
    int code;
    Blame blame;
    std::string_view text;
    std::string_view advice;
};
constexpr std::string_view kBadSender = "sms.from cannot be used as sender";
constexpr std::string_view kOwnSender = "set sms.from to a sender or messaging service of this Twilio account";
constexpr std::string_view kTrial = "number not verified, which a trial account needs";
constexpr std::string_view kEndTrial = "verify the number in Twilio's console, or upgrade the trial account";
constexpr TwilioError kTwilioErrors[] = {
    {21211, Blame::Recipient, "invalid number", {}},
    {21214, Blame::Recipient, "number cannot be reached", {}},
    {21217, Blame::Recipient, "number does not seem valid", {}},
    {21219, Blame::Recipient, kTrial, kEndTrial},
    {21265, Blame::Recipient, "number is a short code", {}},
    {21266, Blame::Recipient, "number is the sender itself", {}},
    {21408, Blame::Recipient, "no permission to send to this region",
     "allow the country in Twilio's console (Messaging, Settings, Geo permissions) or leave it out of "
     "sms.allowed_prefixes"},
    {21608, Blame::Recipient, kTrial, kEndTrial},
    {21610, Blame::Recipient, "recipient has unsubscribed", {}},
    {21612, Blame::Recipient, "no way to this number from sms.from",
     "set sms.from to a sender that reaches this country, or to a messaging service with one"},
    {21614, Blame::Recipient, "not a mobile number", {}},
    {21617, Blame::Recipient, "text too long", {}},
    {21635, Blame::Recipient, "number is a landline", {}},
    {21212, Blame::Sender, kBadSender, kOwnSender},
    {21601, Blame::Sender, kBadSender, kOwnSender},
    {21603, Blame::Sender, kBadSender, kOwnSender},
    {21606, Blame::Sender, kBadSender, kOwnSender},
    {21611, Blame::Sender, "too many messages of this sender wait",
     "give sms.from a messaging service with more senders"},
    {21659, Blame::Sender, kBadSender, kOwnSender},
    {21660, Blame::Sender, kBadSender, kOwnSender},
    {21661, Blame::Sender, kBadSender, kOwnSender},
    {21701, Blame::Sender, kBadSender, kOwnSender},
    {21703, Blame::Sender, kBadSender, kOwnSender},
    {21704, Blame::Sender, kBadSender, kOwnSender},
    {21705, Blame::Sender, kBadSender, kOwnSender},
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

// The member of the answer, a JSON object, or nothing.
std::string messageId(const std::string& body) {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(8);
        return parser.parse(body).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("sid");
    } catch (const Poco::Exception&) {
        return {};
    }
}

// Status 4xx other than those that are about us.
SendResult refusal(const HttpReply& reply) {
    const int code = errorCode(reply.body);
    if (code == 0) return {Outcome::Refused, "twilio: " + std::to_string(reply.status)};
    const std::string name = "twilio " + std::to_string(code) + ": ";
    const auto* found = std::find_if(std::begin(kTwilioErrors), std::end(kTwilioErrors),
                                     [code](const TwilioError& explanation) { return explanation.code == code; });
    if (found == std::end(kTwilioErrors)) return {Outcome::Refused, name + "status " + std::to_string(reply.status)};
    // A setting can be put right while the message waits. A sender may serve other countries, so others are tried.
    SendResult result{found->blame == Blame::Sender ? Outcome::TryLater : Outcome::Refused,
                      name + std::string(found->text)};
    result.advice = found->advice;
    return result;
}

SendResult aboutUs(const HttpReply& reply, std::string_view what, std::string_view advice = {}) {
    SendResult result{Outcome::TryLater, "twilio: " + std::to_string(reply.status) + std::string(what), Cause::Provider,
                      reply.retryAfter};
    result.advice = advice;
    return result;
}

SendResult judgeTwilio(const HttpReply& reply) {
    switch (reply.status) {
    case 401:
        return aboutUs(reply, " authentication",
                       "check sms.twilio_account_sid with sms.twilio_auth_token, or with sms.twilio_api_key_sid and "
                       "sms.twilio_api_key_secret");
    case 403: return aboutUs(reply, " forbidden", "see in Twilio's console what the account or the API key may do");
    case 404:  // the path names nothing else
        return aboutUs(reply, " no such account", "check sms.twilio_account_sid and sms.twilio_url");
    case 408: return aboutUs(reply, " timeout");
    case 429: return aboutUs(reply, " too many requests");
    default: break;
    }
    if (reply.status / 100 == 2) {
        SendResult result;
        result.answer.messageId = messageId(reply.body);
        return result;
    }
    if (reply.status / 100 == 3) return aboutUs(reply, "", "check sms.twilio_url: no redirect is followed");
    return reply.status / 100 == 4 ? refusal(reply) : aboutUs(reply, "");
}

}  // namespace

TwilioSmsTransport::TwilioSmsTransport(const SmsSettings& settings)
    : sender_(settings.from),
      timeout_(settings.timeout),
      client_(twilioHttpSettings(settings)) {
    checkSender(settings.from);
    checkAccount(settings);
    checkConnection(settings);
    url_ = checkedBaseUrl(settings.twilioUrl, "sms.twilio_url") + "/2010-04-01/Accounts/" + settings.twilioAccountSid +
           "/Messages.json";
    for (const auto& secret :
         {settings.twilioAccountSid, settings.twilioAuthToken, settings.twilioApiKeySid, settings.twilioApiKeySecret}) {
        secrets_.add(secret);
    }
    senderField_ = isMessagingService(settings.from) ? "MessagingServiceSid" : "From";
}

SendResult TwilioSmsTransport::send(const SmsMessage& message) {
    secrets_.beginMessage({message.code, message.text, message.recipient, message.link});
    try {
        const HttpReply reply =
            client_.post(url_, {{"To", message.recipient}, {senderField_, sender_}, {"Body", message.text}});
        return answered(reply, judgeTwilio(reply), secrets_);
    } catch (const HttpError& error) {
        return noAnswer("twilio", error, secrets_);
    }
}

}  // namespace otpgate::delivery
