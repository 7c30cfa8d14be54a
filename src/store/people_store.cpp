#include "store/people_store.h"

#include "otpgate/base/text.h"
#include "store/audit_events.h"
#include "store/batches.h"
#include "store/factors.h"
#include "store/notices.h"
#include "store/outbox_admin_store.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"
#include "store/session_store.h"
#include "store/users.h"

#include <algorithm>
#include <map>

namespace otpgate::store {

using domain::SearchField;

namespace {

// Behind every text that begins with the prefix: the last character that there is.
constexpr std::string_view kLastCharacter = "\xf4\x8f\xbf\xbf";
constexpr unsigned kMostDevices = 100;
constexpr std::size_t kIdCharacters = 36;

std::string_view columnOf(SearchField field) {
    switch (field) {
    case SearchField::Username: return "unique_name";
    case SearchField::Email: return "email";
    case SearchField::PhoneNumber: return "phone_number";
    case SearchField::Id: break;
    }
    return "id";
}

// The id that a prefix of its text begins, filled up with this digit.
Uuid filledUp(std::string_view prefix, char digit) {
    std::string text{prefix};
    constexpr std::string_view kShape = "00000000-0000-0000-0000-000000000000";
    for (std::size_t i = text.size(); i < kShape.size(); ++i) text += kShape[i] == '-' ? '-' : digit;
    return Uuid::parse(text).value_or(Uuid{});
}

constexpr bool isDashPlace(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

// A bound of the ids whose texts stand behind this one, which may be no id but begins as one does.
Uuid lastBefore(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (const auto id = Uuid::parse(text)) return *id;
    std::size_t same = 0;
    const auto fits = [&] {
        return isDashPlace(same) ? text[same] == '-' : kDigits.find(text[same]) != std::string_view::npos;
    };
    while (same < text.size() && same < kIdCharacters && fits()) ++same;
    const std::string_view begin = text.substr(0, same);
    if (same == text.size()) return filledUp(begin, '0');
    if (same == kIdCharacters) return filledUp(begin, 'f');
    if (isDashPlace(same)) return filledUp(begin, text[same] > '-' ? 'f' : '0');
    // The digits before the character that is none.
    const auto smaller =
        static_cast<std::size_t>(std::ranges::count_if(kDigits, [&](char c) { return c < text[same]; }));
    if (smaller == 0) return filledUp(begin, '0');
    return filledUp(std::string{begin} + kDigits[smaller - 1], 'f');
}

std::vector<domain::FoundUser> readFound(const std::vector<db::Row>& rows) {
    std::vector<domain::FoundUser> found;
    found.reserve(rows.size());
    for (const db::Row& row : rows) {
        domain::User user = readUser(row, 0);
        std::string value = row.isNull(kUserColumnCount) ? user.id.toString() : row.text(kUserColumnCount);
        found.push_back({std::move(user), std::move(value)});
    }
    return found;
}

std::vector<db::Param> paramsOf(const std::vector<std::string>& texts) {
    std::vector<db::Param> params;
    params.reserve(texts.size() + 1);
    for (const std::string& text : texts) params.emplace_back(std::string_view{text});
    return params;
}

}  // namespace

std::vector<domain::FoundUser> PeopleTables::find(SearchField field, std::string_view prefix, std::string_view after,
                                                  unsigned limit) {
    const std::string columns = "SELECT " + std::string{kUserColumns} + ", ";
    const std::string column = "u." + std::string{columnOf(field)};
    const std::string from = " FROM users u WHERE ";
    if (field == SearchField::Id) {
        const Uuid end = filledUp(prefix, 'f');
        // What was shown last may be the value of another field, which stands among the texts of the ids as such.
        const bool isBehindPrefix = after.starts_with(prefix);
        if (!isBehindPrefix && after > prefix) return {};
        const Uuid last = isBehindPrefix ? lastBefore(after) : Uuid{};
        const Uuid begin = filledUp(prefix, '0');
        const std::string sql = columns + "NULL" + from + "u.id >= ? AND u.id <= ? AND u.id > ? ORDER BY u.id LIMIT ?";
        return readFound(connection_.query(sql, {begin, end, last, limit}));
    }
    const std::string beyond = std::string{prefix} + std::string{kLastCharacter};
    const std::string sql = columns + column + from + column + " >= ? AND " + column + " < ? AND " + column +
                            " > ? ORDER BY " + column + " LIMIT ?";
    return readFound(connection_.query(sql, {prefix, std::string_view{beyond}, after, limit}));
}

std::vector<domain::User> PeopleTables::newest(const std::optional<Uuid>& before, unsigned limit) {
    static const std::string sql =
        "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.id < ? ORDER BY u.id DESC LIMIT ?";
    const Uuid end = before.value_or(kLastId);
    std::vector<domain::User> users;
    for (const db::Row& row : connection_.query(sql, {end, limit})) users.push_back(readUser(row, 0));
    return users;
}

std::vector<domain::KnownDevice> PeopleTables::listDevices(const Uuid& userId) {
    std::vector<domain::KnownDevice> devices;
    for (const db::Row& row : connection_.query(
             "SELECT id, install_id, platform, app_version, device_name, created_at_us, last_seen_at_us FROM devices"
             " WHERE user_id = ? AND revoked_at_us IS NULL ORDER BY id DESC LIMIT ?",
             {userId, kMostDevices})) {
        devices.push_back(
            {row.uuid(0), {row.text(1), row.text(2), row.text(3), row.text(4)}, row.timestamp(5), row.timestamp(6)});
    }
    return devices;
}

std::vector<std::string> PeopleTables::hits(const std::vector<std::string>& buckets) {
    if (buckets.empty()) return {};
    std::vector<db::Param> params;
    params.reserve(buckets.size());
    for (const std::string& bucket : buckets) params.push_back(db::Param::blob(bucket));
    std::map<std::string, std::string> counted;
    for (const db::Row& row : connection_.query(
             "SELECT bucket, hits FROM rate_limits WHERE bucket IN (" + repeated("?", buckets.size()) + ")",
             db::Connection::Params{params})) {
        counted[row.text(0)] = row.text(1);
    }
    std::vector<std::string> all;
    all.reserve(buckets.size());
    for (const std::string& bucket : buckets) all.push_back(counted[bucket]);
    return all;
}

void PeopleTables::clear(const domain::LimitClearing& clearing) {
    connection_.transact([&] {
        for (const std::string& bucket : clearing.buckets) {
            connection_.execute("DELETE FROM rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
        }
        insertAuditEvent(connection_, {clearing.auditId, domain::AuditEvent::LimitsCleared, clearing.userId,
                                       std::nullopt, clearing.client, clearing.now});
        return true;
    });
}

domain::FactorReset PeopleTables::resetFactors(const domain::FactorResetting& resetting) {
    return connection_.transact([&]() -> domain::FactorReset {
        // Whoever adds one at the same time comes before, and loses it, or after, and has no session any more.
        const auto user = lockUser(connection_, resetting.userId);
        if (!user) return {};
        domain::FactorReset reset{.isUser = true};
        reset.removed =
            static_cast<unsigned>(connection_.execute("DELETE FROM passkeys WHERE user_id = ?", {resetting.userId}));
        const bool isPasskey = reset.removed > 0;
        reset.removed +=
            static_cast<unsigned>(connection_.execute("DELETE FROM totps WHERE user_id = ?", {resetting.userId}));
        if (reset.removed == 0) return reset;
        connection_.execute("DELETE FROM recovery_codes WHERE user_id = ?", {resetting.userId});
        noteFactors(connection_, resetting.userId);
        endSessions(connection_, resetting.userId, std::nullopt, "factors_reset", resetting.now);
        insertAuditEvent(connection_, {resetting.auditId, domain::AuditEvent::FactorsReset, resetting.userId,
                                       std::nullopt, resetting.client, resetting.now});
        reset.notice = writeNotice(connection_, isPasskey ? resetting.notice : resetting.noticeWithoutPasskeys, *user);
        return reset;
    });
}

void PeopleTables::audit(const domain::AccountAct& act) {
    connection_.transact([&] {
        insertAuditEvent(connection_, {act.auditId, act.event, act.userId, std::nullopt, act.client, act.now});
    });
}

domain::TestRequested PeopleTables::askForTest(const domain::TestRequest& request) {
    const auto work = [&]() -> domain::TestRequested {
        Buckets buckets(connection_, {request.bucket});
        domain::Bucket& bucket = buckets.at(request.bucket);
        const bool isAllowed = bucket.take(request.rule, request.now);
        buckets.hold(request.bucket);
        buckets.write(connection_);
        if (isAllowed) {
            insertAuditEvent(connection_, {request.auditId, domain::AuditEvent::TestMessageRequested, std::nullopt,
                                           request.recipient.value(), request.client, request.now});
        }
        return {isAllowed, bucket.hits()};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

std::vector<domain::OutboxEntry> PeopleTables::messagesTo(const std::vector<std::string>& addresses, unsigned limit,
                                                          Timestamp now) {
    if (addresses.empty()) return {};
    auto params = paramsOf(addresses);
    params.emplace_back(limit);
    const std::string sql =
        selectEntries() + "destination IN (" + repeated("?", addresses.size()) + ") ORDER BY id DESC LIMIT ?";
    std::vector<domain::OutboxEntry> entries;
    for (const db::Row& row : connection_.query(sql, db::Connection::Params{params})) {
        // What stands for an account that does not exist is nobody's message.
        domain::OutboxEntry entry = entryOf(row, now);
        if (!entry.message.isDiscarded) entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace otpgate::store
