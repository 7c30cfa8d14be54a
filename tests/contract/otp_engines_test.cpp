// Proves that the engines are the same: every kind of request, guess and refresh, alone and together with another, is
// answered alike and leaves the same rows on SQLite, on MariaDB in groups and on MariaDB one by one.
#include "contract/engines_alike.h"
#include "otpgate/domain/otp_rules.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::test {
namespace otp_engines_test {

using namespace std::chrono_literals;
using domain::Guess;
using domain::Purpose;
using domain::ShownDevice;

const domain::Client kClient{"192.0.2.7", "192.0.2.7", "Browser/1.0", "request-1", "pt-BR,pt"};

std::string hits(std::initializer_list<Timestamp> newestFirst) {
    std::string packed;
    for (const Timestamp time : newestFirst) packed += domain::packTime(time);
    return packed;
}

Purpose purposeOf(const Combination& c) {
    return domain::parsePurpose(c["purpose"]).value();
}

// Rows that requests and guesses need alike.
class OtpEnginesAlike : public EnginesAlike {
protected:
    // Somebody who has signed in before, in every second case.
    void seedUser(const Uuid& id, const std::string& address, const std::string& status, bool hasSignedIn) {
        seed([=, time = now()](db::Connection& connection) {
            const std::string sql = std::string{"INSERT INTO users (id, username, "} +
                                    (address.starts_with('+') ? "phone_number" : "email") +
                                    ", status, locale, joined_at_us, last_login_at_us) VALUES (?, ?, ?, ?, 'de', ?, ?)";
            connection.execute(sql, {id, address, address, status, time - 48h,
                                     hasSignedIn ? std::optional{time - 24h} : std::nullopt});
        });
    }
    Uuid seedDevice(const Uuid& user, const std::string& installId, bool isRevoked = false) {
        const Uuid id = newId();
        seed([=, time = now()](db::Connection& connection) {
            connection.execute(
                "INSERT INTO devices (id, user_id, install_id, device_name, created_at_us, last_seen_at_us,"
                " revoked_at_us) VALUES (?, ?, ?, 'old name', ?, ?, ?)",
                {id, user, installId, time - 48h, time - 24h, isRevoked ? std::optional{time - 1h} : std::nullopt});
        });
        return id;
    }
    void seedBucket(const std::string& id, const std::string& packed, Timestamp refusedAt = {}) {
        seed([=, time = now()](db::Connection& connection) {
            connection.execute(
                "INSERT INTO rate_limits (bucket, hits, expires_at_us, refused_at_us) VALUES (?, ?, ?, ?)",
                {db::Param::blob(id), db::Param::blob(packed), time + 1h, refusedAt});
        });
    }
    std::string newBucket() { return std::string{newId().bytes()}; }
};

class GuessEnginesTest : public OtpEnginesAlike {
    CPPUNIT_TEST_SUITE(GuessEnginesTest);
    CPPUNIT_TEST(answersEveryGuessAlike);
    CPPUNIT_TEST_SUITE_END();

    // Where a guess plays, beside its code.
    struct Scene {
        Uuid user;
        Uuid asker;  // of a change of address
        std::string address;
        std::string bucket;
        Uuid lane;
        ShownDevice shown;
    };

    Scene makeScene(const Combination& c) {
        Scene scene{newId(), newId(), newAddress(c.is("channel", "sms")), newBucket(), {}, {}};
        if (!c.is("account", "none")) {
            seedUser(scene.user, scene.address, c.is("account", "disabled") ? "disabled" : "active",
                     c.is("account", "active"));
        }
        if (c.is("device", "known")) scene.shown = scene.lane = seedDevice(scene.user, "");
        if (c.is("device", "foreign")) scene.shown = seedDevice(newId(), "install-1");
        if (c.is("device", "revoked")) scene.shown = seedDevice(scene.user, "install-1", true);
        if (c.is("device", "named")) {
            seedDevice(scene.user, "install-1");
            seedDevice(scene.user, "install-1");
            seedDevice(scene.user, "install-2");
        }
        if (c.is("purpose", "change")) scene.lane = scene.asker;
        if (c.is("budget", "one left")) seedBucket(scene.bucket, hits({now() - 1min}));
        if (c.is("budget", "spent")) seedBucket(scene.bucket, hits({now() - 1min, now() - 2min}), now() - 50s);
        return scene;
    }
    Uuid seedCode(const Combination& c, const Scene& scene) {
        const Uuid id = newId();
        const bool isExpired = c.is("code", "expired");
        const bool isUsed = c.is("code", "used");
        const int attempts = c.is("code", "exhausted") ? 3 : 1;
        seed([=, purpose = c["purpose"], channel = c["channel"], time = now()](db::Connection& connection) {
            connection.execute(
                "INSERT INTO otp_requests (id, destination, channel, purpose, lane, amr, guess_bucket, created_at_us,"
                " expires_at_us, attempts, max_attempts, consumed_at_us) VALUES (?, ?, ?, ?, ?, 'pwd otp', ?, ?, ?, ?, "
                "3, ?)",
                {id, scene.address, channel, purpose, scene.lane, db::Param::blob(scene.bucket), time - 1min,
                 isExpired ? time : time + 9min, attempts, isUsed ? std::optional{time - 30s} : std::nullopt});
        });
        return id;
    }
    domain::OtpVerification guessAt(const Uuid& code, const Combination& c, const Scene& scene) {
        std::optional<Uuid> owner;
        if (c.is("owner", "right")) owner = scene.asker;
        if (c.is("owner", "other")) owner = newId();
        return {.otpId = code,
                .purpose = c.is("owner", "none") ? std::nullopt : std::optional{purposeOf(c)},
                .ownerId = owner,
                .guess = c.is("guess", "right") ? Guess::Right : Guess::Wrong,
                .guessRule = rule("2/1h"),
                .now = now(),
                .mayRegister = !c.is("account", "uninvited"),
                .newUserId = newId(),
                .sessionId = newId(),
                .sessionExpiresAt = now() + 168h,
                .shownDevice = scene.shown,
                .newDeviceId = newId(),
                .device = {"install-1", "ios", "4.2", "Ada's phone"},
                .auditIds = {newId(), newId(), newId()},
                .notice = domain::NoticeDraft{.id = newId(),
                                              .kind = domain::MessageKind::NewSignIn,
                                              .facts = {.ipAddress = "192.0.2.7", .device = "x", .changedAddress = {}},
                                              .bySms = domain::NoticeBySms::WhereNoMail,
                                              .requestId = "request-1",
                                              .createdAt = now(),
                                              .expiresAt = now() + 24h,
                                              .availableAt = now() + 10s},
                .client = kClient};
    }
    std::vector<domain::OtpVerification> callsOf(const Combination& c) {
        const Scene scene = makeScene(c);
        const Uuid code = seedCode(c, scene);
        std::vector<domain::OtpVerification> calls{guessAt(code, c, scene)};
        if (c.is("with", "another address")) {
            const Scene other = makeScene(c);
            calls.push_back(guessAt(seedCode(c, other), c, other));
        } else if (c.is("with", "the same budget")) {
            // A wrong guess before it, at another code of the address.
            auto before = guessAt(seedCode(c, scene), c, scene);
            before.guess = Guess::Wrong;
            calls.insert(calls.begin(), before);
            calls.push_back(guessAt(seedCode(c, scene), c, scene));
        } else if (c.is("with", "the same code")) {
            calls.push_back(guessAt(code, c, scene));
        }
        return calls;
    }

    // What says nothing that another case does not say is left out, for the sake of the time that it takes.
    static bool isNews(const Combination& c) {
        const bool isAlone = c.is("with", "nobody");
        const bool isChange = c.is("purpose", "change");
        // Only a change has an owner; who else shows one shows it in vain.
        if (!isChange && c.is("owner", "other")) return false;
        if (!isChange && c.is("owner", "right") && !(isAlone && c.is("device", "none"))) return false;
        // Only a login registers and remembers a device.
        if (!c.is("purpose", "login") && (c.is("account", "uninvited") || c.is("device", "named"))) return false;
        if (c.is("channel", "sms") && !isAlone) return false;
        // What is dead is dead, whoever guesses.
        const bool isSpecial = c.is("device", "named") || c.is("budget", "one left") || c.is("account", "uninvited") ||
                               c.is("with", "the same code") || c.is("channel", "sms");
        return c.is("code", "live") || !isSpecial;
    }

    void answersEveryGuessAlike() {
        const std::vector<Dimension> dimensions{
            {"purpose", {"login", "register", "verify", "reset", "change"}},
            {"account", {"none", "uninvited", "active", "disabled"}},
            {"device", {"none", "known", "foreign", "revoked", "named"}},
            {"owner", {"none", "right", "other"}},
            {"code", {"live", "used", "expired", "exhausted"}},
            {"guess", {"right", "wrong"}},
            {"budget", {"whole", "one left", "spent"}},
            {"with", {"nobody", "another address", "the same budget", "the same code"}},
            {"channel", {"email", "sms"}},
        };
        std::vector<Case<domain::OtpVerification>> cases;
        forEachCombination(dimensions, [&](const Combination& c) {
            if (!isNews(c)) return;
            cases.push_back({c.text(), callsOf(c)});
        });
        CPPUNIT_ASSERT(cases.size() > 3000);
        requireAlike(cases);
    }
};

class RequestEnginesTest : public OtpEnginesAlike {
    CPPUNIT_TEST_SUITE(RequestEnginesTest);
    CPPUNIT_TEST(answersEveryRequestAlike);
    CPPUNIT_TEST_SUITE_END();

    struct Scene {
        std::string address;
        std::string bucket;
        std::string clientBucket;
        std::string deviceBucket;
        ShownDevice device;
        std::optional<Uuid> owner;
    };

    Scene makeScene(const Combination& c) {
        Scene scene{newAddress(), newBucket(), newBucket(), newBucket(), {}, {}};
        const Uuid user = newId();
        if (!c.is("account", "none")) seedUser(user, scene.address, c["account"], false);
        if (c.is("device", "known")) scene.device = seedDevice(user, "");
        if (c.is("device", "foreign")) scene.device = seedDevice(newId(), "");
        if (c.is("device", "revoked")) scene.device = seedDevice(user, "", true);
        if (c.is("rule", "change")) scene.owner = newId();
        seedBuckets(c, scene);
        if (!c.is("resend", "repeat without a code")) {
            seedCode(c, scene, domain::kStrangersLane);
            if (scene.device) seedCode(c, scene, *scene.device);
            if (scene.owner) seedCode(c, scene, *scene.owner);
        }
        return scene;
    }
    void seedBuckets(const Combination& c, const Scene& scene) {
        const std::string one = hits({now() - 1min});
        const std::string two = hits({now() - 1min, now() - 2min});
        const bool hasCode = !c.is("resend", "repeat without a code");
        for (const auto& [bucket, limit] :
             {std::pair{scene.bucket, "destination spent"}, std::pair{scene.clientBucket, "client spent"},
              std::pair{scene.deviceBucket, "device spent"}}) {
            if (c.is("limit", limit))
                seedBucket(bucket, two, now() - (c.is("account", "active") ? 59s : 60s));
            else if (hasCode || c.is("limit", "one left"))
                seedBucket(bucket, one);
        }
    }
    void seedCode(const Combination& c, const Scene& scene, const Uuid& lane) {
        const Uuid id = Uuid::makeV7(now() - 1min, old_);
        seed([=, purpose = purposeName(c), time = now()](db::Connection& connection) {
            connection.execute(
                "INSERT INTO otp_requests (id, destination, channel, purpose, lane, guess_bucket, created_at_us,"
                " expires_at_us, max_attempts) VALUES (?, ?, 'email', ?, ?, ?, ?, ?, 3)",
                {id, scene.address, purpose, lane, db::Param::blob(scene.bucket), time - 1min, time + 9min});
        });
    }
    static std::string purposeName(const Combination& c) { return c.is("rule", "change") ? "change" : "login"; }

    domain::NewOtpRequest requestIn(const Combination& c, const Scene& scene) {
        return {.id = newId(),
                .destination = destination(scene.address),
                .purpose = domain::parsePurpose(purposeName(c)).value(),
                .locale = "de-AT",
                .accountRule = c.is("rule", "active")          ? domain::AccountRule::Active
                               : c.is("rule", "active or new") ? domain::AccountRule::ActiveOrNew
                                                               : domain::AccountRule::Any,
                .disclosure = c.is("disclosure", "hide") ? domain::Disclosure::Hide : domain::Disclosure::Reveal,
                .resend = c.is("resend", "rotate") ? domain::Resend::Rotate : domain::Resend::Repeat,
                .now = now(),
                .expiresAt = now() + 10min,
                .maxAttempts = 3,
                .oldestLive = now() - 10min,
                .guessBucket = scene.bucket,
                .clientBucket = scene.clientBucket,
                .clientRule = rule("2/1h"),
                .destinationBucket = scene.bucket,
                .destinationRule = c.is("limit", "none") ? domain::LimitRule{} : rule("2/1h"),
                .device = scene.device,
                .deviceGuessBucket = scene.deviceBucket,
                .deviceBucket = scene.deviceBucket,
                .ownerId = scene.owner,
                .outboxId = newId(),
                .outboxAvailableAt = now() + 10s,
                .auditId = newId(),
                .client = kClient};
    }
    std::vector<domain::NewOtpRequest> callsOf(const Combination& c) {
        const Scene scene = makeScene(c);
        std::vector<domain::NewOtpRequest> calls{requestIn(c, scene)};
        if (c.is("with", "another address")) {
            calls.push_back(requestIn(c, makeScene(c)));
        } else if (c.is("with", "the same client")) {
            Scene other = makeScene(c);
            other.clientBucket = scene.clientBucket;
            calls.push_back(requestIn(c, other));
        } else if (c.is("with", "the same address")) {
            // The strangers' lane beside the device's, and another purpose that shares their limit.
            calls.push_back(requestIn(c, scene));
            calls.push_back(requestIn(c, scene));
            calls.back().device.reset();
            calls.push_back(requestIn(c, scene));
            calls.back().purpose = Purpose::Verify;
            calls.back().ownerId.reset();
        }
        return calls;
    }

    void answersEveryRequestAlike() {
        const std::vector<Dimension> dimensions{
            {"rule", {"any", "change", "active or new", "active"}},
            {"disclosure", {"hide", "reveal"}},
            {"resend", {"rotate", "repeat", "repeat without a code"}},
            {"account", {"none", "active", "disabled"}},
            {"device", {"none", "known", "foreign", "revoked"}},
            {"limit", {"none", "whole", "one left", "destination spent", "client spent", "device spent"}},
            {"with", {"nobody", "another address", "the same client", "the same address"}},
        };
        std::vector<Case<domain::NewOtpRequest>> cases;
        forEachCombination(dimensions, [&](const Combination& c) {
            // Nobody is refused by name.
            const bool letsAll = c.is("rule", "any") || c.is("rule", "change");
            if (letsAll && c.is("disclosure", "reveal")) return;
            // The device's own limit is nobody else's.
            if (c.is("limit", "device spent") && !c.is("device", "known")) return;
            cases.push_back({c.text(), callsOf(c)});
        });
        CPPUNIT_ASSERT(cases.size() > 3000);
        requireAlike(cases);
    }

    CountingRandom old_;  // of ids that are a minute old
};

class RefreshEnginesTest : public EnginesAlike {
    CPPUNIT_TEST_SUITE(RefreshEnginesTest);
    CPPUNIT_TEST(answersEveryRefreshAlike);
    CPPUNIT_TEST_SUITE_END();

    Uuid seedSession(const Combination& c) {
        const Uuid user = newId();
        if (!c.is("user", "none")) {
            seed([=, status = c["user"], time = now()](db::Connection& connection) {
                const std::string name = user.toString();
                connection.execute(
                    "INSERT INTO users (id, username, email, status, joined_at_us) VALUES (?, ?, ?, ?, ?)",
                    {user, name, name, status, time});
            });
        }
        const Uuid id = newId();
        if (c.is("session", "none")) return id;
        const Timestamp rotatedAt = now() - (c.is("counter", "before, late") ? 30s : 29s);
        const Timestamp expiresAt = c.is("session", "expired") ? now() : now() + 24h;
        const auto revokedAt = c.is("session", "revoked") ? std::optional{now() - 1s} : std::nullopt;
        seed([=, time = now()](db::Connection& connection) {
            connection.execute(
                "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,"
                " refresh_counter, rotated_at_us, revoked_at_us, ip_address, user_agent, amr)"
                " VALUES (?, ?, ?, ?, ?, ?, 7, ?, ?, '192.0.2.7', 'Browser/1.0', 'pwd otp')",
                {id, user, time - 48h, rotatedAt, expiresAt, time - 48h, rotatedAt, revokedAt});
        });
        return id;
    }
    domain::SessionRefresh refreshOf(const Uuid& session, const Combination& c) {
        domain::SessionRefresh refresh{.sessionId = session,
                                       .counter = c.is("counter", "newest")  ? 7
                                                  : c.is("counter", "older") ? 5
                                                  : c.is("counter", "ahead") ? 8
                                                                             : 6,
                                       .now = now(),
                                       .lifetimes = {168h, 720h},
                                       .graceSince = now() - 30s,
                                       .auditId = newId(),
                                       .client = kClient};
        if (c.is("client", "moved")) refresh.client.address = "192.0.2.8";
        if (c.is("client", "updated")) refresh.client.userAgent = "Browser/2.0";
        return refresh;
    }

    void answersEveryRefreshAlike() {
        const std::vector<Dimension> dimensions{
            {"session", {"none", "active", "revoked", "expired"}},
            {"user", {"none", "active", "disabled"}},
            {"counter", {"newest", "before", "before, late", "older", "ahead"}},
            {"client", {"same", "moved", "updated"}},
            {"with", {"nobody", "another session", "the same session", "an older token"}},
        };
        std::vector<Case<domain::SessionRefresh>> cases;
        forEachCombination(dimensions, [&](const Combination& c) {
            const Uuid session = seedSession(c);
            std::vector<domain::SessionRefresh> calls{refreshOf(session, c)};
            if (c.is("with", "another session")) calls.push_back(refreshOf(seedSession(c), c));
            if (c.is("with", "the same session"))
                calls.insert(calls.end(), {refreshOf(session, c), refreshOf(session, c)});
            if (c.is("with", "an older token")) {
                calls.push_back(refreshOf(session, c));
                calls.back().counter = 4;
            }
            cases.push_back({c.text(), std::move(calls)});
        });
        requireAlike(cases);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuessEnginesTest);
CPPUNIT_TEST_SUITE_REGISTRATION(RequestEnginesTest);
CPPUNIT_TEST_SUITE_REGISTRATION(RefreshEnginesTest);

}  // namespace otp_engines_test
}  // namespace otpgate::test
