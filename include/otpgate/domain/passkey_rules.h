// What is decided about passkeys (WebAuthn Level 3, section 7): for which site they are, what a browser must have said,
// and when an authenticator is not believed. Pure functions.
#pragma once

#include "otpgate/crypto/webauthn.h"
#include "otpgate/domain/passkey_store.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

// The RP ID of a site where nothing else is said: its host. nullopt where browsers know no passkeys: hosts that are
// addresses, and plain HTTP elsewhere than on localhost.
std::optional<std::string> rpIdOf(std::string_view publicUrl);
// Whether a page of the host may name this RP ID: its host, or a domain above it that is not a top-level one.
bool mayClaim(std::string_view publicUrl, std::string_view rpId);

// Of a URL, as browsers write it: in lower case, and without the port that the scheme has anyway.
std::string originOf(std::string_view url);

// The client data of an answer (section 5.8.1), as the browser wrote them and as they were read.
struct ClientData {
    std::string json;
    std::string type;
    std::string challenge;
    std::string origin;
    bool isCrossOrigin = false;  // asked by a page in another's frame
};

enum class Ceremony { Registration, SignIn };

// Of the right kind, from this origin, and not from a frame of somebody else's page. The challenge is the caller's to
// judge.
bool isAsAsked(const ClientData& data, Ceremony ceremony, std::string_view origin);

// Whether the counter goes on from the one that is stored (section 7.2, step 22). Authenticators that do not count say
// 0 always.
bool countsOn(std::uint32_t stored, std::uint32_t shown);
// Whether a passkey stays what it was: one that may not be copied never may (section 6.1.3).
bool isSamePasskey(const Passkey& stored, const crypto::AuthenticatorFacts& facts);

// amr of RFC 8176 of a sign-in by it.
std::string methodsOf(const crypto::AuthenticatorFacts& facts);

}  // namespace otpgate::domain
