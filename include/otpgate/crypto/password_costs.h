// What it costs to compare with a stored hash, by name, so that every wrong password can be made to cost the same: what
// the costliest hash costs that anybody here may have. Else the time of an answer tells whose hash came from elsewhere,
// and so who has an account.
#pragma once

#include "otpgate/crypto/password_hash.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::crypto {

// "pbkdf2_sha256$600000", "bcrypt$12", "argon2id$19456,2,1", "scrypt$16384,8,5", "sha512crypt$5000"; nullopt for a hash
// that no password matches.
std::optional<std::string> costOf(std::string_view storedHash);
// Of our own hashes at this cost.
std::string costOf(const PasswordCost& cost);

// Hashes that no password matches, to be compared after one of cost `done` (nothing: after none), so that all together
// cost what each of `costs` costs, the kinds one after another. Of hashes that differ in their number of rounds only, a
// costlier one stands for the cheaper ones. Names that are of no cost are left out.
std::vector<std::string> decoysAfter(const std::optional<std::string>& done, const std::set<std::string>& costs);

}  // namespace otpgate::crypto
