// What SMS gateways answer: the first byte chooses the provider and how the rest is framed: a raw HTTP answer, or the
// body of one, behind two bytes of status. $C is the code, $S the secret, $N the number.
#include "fuzz/loopback.h"
#include "otpgate/delivery/sms_transport.h"
#include "support_cpp/fake_random.h"

#include <algorithm>
#include <array>
#include <memory>

namespace {

using namespace otpgate;
using delivery::SmsTransportKind;

constexpr std::string_view kCode = "7350216948";
constexpr std::string_view kSecret = "s3cr3t-of-the-account";
constexpr std::string_view kNumber = "+4915112345678";

delivery::SmsSettings settingsOf(SmsTransportKind kind, const std::string& url) {
    delivery::SmsSettings settings;
    settings.transport = kind;
    settings.from = "Example";
    settings.twilioAccountSid = "AC0123456789";
    settings.twilioAuthToken = kSecret;
    settings.twilioUrl = url;
    settings.vonageApiKey = "abcdef";
    settings.vonageApiSecret = kSecret;
    settings.vonageUrl = url;
    settings.http.url = url + "/send";
    settings.http.headers = {"Authorization: Bearer {secret}"};
    settings.http.body = R"({"to":"{to}","text":"{text}"})";
    settings.http.secret = kSecret;
    settings.http.successBody = "ok";
    settings.timeout = std::chrono::seconds{2};
    return settings;
}

std::string answerOf(fuzz::Input bytes, bool isRaw) {
    if (isRaw) return std::string{bytes.rest()};
    const unsigned status = 100 + (bytes.byte() * 256U + bytes.byte()) % 500;
    const std::string body{bytes.rest()};
    return "HTTP/1.1 " + std::to_string(status) +
           " Said\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

}  // namespace

FUZZ_TARGET(providers) {
    static fuzz::Loopback server;
    static test::FakeRandom random;
    fuzz::Input bytes(input);
    const unsigned choice = bytes.byte();
    constexpr std::array kKinds{SmsTransportKind::Twilio, SmsTransportKind::Vonage, SmsTransportKind::Http};
    const auto settings = settingsOf(kKinds.at(choice % 3), "http://127.0.0.1:" + std::to_string(server.port()));
    server.say(fuzz::filled(answerOf(bytes, choice >= 128), {{'C', kCode}, {'S', kSecret}, {'N', kNumber}}));

    const auto transport = delivery::makeSmsTransport(settings, random);
    const delivery::SendResult result = transport->send(
        {std::string{kNumber}, "Your code is 7350216948\n\n@example.com #7350216948", std::string{kCode}});
    transport->idle();

    using Outcome = delivery::SendResult::Outcome;
    REQUIRE((result.outcome == Outcome::Sent) == result.reason.empty());
    REQUIRE(result.outcome != Outcome::Sent || result.answer.httpStatus / 100 == 2);
    REQUIRE(std::all_of(result.reason.begin(), result.reason.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    REQUIRE(result.reason.size() < 400 && result.answer.body.size() <= 500);
    for (const std::string* text : {&result.reason, &result.advice, &result.answer.messageId, &result.answer.body}) {
        for (const std::string_view secret : {kCode, kSecret, kNumber, kNumber.substr(1)})
            REQUIRE(text->find(secret) == std::string::npos);
    }
    const std::string heard = server.heard();
    REQUIRE(heard.find("7350216948") != std::string::npos || result.outcome != Outcome::Sent);
}
