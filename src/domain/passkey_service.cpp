#include "otpgate/domain/passkey_service.h"

#include "otpgate/crypto/signed_token.h"

#include <array>
#include <utility>

namespace otpgate::domain {

namespace {

constexpr std::size_t kChallengeBytes = 1 + 3 * Uuid::kBytes + crypto::kIntegerBytes;

char markOf(Ceremony ceremony) {
    return ceremony == Ceremony::Registration ? 'r' : 's';
}

}  // namespace

PasskeyService::PasskeyService(PasskeyStore& store, Messenger& messenger, const crypto::KeyRing& ring,
                               const Clock& clock, Random& random, PasskeySettings settings, PasskeyLimits limits,
                               NoticeSettings notices)
    : store_(store),
      messenger_(messenger),
      ring_(ring),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)),
      limits_(std::move(limits)),
      notices_(std::move(notices)) {}

// What it is for, its id, whose it is and until when, and our MAC: nobody keeps it until it comes back, and then it is
// kept for as long as it would be good.
std::string PasskeyService::makeChallenge(const Uuid& userId, const Uuid& userHandle) const {
    const Timestamp now = clock_.now();
    std::string payload(1, markOf(userId == Uuid{} ? Ceremony::SignIn : Ceremony::Registration));
    payload += Uuid::makeV7(now, random_).bytes();
    payload += userId.bytes();
    payload += userHandle.bytes();
    payload += crypto::packInteger(toMicroseconds(now + kChallengeLifetime));
    return crypto::signToken(ring_, crypto::KeyUse::PasskeyChallenge, payload);
}

std::optional<PasskeyService::Challenge> PasskeyService::openChallenge(std::string_view text, Ceremony ceremony) const {
    const auto payload = crypto::openToken(ring_, crypto::KeyUse::PasskeyChallenge, text, kChallengeBytes);
    if (!payload || payload->front() != markOf(ceremony)) return std::nullopt;
    const std::string_view rest = std::string_view{*payload}.substr(1);
    const Challenge challenge{{Uuid::fromBytes(rest.substr(0, Uuid::kBytes)),
                               fromMicroseconds(crypto::unpackInteger(rest.substr(3 * Uuid::kBytes)))},
                              Uuid::fromBytes(rest.substr(Uuid::kBytes, Uuid::kBytes)),
                              Uuid::fromBytes(rest.substr(2 * Uuid::kBytes, Uuid::kBytes))};
    if (challenge.use.expiresAt <= clock_.now()) return std::nullopt;
    return challenge;
}

// Nothing of when it was made: authenticators keep it for years.
Uuid PasskeyService::randomId() const {
    std::array<std::uint8_t, Uuid::kBytes> bytes{};
    random_.fill(bytes);
    return Uuid::fromBytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<NoticeDraft> PasskeyService::draft(MessageKind kind, const Device& device, const Client& client,
                                                 Timestamp now) {
    return draftNotice(notices_, {kind, describeDevice(device, client.userAgent), client, now, messenger_.lease()},
                       random_);
}

PasskeyInvitation PasskeyService::invite(const User& user) {
    std::vector<Passkey> known = store_.list(user.id);
    const Uuid handle = known.empty() ? randomId() : known.front().userHandle;
    return {makeChallenge(user.id, handle), handle, std::move(known)};
}

AddedPasskey PasskeyService::add(const AuthenticatedSession& caller, const PasskeyCreation& creation,
                                 const Client& client) {
    using Outcome = AddedPasskey::Outcome;
    const auto challenge = openChallenge(creation.clientData.challenge, Ceremony::Registration);
    if (!challenge || challenge->userId != caller.user.id ||
        !isAsAsked(creation.clientData, Ceremony::Registration, settings_.origin)) {
        return {};
    }
    auto attested = crypto::readAttestation(creation.attestationObject, settings_.rpId);
    if (!attested) return {};
    const Timestamp now = clock_.now();
    Passkey passkey{.id = Uuid::makeV7(now, random_),
                    .userId = caller.user.id,
                    .userHandle = challenge->userHandle,
                    .credentialId = std::move(attested->credentialId),
                    .key = std::move(attested->key),
                    .name = creation.name,
                    .transports = creation.transports,
                    .aaguid = std::move(attested->aaguid),
                    .signCount = attested->facts.signCount,
                    .backupEligible = attested->facts.backupEligible,
                    .backedUp = attested->facts.backedUp,
                    .verifiesUser = attested->facts.userVerified,
                    .createdAt = now,
                    .lastUsedAt = std::nullopt};
    const auto addition = store_.add({.passkey = passkey,
                                      .challenge = challenge->use,
                                      .sessionId = caller.session.id,
                                      .methods = methodsOf(attested->facts),
                                      .lifetimes = settings_.sessions,
                                      .rpId = settings_.rpId,
                                      .most = kMaxPasskeys,
                                      .auditId = Uuid::makeV7(now, random_),
                                      .client = client,
                                      .notice = draft(MessageKind::PasskeyAdded, caller.session.device, client, now)});
    if (addition.notice) messenger_.handOver(*addition.notice);
    switch (addition.outcome) {
    case PasskeyInsertion::Added: return {Outcome::Added, std::move(passkey)};
    case PasskeyInsertion::ChallengeUsed:
    case PasskeyInsertion::OtherUser: return {};
    case PasskeyInsertion::SessionEnded: return {Outcome::SessionEnded};
    case PasskeyInsertion::KnownAlready: return {Outcome::KnownAlready};
    case PasskeyInsertion::TooMany: return {Outcome::TooMany};
    case PasskeyInsertion::NeedsFactor: return {Outcome::NeedsFactor};
    case PasskeyInsertion::OtherSite: return {Outcome::OtherSite};
    }
    return {};
}

std::string PasskeyService::challenge() const {
    return makeChallenge({}, {});
}

PasskeyVerdict PasskeyService::signIn(const PasskeyAssertion& assertion, const Device& device, const Asker& asker) {
    using Outcome = PasskeyVerdict::Outcome;
    const auto challenge = openChallenge(assertion.clientData.challenge, Ceremony::SignIn);
    if (!challenge || !isAsAsked(assertion.clientData, Ceremony::SignIn, settings_.origin)) return {};
    auto passkey = store_.find(assertion.credentialId);
    // An id is random and long, and names nobody: that there is no such passkey may be told, so that the browser ceases
    // to offer it.
    if (!passkey) return {Outcome::Unknown};
    auto facts = crypto::verifyAssertion(passkey->key, settings_.rpId, assertion.authenticatorData,
                                         assertion.clientData.json, assertion.signature);
    // Nobody was named before, so the authenticator must say whose it is (section 7.2, step 6).
    if (facts && (assertion.userHandle != passkey->userHandle.bytes() || !isSamePasskey(*passkey, *facts))) {
        facts.reset();
    }
    const Timestamp now = clock_.now();
    const Uuid owner = passkey->userId;
    auto result = store_.signIn({.passkey = std::move(*passkey),
                                 .challenge = challenge->use,
                                 .facts = facts,
                                 .methods = facts ? methodsOf(*facts) : std::string{},
                                 .clientBucket = limitBucket("passkeys-client", asker.client.network),
                                 .clientRule = limits_.wrongPerClient,
                                 .accountBucket = limitBucket("passkey", owner.bytes()),
                                 .accountRule = limits_.signInsPerAccount,
                                 .session = {.id = Uuid::makeV7(now, random_),
                                             .now = now,
                                             .lifetimes = settings_.sessions,
                                             .shownDevice = asker.device,
                                             .newDeviceId = Uuid::makeV7(now, random_),
                                             .device = device,
                                             .notice = draft(MessageKind::NewSignIn, device, asker.client, now),
                                             .client = asker.client},
                                 .auditId = Uuid::makeV7(now, random_),
                                 .signIn = &settings_.signIn});
    if (result.notice) messenger_.handOver(*result.notice);
    switch (result.outcome) {
    case PasskeySignInResult::Outcome::SignedIn: return {Outcome::SignedIn, std::move(result.signIn)};
    case PasskeySignInResult::Outcome::ChallengeUsed:
    case PasskeySignInResult::Outcome::Cloned:
    case PasskeySignInResult::Outcome::Wrong: return {Outcome::Wrong};
    case PasskeySignInResult::Outcome::Removed: return {Outcome::Unknown};
    case PasskeySignInResult::Outcome::AccountDisabled: return {Outcome::AccountDisabled};
    case PasskeySignInResult::Outcome::NeedsFactor: return {Outcome::NeedsFactor};
    case PasskeySignInResult::Outcome::ClientLimited:
        return {Outcome::Limited, std::nullopt,
                reportLimit("passwords_per_client", limits_.wrongPerClient, std::move(result.hits), now)};
    case PasskeySignInResult::Outcome::AccountLimited:
        return {Outcome::Limited, std::nullopt,
                reportLimit("passkeys_per_account", limits_.signInsPerAccount, std::move(result.hits), now)};
    }
    return {};
}

bool PasskeyService::rename(const Uuid& id, const Uuid& userId, std::string_view name) {
    return store_.rename(id, userId, name);
}

bool PasskeyService::remove(const Uuid& id, const AuthenticatedSession& caller, const Client& client) {
    const Timestamp now = clock_.now();
    const auto removal =
        store_.remove({.id = id,
                       .userId = caller.user.id,
                       .now = now,
                       .auditId = Uuid::makeV7(now, random_),
                       .client = client,
                       .notice = draft(MessageKind::PasskeyRemoved, caller.session.device, client, now)});
    if (removal.notice) messenger_.handOver(*removal.notice);
    return removal.isDone;
}

}  // namespace otpgate::domain
