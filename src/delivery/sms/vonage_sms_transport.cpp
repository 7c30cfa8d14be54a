#include "delivery/sms/vonage_sms_transport.h"

#include "delivery/sms/provider_settings.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/delivery/sms_length.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

// A number or a short code, whose + Vonage does not want; or up to 11 letters and digits.
std::string checkedSender(std::string from) {
    if (from.empty()) throw ConfigurationError("sms.from is needed with sms.transport = vonage");
    const std::string_view digits = std::string_view(from).substr(from.starts_with('+') ? 1 : 0);
    if (!digits.empty() && digits.size() <= 15 && std::all_of(digits.begin(), digits.end(), isDigit)) {
        return std::string(digits);
    }
    if (from.size() > 11 || !std::all_of(from.begin(), from.end(), isPrintable)) {
        throw ConfigurationError(
            "sms.from is neither a number (+1...), a short code nor a sender of at most 11 characters: " + from);
    }
    return from;
}

// What a status other than 0 means. Provider: the account, so no other message would fare better.
enum class Meaning { Refusal, Sender, Hiccup, Provider };
struct VonageStatus {
    int status;
    Meaning meaning;
    std::string_view text;
    std::string_view advice;
};
constexpr std::string_view kCheckSender = "set sms.from to a number or name that Vonage lets you send from";
constexpr VonageStatus kVonageStatuses[] = {
    {1, Meaning::Provider, "throttled", {}},
    {2, Meaning::Refusal, "missing parameter", {}},
    {3, Meaning::Refusal, "invalid parameter", {}},
    {4, Meaning::Provider, "invalid credentials", "check sms.vonage_api_key and sms.vonage_api_secret"},
    {5, Meaning::Hiccup, "internal error", {}},
    {6, Meaning::Refusal, "invalid message or number", {}},
    {7, Meaning::Refusal, "number is barred", {}},
    {8, Meaning::Provider, "account is barred", "ask Vonage's support: the account has been suspended"},
    {9, Meaning::Provider, "out of credit", "top up the Vonage account"},
    {10, Meaning::Provider, "too many connections", {}},
    {11, Meaning::Provider, "account is not enabled for HTTP", "ask Vonage to enable the SMS API for the account"},
    {12, Meaning::Refusal, "text too long", {}},
    {14, Meaning::Provider, "signature expected", "let the Vonage account accept unsigned requests of the SMS API"},
    {15, Meaning::Sender, "sms.from cannot be used as sender", kCheckSender},
    {22, Meaning::Refusal, "invalid network code", {}},
    {23, Meaning::Refusal, "invalid callback", {}},
    {29, Meaning::Refusal, "number is not on the list of the demo account",
     "add the number to the test numbers in Vonage's dashboard, or top up the account"},
    {32, Meaning::Provider, "signature expected", "let the Vonage account accept unsigned requests of the SMS API"},
    {33, Meaning::Refusal, "number is no longer in use", {}},
};

SendResult explained(int status) {
    const std::string name = "vonage " + std::to_string(status) + ": ";
    const auto* found =
        std::find_if(std::begin(kVonageStatuses), std::end(kVonageStatuses),
                     [status](const VonageStatus& explanation) { return explanation.status == status; });
    if (found == std::end(kVonageStatuses)) return {Outcome::Refused, name + "not known"};
    const bool isFinal = found->meaning == Meaning::Refusal;
    SendResult result{isFinal ? Outcome::Refused : Outcome::TryLater, name + std::string(found->text),
                      found->meaning == Meaning::Provider ? Cause::Provider : Cause::Message};
    result.advice = found->advice;
    return result;
}

// {"message-count": "1", "messages": [{"status": "0", "message-id": "0C00...", ...}]}: an entry for each segment.
struct Answer {
    bool isSent = false;  // of one segment at least
    int failure = 0;      // the first status that is not 0
    std::string messageId;
};

std::optional<Answer> parse(const std::string& body) {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(8);
        const auto messages = parser.parse(body).extract<Poco::JSON::Object::Ptr>()->getArray("messages");
        if (!messages || messages->empty()) return std::nullopt;
        Answer answer;
        for (unsigned i = 0; i < messages->size(); ++i) {
            const auto message = messages->getObject(i);
            if (!message) return std::nullopt;
            const int status = message->getValue<int>("status");
            if (status != 0) {
                if (answer.failure == 0) answer.failure = status;
                continue;
            }
            answer.isSent = true;
            if (answer.messageId.empty()) answer.messageId = message->optValue<std::string>("message-id", "");
        }
        return answer;
    } catch (const Poco::Exception&) {
        return std::nullopt;
    }
}

// One that is not as the API's document says: from a proxy, another service, or a platform that is down.
SendResult oddAnswer(const HttpReply& reply) {
    SendResult result{Outcome::TryLater, "vonage: " + std::to_string(reply.status), Cause::Provider, reply.retryAfter};
    const bool isAccess = reply.status == 401 || reply.status == 403;
    const bool isTemporary = reply.status == 408 || reply.status == 429 || reply.status / 100 == 5;
    if (isTemporary) return result;
    if (isAccess) {
        result.advice = "check sms.vonage_api_key and sms.vonage_api_secret";
        return result;
    }
    result.advice = "check sms.vonage_url: what answers there is not the SMS API";
    // Some way of saying yes that we do not understand.
    result.mayHaveBeenTaken = reply.status / 100 == 2;
    if (reply.status / 100 == 4 && reply.status != 404) result = {Outcome::Refused, result.reason};
    return result;
}

SendResult judgeVonage(const HttpReply& reply) {
    const auto answer = parse(reply.body);
    if (!answer && !reply.isWhole && reply.status / 100 == 2) {
        // What would say whether the message is paid for did not come. It is not sent again, because each time would be
        // paid for; whoever waits for it can ask for another.
        SendResult refused{Outcome::Refused, "vonage: " + std::to_string(reply.status) + " without its end"};
        refused.mayHaveBeenTaken = true;
        return refused;
    }
    if (!answer || reply.status / 100 != 2) return oddAnswer(reply);
    if (answer->failure == 0) {
        SendResult result;
        result.answer.messageId = answer->messageId;
        return result;
    }
    SendResult result = explained(answer->failure);
    result.retryAfter = reply.retryAfter;
    result.mayHaveBeenTaken = answer->isSent;
    return result;
}

}  // namespace

VonageSmsTransport::VonageSmsTransport(const SmsSettings& settings)
    : url_(checkedBaseUrl(settings.vonageUrl, "sms.vonage_url") + "/sms/json"),
      sender_(checkedSender(settings.from)),
      key_(settings.vonageApiKey),
      secret_(settings.vonageApiSecret),
      timeout_(settings.timeout),
      client_(httpSettings(settings)) {
    checkSecret(key_, "sms.vonage_api_key", "vonage");
    checkSecret(secret_, "sms.vonage_api_secret", "vonage");
    checkConnection(settings);
    secrets_.add(key_);
    secrets_.add(secret_);
}

SendResult VonageSmsTransport::send(const SmsMessage& message) {
    secrets_.beginMessage({message.code, message.text, message.recipient, message.link});
    HttpClient::Fields fields{{"api_key", key_},
                              {"api_secret", secret_},
                              {"from", sender_},
                              {"to", message.recipient.substr(1)},
                              {"text", message.text}};
    if (measureSms(message.text).encoding == SmsEncoding::Ucs2) fields.emplace_back("type", "unicode");
    try {
        const HttpReply reply = client_.post(url_, fields);
        return answered(reply, judgeVonage(reply), secrets_);
    } catch (const HttpError& error) {
        return noAnswer("vonage", error, secrets_);
    }
}

}  // namespace otpgate::delivery
