#include "cli/commands.h"
#include "key_witness.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/http/json.h"
#include "otpgate/store/login_trial.h"
#include "otpgate/store/stores.h"
#include "readiness.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include <functional>
#include <iostream>

namespace otpgate::cli {

namespace {

void checkKeys(db::Connection& connection, const Settings& settings) {
    const auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    const auto store = store::makeSigningKeyStore(connection);
    if (store->list().empty()) throw ServiceUnavailable("there is no signing key yet: otpgate serve makes it");
    crypto::SystemRandom random;
    const SystemClock clock;
    domain::SigningKeys keys(ring, settings.tokens.accessLifetime);
    keys.reload(*store, random, clock.now());
    requireOpened(keys);
    requireKnownKey(connection, ring, clock.now());
}

void checkService(const std::string& listen) {
    // A socket that somebody else opened has no address here; whoever opened it watches it.
    if (listen == "systemd" || listen.starts_with("fd:")) return;
    try {
        const Poco::Net::SocketAddress address =
            listen.starts_with("unix:")
                ? Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, listen.substr(5))
                : Poco::Net::SocketAddress(listen);
        Poco::Net::StreamSocket socket;
        socket.connect(address, Poco::Timespan(2, 0));
    } catch (const Poco::Exception& error) {
        throw ServiceUnavailable("nobody answers at " + listen + ": " + error.displayText());
    }
}

}  // namespace

int health(const Invocation& invocation) {
    const Settings settings = invocation.settings();
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    crypto::SystemRandom random;
    const SystemClock clock;
    const std::pair<const char*, std::function<void()>> checks[] = {
        {"database", [&] { connection->query("SELECT 1"); }},
        {"clock", [&] { requireSameClock(*connection, clock); }},
        {"migrations", [&] { requireMigrated(*connection); }},
        {"keys", [&] { checkKeys(*connection, settings); }},
        {"login", [&] { store::tryLogin(*connection, random, clock.now()); }},
        {"service", [&] { checkService(settings.server.listen); }},
    };
    const bool asJson = invocation.has("--json");
    bool isWell = true;
    http::JsonWriter json;
    json.beginObject();
    for (const auto& [name, check] : checks) {
        std::string told = "ok";
        try {
            check();
            const std::string host = name == checks[0].first ? database->currentHost() : "";
            if (!host.empty()) told += ", at " + host;
        } catch (const std::runtime_error& error) {
            told = error.what();
            isWell = false;
        }
        json.member(name, told);
        if (!asJson) std::cout << name << ": " << told << "\n";
    }
    json.endObject();
    if (asJson) std::cout << json.take() << "\n";
    return isWell ? 0 : 1;
}

}  // namespace otpgate::cli
