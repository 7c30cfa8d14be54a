#include "cli/settings_check.h"

#include "human_checks.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/message_composer.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/cors.h"

namespace otpgate::cli {

namespace {

void requireClaimable(const domain::PasskeySettings& passkeys, const std::string& publicUrl) {
    if (!passkeys.isOffered() || domain::mayClaim(publicUrl, passkeys.rpId)) return;
    throw ConfigurationError(
        "passkeys.rp_id must be the host of server.public_url, or a domain that it is in, over https");
}

}  // namespace

void requireUsable(const Settings& settings) {
    requireClaimable(settings.passkeys, settings.publicUrl);
    const auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    const domain::OtpCodes codes(ring, settings.otp.format, settings.otp.fixedCode);
    const delivery::Templates templates(settings.templates);
    const delivery::MessageComposer composer(codes, templates, settings.mail.from, serviceWords(settings));
    // Only where that makes no directory: nothing is changed here.
    if (settings.mail.transport == delivery::MailTransportKind::Smtp) delivery::makeMailTransport(settings.mail);
    const http::TrustedProxies proxies(settings.trustedProxies);
    const http::AddressList metricsReaders(settings.metricsReaders, "metrics.allowed_addresses");
    const http::AddressList adminAddresses(settings.adminAddresses, "admin.allowed_addresses");
    const http::Cors cors(settings.corsOrigins, settings.publicUrl, settings.corsHeaders);
    const auto database = db::openDatabase(settings.database);
    if (settings.otp.humanCheck.isUsed()) requireAskable(settings.humanCheck);
    crypto::SystemRandom random;
    // The file transport would make its directory.
    if (settings.sms.transport != delivery::SmsTransportKind::File) delivery::makeSmsTransport(settings.sms, random);
}

std::string firstDatabaseHost(const Settings& settings) {
    return db::openDatabase(settings.database)->currentHost();
}

}  // namespace otpgate::cli
