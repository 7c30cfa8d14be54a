// The words that columns use for the domain's values. A word that is not known means that the database
// was written by something else: std::runtime_error.
#pragma once

#include "otpgate/domain/models.h"
#include "otpgate/domain/stores.h"

#include <string_view>

namespace otpgate::store {

domain::Channel parseChannel(std::string_view word);
domain::Purpose parsePurpose(std::string_view word);
domain::MessageKind parseMessageKind(std::string_view word);
domain::CodeAlphabet parseCodeAlphabet(std::string_view word);
domain::ApiScope parseApiScope(std::string_view word);
domain::Role parseRole(std::string_view word);
domain::UserStatus parseUserStatus(std::string_view word);

}  // namespace otpgate::store
