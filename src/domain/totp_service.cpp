#include "otpgate/domain/totp_service.h"

#include "domain/packed_fields.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/signed_token.h"
#include "otpgate/domain/totp_rules.h"

#include <array>
#include <utility>

namespace otpgate::domain {

namespace {

constexpr std::string_view kInvitationContext = "totp-invitation";
constexpr unsigned kSealsAtOnce = 500;

struct Invited {
    Uuid id;
    Uuid userId;
    std::string secret;
};

std::string makeSecret(Random& random) {
    std::array<std::uint8_t, kTotpSecretBytes> bytes{};
    random.fill(bytes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string sealTotpSecret(const crypto::KeyRing& ring, const Uuid& id, std::string_view secret, Random& random) {
    return crypto::seal(ring, secret, id.bytes(), random, crypto::KeyUse::TotpSecret);
}

std::string openTotpSecret(const crypto::KeyRing& ring, const Uuid& id, std::string_view sealed) {
    auto secret = crypto::open(ring, sealed, id.bytes(), crypto::KeyUse::TotpSecret);
    if (!secret) throw ConfigurationError("no master key opens the secret of the authenticator app " + id.toString());
    return std::move(*secret);
}

std::optional<Invited> openInvitation(const crypto::KeyRing& ring, std::string_view token, Timestamp now) {
    const auto bytes = parseBase64Url(token);
    const auto plain =
        bytes ? crypto::open(ring, *bytes, kInvitationContext, crypto::KeyUse::TotpInvitation) : std::nullopt;
    if (!plain) return std::nullopt;
    PackedFields fields(*plain);
    Invited invited{fields.uuid(), fields.uuid(), {}};
    const Timestamp expiresAt = fromMicroseconds(fields.integer());
    invited.secret = fields.bytes(kTotpSecretBytes);
    if (!fields.isAtEnd() || expiresAt <= now) return std::nullopt;
    return invited;
}

}  // namespace

TotpService::TotpService(TotpStore& store, Messenger& messenger, const crypto::KeyRing& ring, const Clock& clock,
                         Random& random, SecondStepSettings settings, NoticeSettings notices)
    : store_(store),
      messenger_(messenger),
      ring_(ring),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)),
      notices_(std::move(notices)) {}

std::optional<NoticeDraft> TotpService::draft(MessageKind kind, const Device& device, const Client& client,
                                              Timestamp now) {
    return draftNotice(notices_, {kind, describeDevice(device, client.userAgent), client, now, messenger_.lease()},
                       random_);
}

TotpInvitation TotpService::invite(const Uuid& userId) {
    const Timestamp now = clock_.now();
    std::string secret = makeSecret(random_);
    std::string plain{Uuid::makeV7(now, random_).bytes()};
    plain += userId.bytes();
    plain += crypto::packInteger(toMicroseconds(now + kTotpInvitationLifetime));
    plain += secret;
    const std::string sealed = crypto::seal(ring_, plain, kInvitationContext, random_, crypto::KeyUse::TotpInvitation);
    return {toBase64Url(sealed), std::move(secret)};
}

AddedTotp TotpService::add(const AuthenticatedSession& caller, std::string_view token, std::string_view code,
                           const std::string& name, const Client& client) {
    using Outcome = AddedTotp::Outcome;
    const Timestamp now = clock_.now();
    const auto invited = openInvitation(ring_, token, now);
    if (!invited || invited->userId != caller.user.id) return {Outcome::BadToken};
    // Who may guess here was told the secret.
    const auto step = matchTotp(invited->secret, code, now, 0);
    if (!step) return {Outcome::WrongCode};
    Totp totp{.id = invited->id,
              .userId = caller.user.id,
              .sealedSecret = sealTotpSecret(ring_, invited->id, invited->secret, random_),
              .name = name,
              .lastStep = *step,
              .createdAt = now,
              .lastUsedAt = std::nullopt};
    const auto addition = store_.add({.totp = totp,
                                      .sessionId = caller.session.id,
                                      .lifetimes = settings_.sessions,
                                      .most = kMaxTotps,
                                      .auditId = Uuid::makeV7(now, random_),
                                      .client = client,
                                      .notice = draft(MessageKind::TotpAdded, caller.session.device, client, now)});
    if (addition.notice) messenger_.handOver(*addition.notice);
    switch (addition.outcome) {
    case TotpInsertion::Added: return {Outcome::Added, std::move(totp)};
    case TotpInsertion::KnownAlready: return {Outcome::KnownAlready};
    case TotpInsertion::SessionEnded: return {Outcome::SessionEnded};
    case TotpInsertion::TooMany: return {Outcome::TooMany};
    case TotpInsertion::NeedsFactor: return {Outcome::NeedsFactor};
    }
    return {};
}

bool TotpService::remove(const Uuid& id, const AuthenticatedSession& caller, const Client& client) {
    const Timestamp now = clock_.now();
    const auto removal = store_.remove({.id = id,
                                        .userId = caller.user.id,
                                        .now = now,
                                        .auditId = Uuid::makeV7(now, random_),
                                        .client = client,
                                        .notice = draft(MessageKind::TotpRemoved, caller.session.device, client, now)});
    if (removal.notice) messenger_.handOver(*removal.notice);
    return removal.isDone;
}

std::optional<SecondStepProof::Match> TotpService::match(const Uuid& userId, std::string_view code, Timestamp now) {
    std::optional<SecondStepProof::Match> found;
    for (const Totp& totp : store_.list(userId)) {
        const auto step = matchTotp(openTotpSecret(ring_, totp.id, totp.sealedSecret), code, now, totp.lastStep);
        if (step && !found) found = SecondStepProof::Match{totp.id, *step};
    }
    return found;
}

SecondStepVerdict TotpService::signIn(std::string_view token, std::string_view code, const Device& device,
                                      const Asker& asker, TrustWish wish) {
    const auto pending = open(token);
    if (!pending) return {SecondStepVerdict::Outcome::BadToken};
    SecondStepProof proof;
    proof.match = match(pending->first.userId, code, clock_.now());
    if (wish == TrustWish::Trust && settings_.deviceTrust)
        proof.notice = draft(MessageKind::DeviceTrusted, device, asker.client, clock_.now());
    return finish(*pending, proof, device, asker, wish);
}

SecondStepVerdict TotpService::signInToAddFactor(std::string_view token, const Device& device, const Asker& asker) {
    const auto pending = open(token);
    if (!pending) return {SecondStepVerdict::Outcome::BadToken};
    SecondStepProof proof;
    proof.addsFactor = true;
    return finish(*pending, proof, device, asker);
}

std::optional<PendingStep> TotpService::open(std::string_view token) const {
    return parseSecondStepToken(ring_, token, clock_.now());
}

SecondStepVerdict TotpService::finish(const PendingStep& pending, const SecondStepProof& proof, const Device& device,
                                      const Asker& asker, TrustWish wish) {
    using Outcome = SecondStepVerdict::Outcome;
    const Timestamp now = clock_.now();
    const Uuid& owner = pending.first.userId;
    auto result = store_.guess({.pending = pending,
                                .proof = proof,
                                .guessRule = settings_.guesses,
                                .bucket = limitBucket("second-step", owner.bytes()),
                                .deviceBucket = limitBucket("second-step-device", owner.bytes()),
                                .session = {.id = Uuid::makeV7(now, random_),
                                            .now = now,
                                            .lifetimes = settings_.sessions,
                                            .shownDevice = asker.device,
                                            .newDeviceId = Uuid::makeV7(now, random_),
                                            .device = device,
                                            .notice = draft(MessageKind::NewSignIn, device, asker.client, now),
                                            .client = asker.client,
                                            .trustsDevice = wish == TrustWish::Trust && settings_.deviceTrust},
                                .auditId = Uuid::makeV7(now, random_),
                                .recoveryAuditId = Uuid::makeV7(now, random_),
                                .signIn = &settings_.signIn});
    for (const OutboxMessage& notice : result.notices) messenger_.handOver(notice);
    switch (result.outcome) {
    case SecondStepResult::Outcome::SignedIn: return {Outcome::SignedIn, std::move(result.signIn)};
    case SecondStepResult::Outcome::Wrong: return {Outcome::Wrong};
    case SecondStepResult::Outcome::TokenUsed:
    case SecondStepResult::Outcome::Unknown: return {Outcome::BadToken};
    case SecondStepResult::Outcome::TooManyFailures: return {Outcome::TooManyFailures};
    case SecondStepResult::Outcome::AccountDisabled: return {Outcome::AccountDisabled};
    case SecondStepResult::Outcome::BudgetExhausted:
        return {Outcome::Limited, std::nullopt,
                reportLimit("guesses_per_destination", settings_.guesses, std::move(result.hits), now)};
    }
    return {};
}

void resealTotps(TotpStore& store, const crypto::KeyRing& ring, Random& random) {
    Uuid last;
    while (true) {
        const auto rows = store.sealedSecrets(last, kSealsAtOnce);
        if (rows.empty()) return;
        for (const auto& [id, sealed] : rows) {
            store.reseal(id, sealed, sealTotpSecret(ring, id, openTotpSecret(ring, id, sealed), random));
        }
        last = rows.back().first;
    }
}

}  // namespace otpgate::domain
