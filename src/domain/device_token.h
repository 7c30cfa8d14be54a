// What a client keeps to prove that it has signed in to an account before ("device cookie", OWASP): the device's id and
// a MAC. It signs nobody in; it only keeps strangers from spending the limits of its owner.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/otp_store.h"

#include <string>
#include <string_view>

namespace otpgate::domain {

std::string makeDeviceToken(const crypto::KeyRing& ring, const Uuid& deviceId);
// nullopt for what we did not make; whether the device is still known is for the store to say.
ShownDevice parseDeviceToken(const crypto::KeyRing& ring, std::string_view token);

}  // namespace otpgate::domain
