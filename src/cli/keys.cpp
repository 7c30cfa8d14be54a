#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/key_holders.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/totp_service.h"
#include "otpgate/domain/webhooks.h"
#include "otpgate/http/json.h"
#include "otpgate/store/stores.h"

#include <iostream>
#include <string_view>
#include <unistd.h>

namespace otpgate::cli {

namespace {

int init(const Settings& settings, bool ifMissing) {
    if (ifMissing && access(settings.masterKeyFile.c_str(), F_OK) == 0) return 0;
    crypto::SystemRandom random;
    crypto::createKeyFile(settings.masterKeyFile, random);
    std::cout << "made " << settings.masterKeyFile << "; keep a copy of it in a safe place\n";
    return 0;
}

// Of access tokens and of ID tokens: all that is done to the ones is done to the others.
struct KeyStores {
    explicit KeyStores(db::Connection& connection)
        : access(store::makeSigningKeyStore(connection)),
          id(store::makeIdTokenKeyStore(connection)) {}
    std::unique_ptr<domain::SigningKeyStore> access;
    std::unique_ptr<domain::SigningKeyStore> id;
};

void listOf(domain::SigningKeyStore& store, std::string_view algorithm, Timestamp now, bool asJson,
            http::JsonWriter& json) {
    const auto keys = store.list();
    std::vector<Timestamp> activeFrom;
    activeFrom.reserve(keys.size());
    for (const domain::StoredSigningKey& key : keys) activeFrom.push_back(key.activeFrom);
    const auto states = domain::statesOf(activeFrom, now);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string state{toString(states[i])};
        const std::string from = formatRfc3339(keys[i].activeFrom);
        json.beginObject()
            .member("kid", keys[i].keyId)
            .member("alg", algorithm)
            .member("signs_from", from)
            .member("state", state)
            .endObject();
        if (!asJson)
            std::cout << keys[i].keyId << "  " << algorithm << "  signs from " << from << "  " << state << "\n";
    }
}

int listKeys(const KeyStores& stores, Timestamp now, bool asJson) {
    http::JsonWriter json;
    json.beginArray();
    listOf(*stores.access, "ES256", now, asJson, json);
    listOf(*stores.id, "RS256", now, asJson, json);
    json.endArray();
    if (asJson) std::cout << json.take() << "\n";
    return 0;
}

int rotate(const Settings& settings, const KeyStores& stores, const Clock& clock, bool asJson) {
    const auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    crypto::SystemRandom random;
    const domain::SigningKeys keys(ring, settings.tokens.accessLifetime);
    const domain::SigningKeys idKeys(ring, settings.tokens.accessLifetime, crypto::SigningAlgorithm::Rs256);
    const bool isNew = keys.rotate(*stores.access, random, clock.now());
    if (!(idKeys.rotate(*stores.id, random, clock.now()) || isNew)) {
        std::cerr << "otpgate: a new signing key is waiting already; see otpgate keys list\n";
        return 1;
    }
    return listKeys(stores, clock.now(), asJson);
}

int add(const Settings& settings) {
    crypto::SystemRandom random;
    crypto::addKey(settings.masterKeyFile, random);
    std::cout << "added a key that nobody uses yet to " << settings.masterKeyFile
              << "; copy the file to every host and restart otpgate there, then: otpgate keys promote\n";
    return 0;
}

crypto::KeyRing loadSeveral(const Settings& settings) {
    auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    if (ring.fingerprints().size() > 1) return ring;
    throw ConfigurationError(settings.masterKeyFile + " holds one key only; otpgate keys add makes another");
}

bool tell(const std::vector<std::string>& hosts, const char* what) {
    for (const std::string& host : hosts) std::cerr << "otpgate: " << host << ' ' << what << "\n";
    return !hosts.empty();
}

// What is sealed is sealed anew first: whatever happens then, every host opens it.
int promote(const Settings& settings, db::Connection& connection, const Clock& clock) {
    const auto ring = loadSeveral(settings);
    const auto holders = store::makeKeyHolderStore(connection)->list();
    const auto lacking = domain::whoLacks(ring.fingerprints().back(), holders, clock.now());
    if (tell(lacking, "does not know the last key of the file: copy the file there and restart otpgate")) return 1;
    crypto::SystemRandom random;
    const auto next = ring.withLastFirst();
    const KeyStores stores(connection);
    for (domain::SigningKeyStore* store : {stores.access.get(), stores.id.get()})
        domain::SigningKeys(next, settings.tokens.accessLifetime).reseal(*store, random);
    domain::resealTotps(*store::makeTotpStore(connection), next, random);
    domain::resealWebhooks(*store::makeWebhookStore(connection), next, random);
    crypto::promoteLastKey(settings.masterKeyFile);
    std::cout << "the last key is the first one now, which codes and tokens are made with; copy "
              << settings.masterKeyFile << " to every host and restart otpgate there\n";
    return 0;
}

int drop(const Settings& settings, db::Connection& connection, const Clock& clock) {
    const auto ring = loadSeveral(settings);
    const auto holders = store::makeKeyHolderStore(connection)->list();
    const auto users = domain::whoUses(ring.fingerprints().back(), holders, clock.now());
    if (tell(users, "still uses the last key of the file")) return 1;
    const auto rest = ring.withoutLast();
    const KeyStores stores(connection);
    for (domain::SigningKeyStore* store : {stores.access.get(), stores.id.get()}) {
        for (const auto& key : store->list())
            domain::SigningKeys(rest, settings.tokens.accessLifetime).requireOpens(key);
    }
    // Those that were added meanwhile, by a host that had not read the promoted file yet.
    crypto::SystemRandom random;
    domain::resealTotps(*store::makeTotpStore(connection), ring, random);
    domain::resealWebhooks(*store::makeWebhookStore(connection), ring, random);
    crypto::dropLastKey(settings.masterKeyFile);
    std::cout << "the last key is gone from " << settings.masterKeyFile
              << "; copy the file to every host and restart otpgate there\n";
    return 0;
}

}  // namespace

int keys(const Invocation& invocation) {
    const std::string& command = invocation.action;
    const Settings settings = invocation.settings();
    if (command == "init") return init(settings, invocation.has("--if-missing"));
    if (command == "add") return add(settings);
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    const SystemClock clock;
    if (command == "promote") return promote(settings, *connection, clock);
    if (command == "drop") return drop(settings, *connection, clock);
    const KeyStores stores(*connection);
    const bool asJson = invocation.has("--json");
    return command == "list" ? listKeys(stores, clock.now(), asJson) : rotate(settings, stores, clock, asJson);
}

}  // namespace otpgate::cli
