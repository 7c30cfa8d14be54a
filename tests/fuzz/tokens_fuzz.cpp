// Our own tokens, of every kind: each opens as what it was made of, none opens as another kind, and no changed one
// opens at all. The input is 24 bytes of id and number, one that chooses the kind, and then a text to try, or changes.
#include "domain/device_token.h"
#include "domain/otp_receipt.h"
#include "domain/refresh_token.h"
#include "domain/verification_context.h"
#include "fuzz/fuzz.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/domain/api_key_service.h"
#include "otpgate/domain/pending_registration.h"
#include "otpgate/domain/session_service.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_random.h"
#include "support_cpp/fake_signing_key_store.h"

#include <array>
#include <functional>
#include <utility>

namespace {

using namespace otpgate;
using namespace std::chrono_literals;

// Every session is there.
class AnySession final : public domain::SessionStore {
public:
    domain::SessionRefreshResult refresh(const domain::SessionRefresh& refresh) override {
        asked = refresh.sessionId;
        return {domain::SessionRefreshResult::Outcome::Rotated, {}, {}, "otp", refresh.now + 1h};
    }
    std::optional<domain::AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) override {
        asked = sessionId;
        domain::AuthenticatedSession found;
        found.session.id = sessionId;
        found.session.createdAt = found.session.lastSeenAt = now;
        return found;
    }
    std::vector<domain::Session> listActive(const Uuid&, Timestamp) override { return {}; }
    void touch(const Uuid&, Timestamp, Timestamp) override {}
    bool revoke(const domain::RevokeSession&) override { return false; }
    std::uint64_t revokeAll(const domain::RevokeAllSessions&) override { return 0; }

    Uuid asked;
};

class OneApiKey final : public domain::ApiKeyStore {
public:
    domain::ApiKeyInsertion create(const domain::NewApiKey& key) override {
        made = key;
        return {};
    }
    std::vector<domain::ApiKey> list(const Uuid&, Timestamp) override { return {}; }
    std::vector<domain::OwnedApiKey> listAll(const std::optional<Uuid>&, unsigned) override { return {}; }
    bool revoke(const domain::ApiKeyRevocation&) override { return false; }
    std::optional<domain::StoredApiKey> findActive(std::string_view prefix, Timestamp) override {
        if (prefix != made.key.prefix) return std::nullopt;
        return domain::StoredApiKey{made.key, made.secretHash};
    }
    void touch(const Uuid&, Timestamp, Timestamp) override {}

    domain::NewApiKey made;
};

struct World {
    crypto::KeyRing ring = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
        "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
        "master.key");
    test::FakeClock clock;
    test::FakeRandom random;
    test::FakeSigningKeyStore signingKeyStore;
    domain::SigningKeys signingKeys{ring, 900s};
    AnySession sessionStore;
    OneApiKey apiKeyStore;
    domain::SessionService sessions{sessionStore, signingKeys,
                                    ring,         clock,
                                    random,       {domain::TokenFormat::Opaque, "issuer", "audience", 900s, 168h}};
    domain::ApiKeyService apiKeys{apiKeyStore, clock, random, domain::ApiKeyHolders::Everybody};
    Uuid id;  // that the tokens of this run are about
    std::int64_t number = 0;

    World() { signingKeys.reload(signingKeyStore, random, clock.now()); }
};

struct Kind {
    const char* name;
    std::function<std::string(World&)> make;
    // Whether the text opens, as what it was made of.
    std::function<bool(World&, std::string_view)> opens;
};

domain::VerificationContext contextOf(const World& world) {
    return {.id = world.id,
            .ownerId = world.id,
            .destination = domain::Destination::fromStored(domain::Channel::Email, "a@example.com"),
            .format = {},
            .purpose = std::to_string(world.number),
            .metadata = "{}",
            .codeExpiresAt = fromMicroseconds(world.number),
            .expiresAt = world.clock.now(),
            .maxAttempts = 3,
            .retryCount = 1};
}

const std::array<Kind, 8> kKinds{
    {{"refresh",
      [](World& w) {
          return domain::RefreshToken{w.id, w.number}.toText(w.ring);
      },
      [](World& w, std::string_view text) {
          const auto token = domain::RefreshToken::parse(text, w.ring);
          if (token) REQUIRE(token->toText(w.ring) == text || token->toText(w.ring.withLastFirst()) == text);
          return token && token->sessionId == w.id && token->counter == w.number;
      }},
     {"device", [](World& w) { return w.sessions.deviceTokenOf(w.id); },
      [](World& w, std::string_view text) { return w.sessions.parseDeviceToken(text) == w.id; }},
     {"receipt", [](World& w) { return domain::makeOtpReceipt(w.ring, w.id, domain::Purpose::Reset, w.clock.now()); },
      [](World& w, std::string_view text) {
          REQUIRE(!domain::parseOtpReceipt(w.ring, text, domain::Purpose::Register, w.clock.now()));
          return domain::parseOtpReceipt(w.ring, text, domain::Purpose::Reset, w.clock.now()) == w.id;
      }},
     {"csrf", [](World& w) { return w.sessions.csrfTokenOf(w.id); },
      [](World& w, std::string_view text) { return w.sessions.isCsrfToken(text, w.id); }},
     {"cookie", [](World& w) { return w.sessions.cookieOf(w.id); },
      [](World& w, std::string_view text) {
          const auto session = w.sessions.authenticateCookie(text);
          return session && session->session.id == w.id;
      }},
     {"access",
      [](World& w) {
          domain::SignIn signIn;
          signIn.sessionId = w.id;
          return w.sessions.issueFirst(signIn).access;
      },
      [](World& w, std::string_view text) {
          const auto grant = w.sessions.authenticate(text);
          return grant && grant->session.session.id == w.id && grant->expiresAt == w.clock.now() + 900s;
      }},
     {"context", [](World& w) { return domain::sealContext(w.ring, contextOf(w), w.random); },
      [](World& w, std::string_view text) {
          const auto context = domain::openContext(w.ring, text);
          return context && context->id == w.id && context->purpose == std::to_string(w.number) &&
                 context->codeExpiresAt == fromMicroseconds(w.number) &&
                 context->destination.value() == "a@example.com";
      }},
     {"api key",
      [](World& w) {
          return w.apiKeys.create({}, {"name", {domain::ApiScope::Verify}, std::nullopt}, {}).issued.value().text;
      },
      [](World& w, std::string_view text) { return w.apiKeys.authenticate(text).has_value(); }}}};

void requirePending(std::string_view packed) {
    if (const auto registration = domain::unpackRegistration(packed))
        REQUIRE(domain::packRegistration(*registration) == packed);
}

}  // namespace

FUZZ_TARGET(tokens) {
    static World world;
    fuzz::Input bytes(input);
    std::string id{bytes.bytes(16)};
    id.resize(16);
    world.id = Uuid::fromBytes(id);
    world.number = 0;
    for (const char byte : bytes.bytes(8)) world.number = (world.number << 8U) | static_cast<std::uint8_t>(byte);
    // Times of ours are far from the ends of what 64 bits of microseconds hold.
    world.number &= (std::int64_t{1} << 62U) - 1;
    const Kind& kind = kKinds.at(bytes.byte() % kKinds.size());

    const std::string token = kind.make(world);
    const std::string altered = fuzz::changed(token, bytes.rest());
    for (const Kind& other : kKinds) {
        REQUIRE(other.opens(world, token) == (&other == &kind));
        if (altered != token) REQUIRE(!other.opens(world, altered));
        if (bytes.rest() != token) REQUIRE(!other.opens(world, bytes.rest()));
    }
    requirePending(bytes.rest());
}
