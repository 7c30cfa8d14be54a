#include "store/key_holder_store.h"

#include "otpgate/base/text.h"

#include <sstream>

namespace otpgate::store {

std::vector<domain::KeyHolder> KeyHolderTable::list() {
    std::vector<domain::KeyHolder> holders;
    for (const db::Row& row : connection_.query("SELECT id, host, fingerprints, seen_at_us FROM key_holders")) {
        domain::KeyHolder holder{row.uuid(0), row.text(1), {}, row.timestamp(3)};
        std::istringstream words(row.text(2));
        for (std::string word; words >> word;) holder.fingerprints.push_back(word);
        holders.push_back(std::move(holder));
    }
    return holders;
}

void KeyHolderTable::note(const domain::KeyHolder& holder, Timestamp goneSince) {
    const std::string fingerprints = joined(holder.fingerprints, " ");
    connection_.transact([&] {
        connection_.execute("DELETE FROM key_holders WHERE id = ? OR seen_at_us < ?", {holder.id, goneSince});
        connection_.execute("INSERT INTO key_holders (id, host, fingerprints, seen_at_us) VALUES (?, ?, ?, ?)",
                            {holder.id, holder.host, fingerprints, holder.seenAt});
    });
}

void KeyHolderTable::forget(const Uuid& id) {
    connection_.execute("DELETE FROM key_holders WHERE id = ?", {id});
}

}  // namespace otpgate::store
