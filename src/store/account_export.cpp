// What the tables hold of one person. A column that is left out here is named, with its reason, in
// tests/e2e/test_export.py, which takes the tables from the schema.
#include "store/account_store.h"

#include <array>
#include <span>

namespace otpgate::store {

namespace {

using domain::ExportSection;
using domain::ExportValue;

enum class Kind { Text, Id, Number, Time };

struct Column {
    std::string_view name;    // for readers
    std::string_view column;  // of the table
    Kind kind = Kind::Text;
};

struct Table {
    std::string_view section;
    std::string_view from;  // with the condition, up to its value
    std::span<const Column> columns;
};

constexpr std::array kPasswords{Column{"changed_at", "password_changed_at_us", Kind::Time}};
constexpr std::array kTimeZones{Column{"name", "time_zone"}};
constexpr std::array kWantedFactors{Column{"since", "factor_wanted_since_us", Kind::Time}};
constexpr std::array kSessions{Column{"id", "id", Kind::Id},
                               Column{"created_at", "created_at_us", Kind::Time},
                               Column{"last_seen_at", "last_seen_at_us", Kind::Time},
                               Column{"expires_at", "expires_at_us", Kind::Time},
                               Column{"authenticated_at", "authenticated_at_us", Kind::Time},
                               Column{"methods", "amr"},
                               Column{"revoked_at", "revoked_at_us", Kind::Time},
                               Column{"revoked_reason", "revoked_reason"},
                               Column{"ip", "ip_address"},
                               Column{"user_agent", "user_agent"},
                               Column{"device_id", "device_id", Kind::Id},
                               Column{"install_id", "install_id"},
                               Column{"platform", "platform"},
                               Column{"app_version", "app_version"},
                               Column{"device_name", "device_name"}};
constexpr std::array kDevices{Column{"id", "id", Kind::Id},
                              Column{"install_id", "install_id"},
                              Column{"platform", "platform"},
                              Column{"app_version", "app_version"},
                              Column{"device_name", "device_name"},
                              Column{"created_at", "created_at_us", Kind::Time},
                              Column{"last_seen_at", "last_seen_at_us", Kind::Time},
                              Column{"revoked_at", "revoked_at_us", Kind::Time},
                              Column{"trusted_since", "trusted_since_us", Kind::Time}};
constexpr std::array kApiKeys{Column{"id", "id", Kind::Id},
                              Column{"name", "name"},
                              Column{"prefix", "prefix"},
                              Column{"scopes", "scopes"},
                              Column{"send_limit", "send_limit"},
                              Column{"created_at", "created_at_us", Kind::Time},
                              Column{"expires_at", "expires_at_us", Kind::Time},
                              Column{"last_used_at", "last_used_at_us", Kind::Time},
                              Column{"revoked_at", "revoked_at_us", Kind::Time}};
constexpr std::array kPasskeys{Column{"id", "id", Kind::Id},
                               Column{"name", "name"},
                               Column{"authenticator", "aaguid", Kind::Id},
                               Column{"transports", "transports"},
                               Column{"uses", "sign_count", Kind::Number},
                               Column{"backup_eligible", "backup_eligible", Kind::Number},
                               Column{"backed_up", "backed_up", Kind::Number},
                               Column{"verifies_user", "verifies_user", Kind::Number},
                               Column{"created_at", "created_at_us", Kind::Time},
                               Column{"last_used_at", "last_used_at_us", Kind::Time}};
constexpr std::array kTotps{Column{"id", "id", Kind::Id}, Column{"name", "name"},
                            Column{"created_at", "created_at_us", Kind::Time},
                            Column{"last_used_at", "last_used_at_us", Kind::Time}};
constexpr std::array kRecoveryCodes{
    Column{"number", "number", Kind::Number}, Column{"created_at", "created_at_us", Kind::Time},
    Column{"confirmed", "confirmed", Kind::Number}, Column{"used_at", "used_at_us", Kind::Time}};
constexpr std::array kGroups{Column{"name", "group_name"}, Column{"added_at", "added_at_us", Kind::Time}};
constexpr std::array kApplications{Column{"id", "id", Kind::Id},
                                   Column{"client", "client_id"},
                                   Column{"scopes", "scopes"},
                                   Column{"session_id", "session_id", Kind::Id},
                                   Column{"methods", "amr"},
                                   Column{"authenticated_at", "authenticated_at_us", Kind::Time},
                                   Column{"created_at", "created_at_us", Kind::Time},
                                   Column{"redeemed_at", "redeemed_at_us", Kind::Time},
                                   Column{"expires_at", "expires_at_us", Kind::Time},
                                   Column{"ended_at", "ended_at_us", Kind::Time}};
constexpr std::array kConsents{Column{"client", "client_id"}, Column{"scopes", "scopes"},
                               Column{"granted_at", "granted_at_us", Kind::Time}};
constexpr std::array kUsernames{Column{"name", "name"}, Column{"taken_at", "taken_at_us", Kind::Time}};
constexpr std::array kCodes{Column{"destination", "destination"},
                            Column{"channel", "channel"},
                            Column{"purpose", "purpose"},
                            Column{"created_at", "created_at_us", Kind::Time},
                            Column{"expires_at", "expires_at_us", Kind::Time},
                            Column{"attempts", "attempts", Kind::Number},
                            Column{"max_attempts", "max_attempts", Kind::Number},
                            Column{"consumed_at", "consumed_at_us", Kind::Time},
                            Column{"redeemed_at", "redeemed_at_us", Kind::Time},
                            Column{"methods", "amr"}};
constexpr std::array kMessages{Column{"kind", "kind"},
                               Column{"destination", "destination"},
                               Column{"channel", "channel"},
                               Column{"purpose", "purpose"},
                               Column{"locale", "locale"},
                               Column{"created_at", "created_at_us", Kind::Time},
                               Column{"expires_at", "expires_at_us", Kind::Time},
                               Column{"attempts", "attempts", Kind::Number},
                               Column{"last_error", "last_error"},
                               Column{"dead_at", "dead_at_us", Kind::Time},
                               Column{"ip", "ip_address"},
                               Column{"device", "device"},
                               Column{"changed_address", "changed_address"},
                               Column{"time_zone", "time_zone"},
                               Column{"codes_left", "codes_left", Kind::Number}};

constexpr std::array kOfUser{
    Table{"passwords", "users WHERE password_hash IS NOT NULL AND id = ?", kPasswords},
    Table{"time_zones", "users WHERE time_zone <> '' AND id = ?", kTimeZones},
    Table{"wanted_factors", "users WHERE factor_wanted_since_us IS NOT NULL AND id = ?", kWantedFactors},
    Table{"sessions", "sessions WHERE user_id = ?", kSessions},
    Table{"devices", "devices WHERE user_id = ?", kDevices},
    Table{"api_keys", "api_keys WHERE user_id = ?", kApiKeys},
    Table{"passkeys", "passkeys WHERE user_id = ?", kPasskeys},
    Table{"authenticators", "totps WHERE user_id = ?", kTotps},
    Table{"recovery_codes", "recovery_codes WHERE user_id = ?", kRecoveryCodes},
    Table{"groups", "group_members WHERE user_id = ?", kGroups},
    Table{"applications", "oidc_grants WHERE user_id = ?", kApplications},
    Table{"consents", "oidc_consents WHERE user_id = ?", kConsents},
    Table{"usernames", "usernames WHERE user_id = ?", kUsernames},
};
constexpr std::array kOfAddress{
    Table{"codes", "otp_requests WHERE destination = ?", kCodes},
    Table{"messages", "outbox WHERE discard = 0 AND destination = ?", kMessages},
};

ExportValue read(const db::Row& row, std::size_t index, Kind kind) {
    if (row.isNull(index)) return {};
    switch (kind) {
    case Kind::Text: return row.text(index);
    case Kind::Id: return row.uuid(index).toString();
    case Kind::Number: return row.integer(index);
    case Kind::Time: return row.timestamp(index);
    }
    return {};
}

void addRows(db::Connection& connection, const Table& table, const db::Param& whose, ExportSection& section) {
    std::string sql = "SELECT ";
    for (const Column& column : table.columns) {
        if (&column != table.columns.data()) sql += ", ";
        sql += column.column;
    }
    sql += " FROM " + std::string{table.from};
    for (const db::Row& row : connection.query(sql, {whose})) {
        auto& values = section.rows.emplace_back();
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            values.emplace_back(table.columns[i].name, read(row, i, table.columns[i].kind));
        }
    }
}

}  // namespace

std::vector<ExportSection> AccountTable::exportOf(const Uuid& userId, std::span<const std::string> addresses) {
    std::vector<ExportSection> sections;
    for (const Table& table : kOfUser) {
        ExportSection& section = sections.emplace_back(ExportSection{table.section, {}});
        addRows(connection_, table, userId, section);
    }
    for (const Table& table : kOfAddress) {
        ExportSection& section = sections.emplace_back(ExportSection{table.section, {}});
        for (const std::string& address : addresses) addRows(connection_, table, address, section);
    }
    return sections;
}

}  // namespace otpgate::store
