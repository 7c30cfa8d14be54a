#include "cli/installation.h"

#include "key_witness.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/store/login_trial.h"
#include "otpgate/store/stores.h"
#include "readiness.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

namespace otpgate::cli {

Installation::Installation(const Settings& settings)
    : settings_(settings),
      database_(db::openDatabase(settings.database)),
      connection_(database_->connect()) {}

std::vector<Installation::Check> Installation::checks() {
    const auto silent = [](std::function<void()> check) {
        return [check = std::move(check)] {
            check();
            return std::string{};
        };
    };
    return {
        {"database",
         [this] {
             connection_->query("SELECT 1");
             return database_->currentHost();
         }},
        {"clock", silent([this] { requireSameClock(*connection_, clock_); })},
        {"migrations", silent([this] { requireMigrated(*connection_); })},
        {"keys", silent([this] { checkKeys(); })},
        {"login", silent([this] { store::tryLogin(*connection_, random_, clock_.now()); })},
        {"service", silent([this] { requireAnswerAt(settings_.server.listen); })},
    };
}

void Installation::checkKeys() {
    const auto ring = crypto::KeyRing::load(settings_.masterKeyFile);
    const auto store = store::makeSigningKeyStore(*connection_);
    if (store->list().empty()) throw ServiceUnavailable("there is no signing key yet: otpgate serve makes it");
    domain::SigningKeys keys(ring, settings_.tokens.accessLifetime);
    keys.reload(*store, random_, clock_.now());
    requireOpened(keys);
    const auto idStore = store::makeIdTokenKeyStore(*connection_);
    if (!idStore->list().empty()) {
        domain::SigningKeys idKeys(ring, settings_.tokens.accessLifetime, crypto::SigningAlgorithm::Rs256);
        idKeys.reload(*idStore, random_, clock_.now());
        requireOpened(idKeys);
    }
    requireKnownKey(*connection_, ring, clock_.now());
}

void requireAnswerAt(const std::string& listen) {
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

}  // namespace otpgate::cli
