#include "store/otp_requests.h"

namespace otpgate::store {

namespace {

std::optional<Uuid> findNewestInLane(db::Connection& connection, const domain::Destination& destination,
                                     domain::Purpose purpose, const Uuid& lane, Timestamp since) {
    const Uuid oldest = Uuid::lowestV7(since);
    const auto row = connection.queryOne(
        "SELECT id FROM otp_requests WHERE destination = ? AND purpose = ?"
        " AND lane = ? AND id >= ? ORDER BY id DESC LIMIT 1",
        {destination.value(), domain::toString(purpose), lane, oldest});
    if (!row) return std::nullopt;
    return row->uuid(0);
}

}  // namespace

std::optional<Uuid> findNewestOtp(db::Connection& connection, const domain::Destination& destination,
                                  domain::Purpose purpose, const domain::ShownDevice& device, Timestamp since) {
    if (device) {
        if (auto own = findNewestInLane(connection, destination, purpose, *device, since)) return own;
    }
    return findNewestInLane(connection, destination, purpose, kStrangers, since);
}

}  // namespace otpgate::store
