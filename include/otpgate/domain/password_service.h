// Passwords: the first step of a login by password, and setting a new one. What is slow on purpose goes through the
// process's PasswordGate; where that is full, ServiceUnavailable. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/password_gate.h"
#include "otpgate/domain/account_store.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/password_policy.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class PasswordOutcome { Right, Wrong, Limited, ClientLimited, TooManyFailures };

struct PasswordLimits {
    LimitRule perDestination;
    LimitRule perClient;
};

struct CheckedPassword {
    PasswordOutcome outcome = PasswordOutcome::Wrong;
    std::optional<LimitReport> limit;  // where Limited or ClientLimited
    std::optional<User> user;          // where Right
};

struct ResetByCode {
    VerifiedOtp code;
    bool isDone = false;       // where the code is Verified; else there is no active account
    bool needsFactor = false;  // there is one, which wants more than a code
};

class PasswordService {
public:
    PasswordService(AccountStore& store, crypto::PasswordGate& gate, const PasswordPolicy& policy, const Clock& clock,
                    Random& random, PasswordLimits limits, Messenger& messenger, NoticeSettings notices);

    // The sentence that says why a user may not choose it.
    std::optional<std::string> reasonToRefuse(std::string_view password,
                                              const std::optional<Destination>& destination) const;
    std::optional<std::string> reasonToRefuse(std::string_view password, const User& user) const;
    std::string hash(std::string_view password) { return gate_.hash(password); }

    // Counts before it compares. Wrong for an unknown account, one without a password and a disabled one too, after the
    // same work.
    CheckedPassword check(const Destination& destination, std::string_view password, const Asker& asker);

    // The account that a code of purpose reset, by its receipt, may set the password of.
    std::optional<User> findByReset(const Uuid& otpId) { return store_.findByReset(otpId); }
    // Both end every session. False: the receipt is spent.
    bool reset(const Uuid& otpId, std::string passwordHash, const Client& client);
    // By a guess at a code of purpose reset, which is spent and put to use in one step.
    ResetByCode resetByCode(OtpService& otp, OtpReference reference, std::string_view guess,
                            const std::string& passwordHash, const Asker& asker);
    // Ends all sessions but the one that asks. `current` is counted and compared as by check(), and stays counted even
    // where it is right: each change writes rows and sends a notice.
    CheckedPassword change(const User& user, const Session& session, std::string_view current,
                           std::string_view password, const Asker& asker);

private:
    struct Comparison {
        CheckedPassword result;
        std::string hash;  // where Right
        crypto::PasswordMatch match = crypto::PasswordMatch::Wrong;
        std::vector<std::string> buckets;  // where it is counted still, then
        std::string failureBucket;
        Timestamp countedAt;
    };
    Comparison compare(const Destination& destination, std::string_view password, const Asker& asker);
    void auditWrong(const Destination& destination, const CountedGuess& guess, const Asker& asker, Timestamp now);
    void learnCostOf(const std::string& hash);
    crypto::PasswordMatch matchOf(std::string_view password, const CountedGuess& guess);
    void upgrade(const User& user, std::string_view password, const Comparison& comparison);
    PasswordReset makeReset(std::string passwordHash, const Client& client);

    AccountStore& store_;
    crypto::PasswordGate& gate_;
    const PasswordPolicy& policy_;
    const Clock& clock_;
    Random& random_;
    PasswordLimits limits_;
    Messenger& messenger_;
    NoticeSettings notices_;
};

}  // namespace otpgate::domain
