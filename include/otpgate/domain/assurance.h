// How sure it is who signed in, by the ways in which he did (RFC 8176).
#pragma once

#include <string>
#include <string_view>

namespace otpgate::domain {

// The levels of NIST SP 800-63B-4, section 2.
enum class AssuranceLevel : int { One = 1, Two = 2 };

// Of the methods that a session keeps, by spaces. A passkey that verified its user ("hwk user mfa", "swk user mfa") is
// two factors in one, and a password with an authenticator app ("pwd otp totp mfa") is two. Codes are one, however many
// of them were typed and whatever made them: two things that one has do not add up (section 2.2.1), and a code by
// e-mail is no second factor for a password (section 3.1.3.1), which the words of RFC 8176 cannot tell from another.
AssuranceLevel assuranceOf(std::string_view methods);

// Whether a sign-in by these methods opens an account: one with a factor by a factor alone, for else whoever has the
// mailbox or the password had the account (section 4.1.2.1 would let him bind a factor of his own to it). A code and an
// authenticator app open it, too, though they are of level 1: "totp" is no code that anybody was sent.
bool opensAccount(std::string_view methods, bool hasFactor);

// Whether it has shown a factor itself. A trusted device ("otp device") opens an account and shows none: what takes
// more than opening it takes the factor.
bool showsFactor(std::string_view methods);
std::string withTrustedDevice(std::string_view methods);

// Whether it may add a factor, and nothing else: a sign-in by a code and a recovery code ("otp rc"), for a factor that
// is lost (section 4.2.2.2). It opens nothing until it has shown the new one.
bool mayOnlyAddFactors(std::string_view methods);
// By a session of this kind, or one that opens the account.
bool mayAddFactor(std::string_view methods, bool hasFactor);

// What `acr` says: "urn:otpgate:aal2".
std::string_view toUrn(AssuranceLevel level);

}  // namespace otpgate::domain
