#include "test_messages.h"

#include "otpgate/base/log.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/mail_test.h"
#include "otpgate/delivery/sms_guard.h"
#include "otpgate/delivery/sms_length.h"
#include "otpgate/store/stores.h"

#include <ostream>
#include <sstream>

namespace otpgate {

namespace {

using delivery::SendResult;

std::string smsText(std::string_view publicUrl) {
    return "A test of the SMS settings of " + std::string(hostOf(publicUrl)) + ".";
}

// What could not be shown becomes a dot. The transports have struck out what is secret.
std::string shown(std::string_view text) {
    return printable(text, '.');
}

void show(const SendResult& result, std::ostream& out) {
    const auto line = [&out](const char* name, const std::string& value) {
        if (!value.empty()) out << name << ": " << value << "\n";
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

bool testSms(const Settings& settings, db::Connection& connection, const domain::Destination& number,
             std::ostream& out) {
    const SystemClock clock;
    crypto::SystemRandom random;
    Logger log(settings.logFormat, LogLevel::Error, clock);  // what it would say is shown
    const auto budgets = store::makeSmsBudgetStore(connection);
    delivery::SmsGuard guard(settings.sms.rules, *budgets, clock, log);
    const auto transport = guard.wrap(delivery::makeSmsTransport(settings.sms, random));

    const delivery::SmsMessage message{number.value(), smsText(settings.publicUrl)};
    const auto length = delivery::measureSms(message.text);
    out << "provider: " << delivery::describeProvider(settings.sms) << "\nto: " << number.masked()
        << "\ntext: " << message.text << "\nlength: " << length.units << " of " << toString(length.encoding) << ", "
        << length.segments << (length.segments == 1 ? " segment" : " segments") << std::endl;
    const SendResult result = transport->send(message);
    show(result, out);
    return result.outcome == SendResult::Outcome::Sent;
}

std::optional<domain::TestSending> TestMessages::send(const domain::Destination& recipient) {
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn) return std::nullopt;
    std::ostringstream said;
    bool isSent = false;
    if (recipient.channel() == domain::Channel::Sms) {
        isSent = testSms(settings_, connection_, recipient, said);
    } else {
        const Timestamp now = SystemClock{}.now();
        crypto::SystemRandom random;
        isSent = delivery::testMail(settings_.mail, {recipient, Uuid::makeV7(now, random), now}, said);
    }
    return domain::TestSending{isSent, said.str()};
}

}  // namespace otpgate
