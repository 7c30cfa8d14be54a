#include "dispatch.h"

#include "otpgate/base/text.h"
#include "otpgate/store/stores.h"

namespace otpgate {

Dispatch::Dispatch(const Settings& settings, const delivery::CourierSettings& courierSettings,
                   const domain::OtpCodes& codes, db::Database& database, store::Groups* groups, const Clock& clock,
                   Random& random, Logger& log, domain::OtpMetrics& metrics)
    : templates_(settings.templates),
      composer_(codes, templates_, settings.mail.from, serviceWords(settings)),
      smsBudgetConnection_(database.connect()),
      smsBudgets_(store::makeSmsBudgetStore(*smsBudgetConnection_)),
      smsGuard_(settings.sms.rules, *smsBudgets_, clock, log),
      courierConnection_(database.connectForGroups()),
      outbox_(store::makeOutboxStore(*courierConnection_, groups)),
      courier_(courierSettings, *outbox_, composer_,
               {.mail = [&] { return delivery::makeMailTransport(settings.mail, &log); },
                .sms = [&] { return smsGuard_.wrap(delivery::makeSmsTransport(settings.sms, random)); }},
               clock, random, log, metrics) {
    const auto notes = templates_.standInNotes();
    if (!notes.empty())
        log.warning("languages without words for some messages",
                    {{"detail", "templates.directory: " + joined(notes, "; ")}});
}

}  // namespace otpgate
