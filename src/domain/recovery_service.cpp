#include "otpgate/domain/recovery_service.h"

#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/recovery_codes.h"

#include <algorithm>
#include <utility>

namespace otpgate::domain {

namespace {

constexpr std::size_t kMaxCodeBytes = 64;
// As account_limits.h names what they count.
constexpr std::string_view kGuesses = "recovery";
constexpr std::string_view kSets = "recovery-set";

}  // namespace

RecoveryService::RecoveryService(RecoveryStore& store, TotpService& steps, crypto::PasswordGate& gate,
                                 Messenger& messenger, const Clock& clock, Random& random, LimitRule turns,
                                 NoticeSettings notices)
    : store_(store),
      steps_(steps),
      gate_(gate),
      messenger_(messenger),
      clock_(clock),
      random_(random),
      turns_(std::move(turns)),
      notices_(std::move(notices)) {}

std::optional<NoticeDraft> RecoveryService::draft(MessageKind kind, const Device& device, const Client& client,
                                                  Timestamp now) {
    return draftNotice(notices_, {kind, describeDevice(device, client.userAgent), client, now, messenger_.lease()},
                       random_);
}

RecoveryState RecoveryService::state(const Uuid& userId) {
    RecoveryState state;
    for (const StoredRecoveryCode& code : store_.list(userId)) {
        if (!code.isConfirmed) continue;
        state.madeAt = code.createdAt;
        if (!code.usedAt) ++state.left;
    }
    return state;
}

// A hash is what a processor is busy with for a while, so nobody has them made as often as he likes.
std::optional<LimitReport> RecoveryService::takeTurn(std::string_view kind, const Uuid& userId) {
    const Timestamp now = clock_.now();
    auto hits = store_.takeTurn(limitBucket(kind, userId.bytes()), turns_, now);
    return hits ? reportLimit("guesses_per_destination", turns_, std::move(*hits), now) : std::nullopt;
}

MadeRecovery RecoveryService::make(const Uuid& userId) {
    if (const auto limit = takeTurn(kSets, userId)) return {{}, limit};
    const Timestamp now = clock_.now();
    std::vector<std::string> shown;
    std::vector<StoredRecoveryCode> codes;
    for (unsigned number = 0; number < kRecoveryCodes; ++number) {
        const RecoveryCode code = makeRecoveryCode(number, random_);
        shown.push_back(toText(code));
        codes.push_back({.id = Uuid::makeV7(now, random_),
                         .userId = userId,
                         .number = number,
                         .hash = gate_.hash(code.letters),
                         .isConfirmed = false,
                         .createdAt = now,
                         .usedAt = std::nullopt});
    }
    store_.propose(userId, codes);
    return {std::move(shown)};
}

// One comparison, whether there is such a code or not: its number says which.
std::optional<Uuid> RecoveryService::find(const Uuid& userId, std::string_view typed, Kind kind) {
    const auto code = parseRecoveryCode(typed);
    const auto codes = store_.list(userId);
    const auto isIt = [&](const StoredRecoveryCode& each) {
        return code && each.number == code->number && each.isConfirmed == (kind == Kind::Confirmed) && !each.usedAt;
    };
    const auto found = std::ranges::find_if(codes, isIt);
    if (found == codes.end()) {
        gate_.verifyNobody(typed.substr(0, kMaxCodeBytes));
        return std::nullopt;
    }
    const auto match = gate_.verify(code->letters, found->hash);
    return match == crypto::PasswordMatch::Right ? std::optional{found->id} : std::nullopt;
}

KeptRecovery RecoveryService::confirm(const AuthenticatedSession& caller, std::string_view typed,
                                      const Client& client) {
    if (const auto limit = takeTurn(kSets, caller.user.id)) return {false, limit};
    const auto id = find(caller.user.id, typed, Kind::Proposed);
    if (!id) return {};
    const Timestamp now = clock_.now();
    const auto confirmed =
        store_.confirm({.userId = caller.user.id,
                        .codeId = *id,
                        .now = now,
                        .auditId = Uuid::makeV7(now, random_),
                        .client = client,
                        .notice = draft(MessageKind::RecoveryCodesMade, caller.session.device, client, now)});
    if (confirmed.notice) messenger_.handOver(*confirmed.notice);
    return {confirmed.isDone};
}

SecondStepVerdict RecoveryService::signIn(std::string_view token, std::string_view typed, const Device& device,
                                          const Asker& asker) {
    const auto pending = steps_.open(token);
    if (!pending) return {SecondStepVerdict::Outcome::BadToken};
    if (const auto limit = takeTurn(kGuesses, pending->first.userId))
        return {SecondStepVerdict::Outcome::Limited, std::nullopt, limit};
    SecondStepProof proof;
    proof.isRecovery = true;
    proof.recoveryCode = find(pending->first.userId, typed, Kind::Confirmed);
    proof.notice = draft(MessageKind::RecoveryCodeUsed, device, asker.client, clock_.now());
    return steps_.finish(*pending, proof, device, asker);
}

}  // namespace otpgate::domain
