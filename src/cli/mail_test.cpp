#include "otpgate/delivery/mail_test.h"

#include "cli/commands.h"
#include "otpgate/crypto/random.h"

#include <iostream>

namespace otpgate::cli {

int mailTest(const Invocation& invocation) {
    const auto recipient =
        domain::Destination::parseEmail(invocation.words.front(), domain::EmailValidation::International);
    if (!recipient) throw UsageError("not an e-mail address: " + invocation.words.front());
    const Settings settings = invocation.settings();
    const SystemClock clock;
    crypto::SystemRandom random;
    const Timestamp now = clock.now();
    return delivery::testMail(settings.mail, {*recipient, Uuid::makeV7(now, random), now}, std::cout) ? 0 : 1;
}

}  // namespace otpgate::cli
