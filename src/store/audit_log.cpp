#include "store/audit_log.h"

#include "store/batches.h"

#include <algorithm>

namespace otpgate::store {

namespace {

constexpr std::string_view kEventColumns =
    "e.id, e.event, e.user_id, e.destination, e.ip_address, e.user_agent, e.request_id, e.metadata, e.created_at_us";

domain::AuditEntry readEntry(const db::Row& row) {
    return {.id = row.uuid(0),
            .event = row.text(1),
            .userId = row.optionalUuid(2),
            .destination = row.optionalText(3),
            .ipAddress = row.optionalText(4),
            .userAgent = row.optionalText(5),
            .requestId = row.optionalText(6),
            .metadata = row.optionalText(7).value_or("{}"),
            .createdAt = row.timestamp(8)};
}

// What a filter says in SQL: one SELECT of ids for each index that finds its share of the rows, newest first and cut at
// `most`. Together they are all rows, and no row twice. An OR in one WHERE would make the engines read and sort all
// that either side finds.
class Selection {
public:
    Selection(const domain::AuditFilter& filter, const std::optional<Uuid>& olderThan, unsigned most)
        : filter_(filter),
          most_(most) {
        if (filter.since) lowest_ = Uuid::lowestV7(*filter.since);
        if (filter.before) end_ = Uuid::lowestV7(*filter.before);
        if (olderThan) end_ = std::min(end_, *olderThan);
        if (!filter.scope) {
            addShare(lowest_, "", {});
            return;
        }
        const Uuid& user = filter.scope->userId;
        addShare(lowest_, " AND user_id = ?", {user});
        lowestOfAddresses_ = std::max(lowest_, Uuid::lowestV7(filter.scope->addressesSince));
        for (const std::string& address : filter.scope->addresses) {
            // An address that came to the account later was somebody else's until then.
            addShare(lowestOfAddresses_,
                     " AND user_id IS NULL AND destination = ? AND id > COALESCE((SELECT MAX(id) FROM audit_events"
                     " WHERE user_id = ? AND destination = ? AND event = ?), ?)",
                     {address, user, address, domain::toString(domain::AuditEvent::AddressChanged), kNone});
        }
    }
    // The parameters look at this object and at the filter.
    Selection(const Selection&) = delete;
    Selection& operator=(const Selection&) = delete;

    const std::string& sql() const { return sql_; }
    const std::vector<db::Param>& params() const { return params_; }

private:
    void addShare(const Uuid& lowest, std::string_view condition, const std::vector<db::Param>& values) {
        if (!sql_.empty()) sql_ += " UNION ALL ";
        sql_ += "SELECT id FROM (SELECT id FROM audit_events WHERE id >= ? AND id < ?";
        params_.insert(params_.end(), {lowest, end_});
        sql_ += condition;
        params_.insert(params_.end(), values.begin(), values.end());
        if (filter_.event) {
            sql_ += " AND event = ?";
            params_.emplace_back(domain::toString(*filter_.event));
        }
        if (filter_.destination) {
            sql_ += " AND destination = ?";
            params_.emplace_back(*filter_.destination);
        }
        sql_ += " ORDER BY id DESC LIMIT ?) share" + std::to_string(++shares_);
        params_.emplace_back(most_);
    }

    static constexpr Uuid kNone{};

    const domain::AuditFilter& filter_;
    const unsigned most_;
    Uuid lowest_;
    Uuid lowestOfAddresses_;
    Uuid end_ = kLastId;
    std::string sql_;
    std::vector<db::Param> params_;
    int shares_ = 0;
};

}  // namespace

std::vector<domain::AuditEntry> AuditLog::page(const domain::AuditFilter& filter, unsigned offset, unsigned limit) {
    return read(filter, std::nullopt, offset, limit);
}

std::vector<domain::AuditEntry> AuditLog::next(const domain::AuditFilter& filter, const std::optional<Uuid>& olderThan,
                                               unsigned limit) {
    return read(filter, olderThan, 0, limit);
}

std::vector<domain::AuditEntry> AuditLog::read(const domain::AuditFilter& filter, const std::optional<Uuid>& olderThan,
                                               unsigned offset, unsigned limit) {
    const Selection selection(filter, olderThan, offset + limit);
    // Whole rows are read for the page alone, not for the pages before it.
    const std::string sql = "SELECT " + std::string{kEventColumns} + " FROM (SELECT id FROM (" + selection.sql() +
                            ") shares ORDER BY id DESC LIMIT ? OFFSET ?) found JOIN audit_events e ON e.id = found.id"
                            " ORDER BY e.id DESC";
    auto params = selection.params();
    params.insert(params.end(), {limit, offset});
    std::vector<domain::AuditEntry> entries;
    for (const db::Row& row : connection_.query(sql, db::Connection::Params{params})) {
        entries.push_back(readEntry(row));
    }
    return entries;
}

std::uint64_t AuditLog::count(const domain::AuditFilter& filter, unsigned most) {
    const Selection selection(filter, std::nullopt, most);
    const auto rows = connection_.query("SELECT COUNT(*) FROM (" + selection.sql() + ") shares",
                                        db::Connection::Params{selection.params()});
    return std::min<std::uint64_t>(static_cast<std::uint64_t>(rows.at(0).integer(0)), most);
}

}  // namespace otpgate::store
