#include "passkey_site.h"

#include "otpgate/store/stores.h"

namespace otpgate {

std::string strayedFromPasskeys(db::Connection& connection, const Settings& settings) {
    if (!settings.passkeys.isOffered()) return {};
    const auto fixed = store::makePasskeyStore(connection)->rpId();
    if (!fixed || *fixed == settings.passkeys.rpId) return {};
    return "passkeys here were made for " + *fixed + ", and the settings say " + settings.passkeys.rpId;
}

}  // namespace otpgate
