#include "store/otp_requests.h"

#include "otpgate/domain/otp_rules.h"
#include "store/words.h"

namespace otpgate::store {

namespace {

std::optional<Uuid> findNewestInLane(db::Connection& connection, const domain::Destination& destination,
                                     domain::Purpose purpose, const Uuid& lane, Timestamp since, Timestamp now) {
    const Uuid oldest = Uuid::lowestV7(since);
    // Not the newest id: of two requests at the same moment the one with the older id may commit last and void the
    // other, and hosts' clocks differ. Not the last to expire: a used one may, where codes have come to live shorter.
    const auto row = connection.queryOne(
        "SELECT id FROM otp_requests WHERE destination = ? AND purpose = ?"
        " AND lane = ? AND id >= ?"
        " ORDER BY consumed_at_us IS NULL AND expires_at_us > ? DESC, expires_at_us DESC, id DESC LIMIT 1",
        {destination.value(), domain::toString(purpose), lane, oldest, now});
    if (!row) return std::nullopt;
    return row->uuid(0);
}

}  // namespace

std::optional<Uuid> findNewestOtp(db::Connection& connection, const domain::Destination& destination,
                                  domain::Purpose purpose, const domain::ShownDevice& device, Timestamp since,
                                  Timestamp now) {
    if (device) {
        if (auto own = findNewestInLane(connection, destination, purpose, *device, since, now)) return own;
    }
    return findNewestInLane(connection, destination, purpose, domain::kStrangersLane, since, now);
}

std::optional<domain::OpenedLink> findOpenedOtp(db::Connection& connection, const Uuid& otpId) {
    const auto row = connection.queryOne(
        "SELECT o.channel, o.destination, o.purpose, o.consumed_at_us, o.expires_at_us, o.attempts, o.max_attempts,"
        " COALESCE(b.failures, 0)"
        " FROM otp_requests o LEFT JOIN rate_limits b ON b.bucket = o.guess_bucket WHERE o.id = ?",
        {otpId});
    if (!row) return std::nullopt;
    return domain::OpenedLink{.destination = domain::Destination::fromStored(parseChannel(row->text(0)), row->text(1)),
                              .purpose = parsePurpose(row->text(2)),
                              .consumedAt = row->optionalTimestamp(3),
                              .expiresAt = row->timestamp(4),
                              .hasTriesLeft = row->integer(5) < row->integer(6),
                              .failures = static_cast<unsigned>(row->integer(7))};
}

bool spendReceipt(db::Connection& connection, const Uuid& otpId, domain::Purpose purpose, Timestamp now) {
    return connection.execute(
               "UPDATE otp_requests SET redeemed_at_us = ?"
               " WHERE id = ? AND purpose = ? AND consumed_at_us IS NOT NULL AND redeemed_at_us IS NULL",
               {now, otpId, domain::toString(purpose)}) > 0;
}

std::optional<domain::Destination> findProved(db::Connection& connection, const Uuid& otpId, domain::Purpose purpose) {
    const auto row = connection.queryOne(
        "SELECT channel, destination FROM otp_requests"
        " WHERE id = ? AND purpose = ? AND consumed_at_us IS NOT NULL AND redeemed_at_us IS NULL",
        {otpId, domain::toString(purpose)});
    if (!row) return std::nullopt;
    return domain::Destination::fromStored(parseChannel(row->text(0)), row->text(1));
}

}  // namespace otpgate::store
