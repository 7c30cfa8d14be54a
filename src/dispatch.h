// All that it takes to send messages: words, transports, and the courier with its connection. Of `otpgate serve` and of
// `otpgate deliver`.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/message_composer.h"
#include "otpgate/delivery/sms_guard.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/stores.h"
#include "otpgate/store/groups.h"
#include "settings.h"

#include <chrono>
#include <memory>

namespace otpgate {

class Dispatch {
public:
    // How long the messages in hand may take at a stop; the rest waits in the outbox.
    static constexpr std::chrono::seconds kPatience{5};

    // Throws ConfigurationError for what the administrator must correct. What it is given outlives it. Without groups
    // it finishes messages by transactions of its own.
    Dispatch(const Settings& settings, const delivery::CourierSettings& courierSettings, const domain::OtpCodes& codes,
             db::Database& database, store::Groups* groups, const Clock& clock, Random& random, Logger& log,
             domain::OtpMetrics& metrics);

    delivery::Courier& courier() { return courier_; }

private:
    delivery::Templates templates_;
    delivery::MessageComposer composer_;
    std::unique_ptr<db::Connection> smsBudgetConnection_;
    std::unique_ptr<domain::SmsBudgetStore> smsBudgets_;
    delivery::SmsGuard smsGuard_;
    std::unique_ptr<db::Connection> courierConnection_;
    std::unique_ptr<domain::OutboxStore> outbox_;
    delivery::Courier courier_;
};

}  // namespace otpgate
