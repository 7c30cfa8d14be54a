#include "otpgate/store/adopt_usernames.h"

#include "otpgate/base/text.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/domain/username.h"
#include "store/users.h"

#include <optional>
#include <string>
#include <vector>

namespace otpgate::store {

namespace {

constexpr unsigned kBatch = 500;

struct OldName {
    Uuid userId;
    std::string name;
};

// Those that no migration has decided about, and that are named by something else than their address.
std::vector<OldName> findOldNames(db::Connection& connection, const Uuid& after) {
    std::vector<OldName> names;
    for (const db::Row& row : connection.query(
             "SELECT id, username FROM users WHERE id > ? AND display_name IS NULL AND username <> ''"
             " AND username <> COALESCE(email, '') AND username <> COALESCE(phone_number, '') ORDER BY id LIMIT ?",
             {after, kBatch})) {
        names.push_back({row.uuid(0), row.text(1)});
    }
    return names;
}

bool isAddress(std::string_view name) {
    return name.find('@') != std::string_view::npos ||
           domain::Destination::parse(name, domain::EmailValidation::International);
}

enum class Fate { Kept, Address, Unfit, Reserved, Taken };

Fate adopt(db::Connection& connection, const OldName& old, Timestamp now) {
    const bool isNoName = isAddress(old.name);
    std::string display = isNoName ? "" : domain::parsePersonName(old.name).value_or("");
    auto name = isNoName ? std::nullopt : domain::parseUsername(old.name);
    Fate fate = isNoName ? Fate::Address : Fate::Kept;
    if (!isNoName && !name) fate = Fate::Unfit;
    if (name && domain::isReservedUsername(*name)) fate = Fate::Reserved;
    if (fate == Fate::Kept && !claimUsername(connection, *name, old.userId, now)) fate = Fate::Taken;
    if (fate != Fate::Kept) name.reset();
    if (name == display) display.clear();
    connection.execute("UPDATE users SET unique_name = COALESCE(unique_name, ?), display_name = ? WHERE id = ?",
                       {name, display, old.userId});
    return fate;
}

// nullopt: another host was faster, or the account is gone.
std::optional<Fate> adoptOnce(db::Connection& connection, const OldName& old, Timestamp now) {
    return connection.transact([&]() -> std::optional<Fate> {
        const auto user = lockUser(connection, old.userId);
        const auto undecided =
            connection.queryOne("SELECT id FROM users WHERE id = ? AND display_name IS NULL", {old.userId});
        if (!user || user->username || !undecided) return std::nullopt;
        return adopt(connection, old, now);
    });
}

}  // namespace

AdoptedNames adoptUsernames(
    db::Connection& connection, Timestamp now,
    const std::function<void(const Uuid& userId, std::string_view name, std::string_view reason)>& report) {
    AdoptedNames adopted;
    Uuid last;
    for (auto names = findOldNames(connection, last); !names.empty(); names = findOldNames(connection, last)) {
        for (const OldName& old : names) {
            last = old.userId;
            const auto fate = adoptOnce(connection, old, now);
            if (!fate) continue;
            switch (*fate) {
            case Fate::Kept: ++adopted.kept; continue;
            case Fate::Address: ++adopted.addresses; continue;
            case Fate::Unfit: report(old.userId, old.name, "does not fit"); break;
            case Fate::Reserved: report(old.userId, old.name, "reserved"); break;
            case Fate::Taken: report(old.userId, old.name, "another account's"); break;
            }
            ++adopted.displayed;
        }
    }
    return adopted;
}

}  // namespace otpgate::store
