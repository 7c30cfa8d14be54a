// How people are named in settings and rules: by the domain of their address, or by address or number.
#pragma once

#include "otpgate/domain/sign_up_rule.h"

#include <string_view>

namespace otpgate::domain {

// `example.com` or `*.example.com`. False, and nothing added, for anything else.
bool addDomain(SignUpRule& rule, std::string_view text);
// An address or a telephone number with its country code.
bool addAddress(SignUpRule& rule, std::string_view text);

}  // namespace otpgate::domain
