#include "store/otp_requests.h"

namespace otpgate::store {

std::optional<Uuid> findNewestOtp(db::Connection& connection, const domain::Destination& destination,
                                  domain::Purpose purpose, Timestamp since) {
    const Uuid oldest = Uuid::lowestV7(since);
    const auto row = connection.queryOne(
        "SELECT id FROM otp_requests WHERE destination = ? AND purpose = ? AND id >= ?"
        " ORDER BY id DESC LIMIT 1",
        {destination.value(), domain::toString(purpose), oldest});
    if (!row) return std::nullopt;
    return row->uuid(0);
}

}  // namespace otpgate::store
