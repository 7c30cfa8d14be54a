#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/store/stores.h"

#include <iostream>
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

int list(domain::SigningKeyStore& store, Timestamp now) {
    const auto keys = store.list();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const bool isNext = keys[i].activeFrom > now;
        const bool isCurrent = !isNext && (i + 1 == keys.size() || keys[i + 1].activeFrom > now);
        std::cout << keys[i].keyId << "  signs from " << formatRfc3339(keys[i].activeFrom) << "  "
                  << (isNext      ? "next"
                      : isCurrent ? "current"
                                  : "former")
                  << "\n";
    }
    return 0;
}

int rotate(const Settings& settings, domain::SigningKeyStore& store, const Clock& clock) {
    const auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    crypto::SystemRandom random;
    const domain::SigningKeys keys(ring, settings.tokens.accessLifetime);
    if (!keys.rotate(store, random, clock.now())) {
        std::cerr << "otpgate: a new signing key is waiting already; see otpgate keys list\n";
        return 1;
    }
    return list(store, clock.now());
}

}  // namespace

int keys(const Invocation& invocation) {
    const auto& arguments = invocation.arguments;
    if (arguments.empty()) throw UsageError("say which: init, list or rotate");
    const bool ifMissing = arguments.size() == 2 && arguments[0] == "init" && arguments[1] == "--if-missing";
    if (arguments.size() > 1 && !ifMissing) throw UsageError("unexpected argument: " + arguments[1]);
    if (arguments[0] != "init" && arguments[0] != "list" && arguments[0] != "rotate") {
        throw UsageError("unknown: keys " + arguments[0]);
    }

    const Settings settings = invocation.settings();
    if (arguments[0] == "init") return init(settings, ifMissing);
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    const auto store = store::makeSigningKeyStore(*connection);
    const SystemClock clock;
    return arguments[0] == "list" ? list(*store, clock.now()) : rotate(settings, *store, clock);
}

}  // namespace otpgate::cli
