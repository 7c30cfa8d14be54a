// How a composed SMS leaves the house. One object, used by one thread of the courier.
#pragma once

#include "otpgate/base/random.h"
#include "otpgate/delivery/send_result.h"
#include "otpgate/domain/calling_prefixes.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace otpgate::delivery {

struct SmsMessage {
    std::string recipient;  // E.164
    std::string text;       // LF line ends
    std::string code{};     // that is in it: what nobody may tell again; empty in a notice, or beside a link alone
    std::string link{};     // the same of the secret part of a link; mostly empty
};

class SmsTransport {
public:
    virtual ~SmsTransport() = default;
    virtual SendResult send(const SmsMessage& message) = 0;
    // Called when nothing more waits: close kept connections.
    virtual void idle() {}
    // Nothing is sent later than this after the call of send(): what a lease must still hold.
    virtual std::chrono::seconds longestSend() const = 0;
};

enum class SmsTransportKind { None, Twilio, Vonage, Http, File, Mock };

// What SmsGuard holds the transports to.
struct SmsRules {
    domain::AllowedPrefixes allowedPrefixes;
    domain::DailyBudgets dailyBudgets;
};

enum class HttpMethod { Get, Post, Put };
enum class HttpBodyType { Json, Form, Xml };

// Of Http: one request a message. {to}, {to_digits}, {from}, {text} and {secret} in the URL, a header or the body.
struct HttpSmsSettings {
    HttpMethod method = HttpMethod::Post;
    std::string url;
    std::vector<std::string> headers;
    HttpBodyType bodyType = HttpBodyType::Json;
    std::string body;
    std::string secret;
    std::vector<std::string> successStatus{"200-299"};
    std::string successBody;  // what the answer must hold, too
};

struct SmsSettings {
    SmsTransportKind transport = SmsTransportKind::None;
    std::string directory;  // of File
    // A number, a short code, an alphanumeric sender, or the SID of a Twilio messaging service (MG...).
    std::string from;
    std::string twilioAccountSid;
    std::string twilioAuthToken;
    std::string twilioApiKeySid;  // with its secret in place of the token
    std::string twilioApiKeySecret;
    std::string twilioUrl = "https://api.twilio.com";
    std::string vonageApiKey;
    std::string vonageApiSecret;
    std::string vonageUrl = "https://rest.nexmo.com";
    HttpSmsSettings http;
    std::string caFile;            // empty: the system's authorities
    double mockFailureRate = 0.0;  // of Mock: 0 to 1
    std::chrono::seconds timeout{10};
    SmsRules rules;
};

// Null for None. Checks what can be checked without sending: the directory is there (made, mode 0700) and writable, the
// sender and the account are such, the CA file readable. Throws ConfigurationError that names the setting. `random` is
// Mock's.
std::unique_ptr<SmsTransport> makeSmsTransport(const SmsSettings& settings, Random& random);

// "twilio (api.twilio.com)": where the messages go, for people.
std::string describeProvider(const SmsSettings& settings);

}  // namespace otpgate::delivery
