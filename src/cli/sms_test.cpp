#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/sms_guard.h"
#include "otpgate/delivery/sms_length.h"
#include "otpgate/store/stores.h"
#include "readiness.h"

#include <algorithm>
#include <iostream>

namespace otpgate::cli {

namespace {

using delivery::SendResult;

domain::Destination readNumber(const Invocation& invocation) {
    auto number = domain::Destination::parsePhoneNumber(invocation.words.front());
    if (!number) throw UsageError("not a telephone number such as +4930123456");
    return std::move(*number);
}

std::string testText(std::string_view publicUrl) {
    return "A test of the SMS settings of " + std::string(hostOf(publicUrl)) + ".";
}

// What could not be shown becomes a dot. The transports have struck out what is secret.
std::string shown(std::string_view text) {
    return printable(text, '.');
}

void show(const SendResult& result) {
    const auto line = [](const char* name, const std::string& value) {
        if (!value.empty()) std::cout << name << ": " << value << "\n";
    };
    const auto& answer = result.answer;
    line("answer", answer.httpStatus == 0 ? "" : "HTTP " + std::to_string(answer.httpStatus));
    line("message id", shown(answer.messageId));
    line("body", shown(answer.body));
    line("error", shown(result.reason));
    line("change", result.advice);
    switch (result.outcome) {
    case SendResult::Outcome::Sent: line("result", "the provider took the message"); break;
    case SendResult::Outcome::TryLater: line("result", "not sent; otpgate would try again"); break;
    case SendResult::Outcome::Refused: line("result", "not sent; otpgate would give the message up"); break;
    }
}

}  // namespace

int smsTest(const Invocation& invocation) {
    const auto number = readNumber(invocation);
    const Settings settings = invocation.settings();
    if (settings.sms.transport == delivery::SmsTransportKind::None) {
        throw ConfigurationError("sms.transport = none: choose a provider");
    }
    if (!domain::PhoneNumbers(settings.phoneValidation).accepts(number)) {
        throw UsageError("not a telephone number that can exist (phone.validation = strict)");
    }
    const SystemClock clock;
    crypto::SystemRandom random;
    Logger log(settings.logFormat, LogLevel::Error, clock);  // what it would say is printed
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    requireMigrated(*connection);  // the day's budget is counted there
    const auto budgets = store::makeSmsBudgetStore(*connection);
    delivery::SmsGuard guard(settings.sms.rules, *budgets, clock, log);
    const auto transport = guard.wrap(delivery::makeSmsTransport(settings.sms, random));

    const delivery::SmsMessage message{number.value(), testText(settings.publicUrl)};
    const auto length = delivery::measureSms(message.text);
    std::cout << "provider: " << delivery::describeProvider(settings.sms) << "\nto: " << number.masked()
              << "\ntext: " << message.text << "\nlength: " << length.units << " of " << toString(length.encoding)
              << ", " << length.segments << (length.segments == 1 ? " segment" : " segments") << std::endl;
    const SendResult result = transport->send(message);
    show(result);
    return result.outcome == SendResult::Outcome::Sent ? 0 : 1;
}

}  // namespace otpgate::cli
