// What both engines ask of the table otp_requests in the same words.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/models.h"

#include <optional>

namespace otpgate::store {

std::optional<Uuid> findNewestOtp(db::Connection& connection, const domain::Destination& destination,
                                  domain::Purpose purpose, Timestamp since);

}  // namespace otpgate::store
