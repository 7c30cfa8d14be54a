// Reads the fields that routes about codes share. What is wrong is noted in the body; rejectInvalid() then throws.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/http/json.h"

#include <optional>
#include <string>

namespace otpgate::api {

inline constexpr std::string_view kNoDestination =
    "must be an e-mail address or a telephone number such as +4930123456";
// Of a number that phone.validation = strict refuses.
inline constexpr std::string_view kImpossibleNumber = "is not a telephone number that can exist";
inline constexpr std::string_view kNoSms = "codes by SMS are not set up on this server";
// Of one that sms.allowed_prefixes does not cover.
inline constexpr std::string_view kNotSentTo = "this server sends no messages to numbers with this country code";

// `destination`, else `to`, else `email`, else `phone_number`, required; nullopt only where something was noted: of the
// one that is there, or that `nameWhenMissing` is missing.
std::optional<domain::Destination> readDestination(const ApiSettings& settings, http::JsonBody& body,
                                                   std::string_view nameWhenMissing);
// `phone_number`, required; nullopt only where something was noted.
std::optional<domain::Destination> readPhoneNumber(const ApiSettings& settings, http::JsonBody& body);

// phone.validation = strict and accounts.allowed_*, for what readDestination() or readPhoneNumber() gave. Who has an
// account is never refused for them, and nobody may learn from a refusal that an account is missing. So where an
// account or an address is made it is refused by name:
enum class Making { Account, Address };
void noteUnwelcome(const ApiSettings& settings, http::JsonBody& body,
                   const std::optional<domain::Destination>& destination, Making making = Making::Account);
// and where an account may be found, the number makes none:
domain::NewAccounts newAccountsWith(const ApiSettings& settings, const domain::Destination& destination);
// and is refused by name where missing accounts are told anyway.
void rejectNobodysNumber(const ApiSettings& settings, http::JsonBody& body, const domain::OtpQuestion& question,
                         const domain::RequestedOtp& otp);

std::optional<domain::Purpose> readPurpose(http::JsonBody& body);
std::string readLocale(http::JsonBody& body);  // BCP 47, or empty; a hint, so nothing of it is an error

// `otp`, `otp_code` or `code`, by parseCode(). Anything else cannot be a code and costs no attempt.
std::string readGuess(http::JsonBody& body);

// Which code is meant: `otp_id`, or destination and `purpose` (login where absent).
domain::OtpReference readOtpReference(const ApiSettings& settings, http::JsonBody& body);
// The same for a route whose codes are of one purpose: the body has none to say.
domain::OtpReference readOtpReference(const ApiSettings& settings, http::JsonBody& body, domain::Purpose purpose);

// install_id, platform, app_version, device_name, time_zone; hints, cut to the length that is kept.
domain::Device readDevice(http::JsonBody& body);

}  // namespace otpgate::api
