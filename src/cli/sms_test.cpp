#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/domain/phone_numbers.h"
#include "readiness.h"
#include "test_messages.h"

#include <iostream>

namespace otpgate::cli {

namespace {

domain::Destination readNumber(const Invocation& invocation) {
    auto number = domain::Destination::parsePhoneNumber(invocation.words.front());
    if (!number) throw UsageError("not a telephone number such as +4930123456");
    return std::move(*number);
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
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    requireMigrated(*connection);  // the day's budget is counted there
    return testSms(settings, *connection, number, std::cout) ? 0 : 1;
}

}  // namespace otpgate::cli
