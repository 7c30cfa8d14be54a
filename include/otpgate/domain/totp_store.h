// What the domain needs of the table totps. Each function is one atomic step; one object a thread; throws
// ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/second_step.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace otpgate::domain {

struct Totp {
    Uuid id;
    Uuid userId;
    std::string sealedSecret;
    std::string name;
    std::int64_t lastStep = 0;  // see totp_rules.h
    Timestamp createdAt;
    std::optional<Timestamp> lastUsedAt;
};

struct NewTotp {
    Totp totp;
    Uuid sessionId;  // which asks for it, and must not have ended by then
    SessionLifetimes lifetimes{};
    unsigned most = 0;  // of one user
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};
enum class TotpInsertion {
    Added,
    KnownAlready,  // it was added a moment ago
    SessionEnded,
    TooMany,
    NeedsFactor  // the account has got a factor meanwhile, and the session was opened without
};
struct TotpAddition {
    TotpInsertion outcome = TotpInsertion::SessionEnded;
    std::optional<OutboxMessage> notice = std::nullopt;  // the one that was written
};

struct RemovedTotp {
    Uuid id;
    Uuid userId;
    Timestamp now;
    Uuid auditId;
    Client client;
    std::optional<NoticeDraft> notice = std::nullopt;
};
struct TotpRemoval {
    bool isDone = false;
    std::optional<OutboxMessage> notice = std::nullopt;
};

// What was shown after a right code of ours: a code of an app, or one for a factor that is lost. Nothing where the
// account has no factor and must have one first: its owner comes in to add it.
struct SecondStepProof {
    struct Match {
        Uuid totpId;
        std::int64_t step = 0;
    };
    bool isRecovery = false;
    bool addsFactor = false;
    std::optional<Match> match{};  // neither this nor the next: it is wrong
    std::optional<Uuid> recoveryCode{};
    std::optional<NoticeDraft> notice = std::nullopt;  // of a recovery code that was used, or a device that is trusted
};
struct SecondStepGuess {
    PendingStep pending;
    SecondStepProof proof;
    LimitRule guessRule;  // of every bucket
    std::string bucket;   // of the account's second steps; its known devices have one of their own
    std::string deviceBucket;
    NewSession session;
    Uuid auditId;
    Uuid recoveryAuditId;
    const SignInRule* signIn = nullptr;  // who must have a factor; nullptr: nobody
};
struct SecondStepResult {
    enum class Outcome {
        SignedIn,
        Wrong,
        TokenUsed,
        BudgetExhausted,
        TooManyFailures,  // in a row: no code of an app counts any more
        AccountDisabled,
        Unknown  // there is no such account any more
    };
    Outcome outcome = Outcome::Wrong;
    std::string hits{};  // of the bucket that refused
    std::optional<SignIn> signIn = std::nullopt;
    std::vector<OutboxMessage> notices{};
};

class TotpStore {
public:
    virtual ~TotpStore() = default;
    virtual std::vector<Totp> list(const Uuid& userId) = 0;  // the oldest first
    // The session shows it from then on. With the account's first factor its other sessions end.
    virtual TotpAddition add(const NewTotp& totp) = 0;
    virtual TotpRemoval remove(const RemovedTotp& removed) = 0;
    // Counts before it lets the outcome be known: a wrong one takes a place in the budget of the first step's code, and
    // in that of the account's second steps. Of many right ones of a step one wins.
    virtual SecondStepResult guess(const SecondStepGuess& guess) = 0;

    // All secrets, by id, behind `after`; and another seal for one of them, unless it has changed meanwhile.
    virtual std::vector<std::pair<Uuid, std::string>> sealedSecrets(const Uuid& after, unsigned limit) = 0;
    virtual void reseal(const Uuid& id, const std::string& before, const std::string& sealed) = 0;
};

}  // namespace otpgate::domain
