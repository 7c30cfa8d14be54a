#include "otpgate/domain/signing_keys.h"

#include "otpgate/base/errors.h"

#include <algorithm>

namespace otpgate::domain {

std::string_view toString(KeyState state) {
    switch (state) {
    case KeyState::Next: return "next";
    case KeyState::Current: return "current";
    case KeyState::Former: return "former";
    }
    return {};
}

std::vector<KeyState> statesOf(const std::vector<Timestamp>& activeFrom, Timestamp now) {
    std::vector<KeyState> states;
    states.reserve(activeFrom.size());
    for (std::size_t i = 0; i < activeFrom.size(); ++i) {
        const bool isLast = i + 1 == activeFrom.size() || activeFrom[i + 1] > now;
        states.push_back(activeFrom[i] > now ? KeyState::Next : isLast ? KeyState::Current : KeyState::Former);
    }
    return states;
}

SigningKeys::SigningKeys(const crypto::KeyRing& ring, std::chrono::seconds tokenLifetime,
                         crypto::SigningAlgorithm algorithm)
    : ring_(ring),
      tokenLifetime_(tokenLifetime),
      algorithm_(algorithm),
      entries_(std::make_shared<const Entries>()) {}

StoredSigningKey SigningKeys::makeKey(std::int64_t sequence, Timestamp now, Timestamp activeFrom,
                                      Random& random) const {
    const std::string keyId = Uuid::makeV7(now, random).toString();
    const crypto::SigningKey key = crypto::SigningKey::generate(keyId, algorithm_);
    return {sequence, keyId, crypto::seal(ring_, key.toPem(), keyId, random), now, activeFrom};
}

void SigningKeys::reload(SigningKeyStore& store, Random& random, Timestamp now) {
    auto stored = store.list();
    if (stored.empty()) {
        // Of two processes that start at once, one wins the sequence; both then read the same key.
        store.add(makeKey(1, now, now, random));
        stored = store.list();
    }
    // Opening a key costs a hundred times what comparing its id does: keep the ones that are open.
    const auto known = snapshot();
    auto entries = std::make_shared<Entries>();
    std::vector<std::string> unopened;
    for (const StoredSigningKey& row : stored) {
        const auto same =
            std::find_if(known->begin(), known->end(), [&](const Entry& e) { return e.key->id() == row.keyId; });
        if (same != known->end()) {
            entries->push_back(*same);
            continue;
        }
        const auto pem = crypto::open(ring_, row.sealedPem, row.keyId);
        if (!pem) {
            unopened.push_back(row.keyId);
            continue;
        }
        entries->push_back(
            {row.sequence, row.activeFrom,
             std::make_shared<const crypto::SigningKey>(crypto::SigningKey::fromPem(row.keyId, *pem, algorithm_))});
    }
    if (entries->empty()) {
        throw ConfigurationError("signing key " + unopened.front() +
                                 " does not open: the master key file is not the one that sealed it");
    }
    const std::lock_guard lock(mutex_);
    entries_ = std::move(entries);
    unopened_ = std::move(unopened);
}

std::vector<std::string> SigningKeys::unopened() const {
    const std::lock_guard lock(mutex_);
    return unopened_;
}

bool SigningKeys::rotate(SigningKeyStore& store, Random& random, Timestamp now) const {
    const auto stored = store.list();
    if (!stored.empty() && stored.back().activeFrom > now) return false;
    const std::int64_t sequence = stored.empty() ? 1 : stored.back().sequence + 1;
    return store.add(makeKey(sequence, now, stored.empty() ? now : now + kPublishedAhead, random));
}

void SigningKeys::reseal(SigningKeyStore& store, Random& random) const {
    for (const StoredSigningKey& row : store.list()) {
        store.reseal(row.sequence, crypto::seal(ring_, openSealed(row), row.keyId, random));
    }
}

std::string SigningKeys::openSealed(const StoredSigningKey& row) const {
    auto pem = crypto::open(ring_, row.sealedPem, row.keyId);
    if (pem) return std::move(*pem);
    throw ConfigurationError("signing key " + row.keyId +
                             " does not open: the master key file is not the one that sealed it");
}

void SigningKeys::removeSpent(SigningKeyStore& store, Timestamp now) const {
    const auto entries = snapshot();
    const std::size_t spent = countSpent(*entries, now);
    if (spent > 0) store.removeUpTo((*entries)[spent - 1].sequence);
}

std::size_t SigningKeys::countSpent(const Entries& entries, Timestamp now) const {
    // A key's last token was signed when its successor took over; five minutes for processes that learned of it late.
    const auto grace = tokenLifetime_ + std::chrono::minutes{5};
    std::size_t count = 0;
    while (count + 1 < entries.size() && entries[count + 1].activeFrom + grace <= now) ++count;
    return count;
}

std::shared_ptr<const SigningKeys::Entries> SigningKeys::snapshot() const {
    const std::lock_guard lock(mutex_);
    return entries_;
}

std::shared_ptr<const crypto::SigningKey> SigningKeys::current(Timestamp now) const {
    const auto entries = snapshot();
    for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
        if (entry->activeFrom <= now) return entry->key;
    }
    // Made by a host whose clock is ahead of ours.
    if (!entries->empty()) return entries->front().key;
    throw ServiceUnavailable("there is no signing key");
}

std::shared_ptr<const crypto::SigningKey> SigningKeys::find(std::string_view keyId, Timestamp now) const {
    const auto entries = snapshot();
    for (std::size_t i = countSpent(*entries, now); i < entries->size(); ++i) {
        if ((*entries)[i].key->id() == keyId) return (*entries)[i].key;
    }
    return nullptr;
}

std::vector<ListedKey> SigningKeys::list(Timestamp now) const {
    const auto entries = snapshot();
    std::vector<Timestamp> activeFrom;
    activeFrom.reserve(entries->size());
    for (const Entry& entry : *entries) activeFrom.push_back(entry.activeFrom);
    const auto states = statesOf(activeFrom, now);
    std::vector<ListedKey> keys;
    keys.reserve(entries->size());
    for (std::size_t i = 0; i < entries->size(); ++i)
        keys.push_back({(*entries)[i].key->id(), algorithm_, activeFrom[i], states[i]});
    return keys;
}

std::string SigningKeys::jwks(Timestamp now, const SigningKeys* others) const {
    std::string json = "{\"keys\":[" + jwkList(now);
    if (others != nullptr) {
        const std::string more = others->jwkList(now);
        if (json.back() == '}' && !more.empty()) json += ',';
        json += more;
    }
    return json + "]}";
}

std::string SigningKeys::jwkList(Timestamp now) const {
    const auto entries = snapshot();
    std::string json;
    for (std::size_t i = countSpent(*entries, now); i < entries->size(); ++i) {
        if (!json.empty()) json += ',';
        json += (*entries)[i].key->toJwk();
    }
    return json;
}

}  // namespace otpgate::domain
