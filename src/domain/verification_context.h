// The context of a verification: all that is to be known of it, sealed, in the hands of the application that asked.
// What it does not hold is how often it was tried: the database counts that, by its id.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/otp_code.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct VerificationContext {
    Uuid id;
    Uuid ownerId;  // the user whose API keys may check it
    Destination destination;
    CodeFormat format;
    std::string purpose;
    std::string metadata;     // a JSON object
    Timestamp codeExpiresAt;  // the code's window
    Timestamp expiresAt;      // the outer window
    unsigned maxAttempts = 0;
    unsigned retryCount = 0;  // wrong codes that the holder has been told of
};

// Base64url of the sealed fields; another text each time.
std::string sealContext(const crypto::KeyRing& ring, const VerificationContext& context, Random& random);
// nullopt for whatever sealContext() did not write under one of the ring's keys.
std::optional<VerificationContext> openContext(const crypto::KeyRing& ring, std::string_view text);

}  // namespace otpgate::domain
