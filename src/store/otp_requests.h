// The table otp_requests. Requests for codes and guesses at codes come in groups (groups.h) or alone; whatever else
// puts a code to use does so in a transaction of its own.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/otp_store.h"

#include <optional>

namespace otpgate::store {

std::optional<Uuid> findNewestOtp(db::Connection& connection, const domain::Destination& destination,
                                  domain::Purpose purpose, const domain::ShownDevice& device, Timestamp since,
                                  Timestamp now);

std::optional<domain::OpenedLink> findOpenedOtp(db::Connection& connection, const Uuid& otpId);

// Whether the receipt of this verified code was not spent yet, inside the caller's transaction: it is now.
bool spendReceipt(db::Connection& connection, const Uuid& otpId, domain::Purpose purpose, Timestamp now);
// Where a verified code of this purpose was sent, while its receipt is not spent.
std::optional<domain::Destination> findProved(db::Connection& connection, const Uuid& otpId, domain::Purpose purpose);

}  // namespace otpgate::store
