// What both engines ask of the table otp_requests in the same words.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/otp_store.h"

#include <optional>

namespace otpgate::store {

// The lane of everyone who is not a known device. A lane's codes and limits are its own.
inline constexpr Uuid kStrangers{};

std::optional<Uuid> findNewestOtp(db::Connection& connection, const domain::Destination& destination,
                                  domain::Purpose purpose, const domain::ShownDevice& device, Timestamp since);

}  // namespace otpgate::store
