#include "store/rate_limits.h"

#include <stdexcept>

namespace otpgate::store {

namespace {

const db::LookUp kLookUp("SELECT " + std::string{kBucketColumns} +
                             " FROM rate_limits b /*! FORCE INDEX (PRIMARY) */ WHERE",
                         "b.bucket = ?", db::Locking::Wait);
const auto kInsertLimit =
    db::RowStatement::insert("rate_limits", {"bucket", "hits", "expires_at_us", "refused_at_us", "failures"});
const auto kUpdate =
    db::RowStatement::update("rate_limits", {"hits", "expires_at_us", "refused_at_us", "failures"}, "bucket");

domain::Bucket readBucket(const db::Row& row, std::size_t first) {
    return {row.text(first + 1), row.timestamp(first + 2), row.timestamp(first + 3),
            static_cast<unsigned>(row.integer(first + 4))};
}

}  // namespace

Buckets::Buckets(db::Connection& connection, std::initializer_list<std::string_view> ids) {
    for (const std::string_view id : ids) want(id);
    read(connection.lookUp({lookUp()}).front());
}

db::KeyedLookUp Buckets::lookUp() const {
    db::KeyedLookUp lookUp{kLookUp, {}};
    lookUp.values.reserve(rows_.size());
    for (const auto& [id, held] : rows_) lookUp.values.push_back(db::Param::blob(id));
    return lookUp;
}

void Buckets::read(const std::vector<db::Row>& rows) {
    for (const db::Row& row : rows) add(row.text(0), row, 0);
}

void Buckets::add(std::string_view id, const db::Row& row, std::size_t first) {
    Held& held = rows_.try_emplace(std::string{id}).first->second;
    if (row.isNull(first) || held.isThere) return;
    held.isThere = true;
    held.before = held.now = readBucket(row, first);
}

domain::Bucket& Buckets::at(std::string_view id) {
    const auto found = rows_.find(id);
    if (found == rows_.end()) throw std::logic_error("a bucket that was not looked up");
    return found->second.now;
}

void Buckets::hold(std::string_view id) {
    rows_.find(id)->second.isHeld = true;
}

bool Buckets::hasChanged(const Held& held) {
    return held.before.hits() != held.now.hits() || held.before.refusedAt() != held.now.refusedAt() ||
           held.before.failures() != held.now.failures();
}

void Buckets::write(db::Connection& connection) const {
    for (const auto& [id, held] : rows_) {
        if (!held.isThere || !hasChanged(held)) continue;
        connection.write(kUpdate, {db::Param::blob(held.now.hits()), held.now.expiresAt(), held.now.refusedAt(),
                                   held.now.failures(), db::Param::blob(id)});
    }
    for (const auto& [id, held] : rows_) {
        if (held.isThere || !(held.isHeld || hasChanged(held))) continue;
        connection.write(kInsertLimit, {db::Param::blob(id), db::Param::blob(held.now.hits()), held.now.expiresAt(),
                                        held.now.refusedAt(), held.now.failures()});
    }
}

}  // namespace otpgate::store
