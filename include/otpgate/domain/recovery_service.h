// Recovery codes: makes them, and takes one for a factor that was lost. Each is hashed as passwords are, behind the
// same gate. One object a worker thread.
#pragma once

#include "otpgate/crypto/password_gate.h"
#include "otpgate/domain/recovery_store.h"
#include "otpgate/domain/totp_service.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct RecoveryState {
    unsigned left = 0;
    std::optional<Timestamp> madeAt = std::nullopt;  // of those that count
};

struct MadeRecovery {
    std::vector<std::string> codes;                   // as they are shown, once; none where there is a limit
    std::optional<LimitReport> limit = std::nullopt;  // why there are none
};
struct KeptRecovery {
    bool isDone = false;                              // else it is none of those that were made last
    std::optional<LimitReport> limit = std::nullopt;  // or was not looked at
};

class RecoveryService {
public:
    RecoveryService(RecoveryStore& store, TotpService& steps, crypto::PasswordGate& gate, Messenger& messenger,
                    const Clock& clock, Random& random, LimitRule turns, NoticeSettings notices);

    RecoveryState state(const Uuid& userId);
    // They count when one of them is typed back. Each costs a hash, so both are limited, with the same budget.
    MadeRecovery make(const Uuid& userId);
    KeptRecovery confirm(const AuthenticatedSession& caller, std::string_view typed, const Client& client);

    // The rest of a sign-in by a right code of ours: the session may only add a factor (step_up.h). Costs one hash,
    // whatever was typed, and is counted before it.
    SecondStepVerdict signIn(std::string_view token, std::string_view typed, const Device& device, const Asker& asker);

private:
    enum class Kind { Proposed, Confirmed };
    std::optional<LimitReport> takeTurn(std::string_view kind, const Uuid& userId);
    std::optional<Uuid> find(const Uuid& userId, std::string_view typed, Kind kind);
    std::optional<NoticeDraft> draft(MessageKind kind, const Device& device, const Client& client, Timestamp now);

    RecoveryStore& store_;
    TotpService& steps_;
    crypto::PasswordGate& gate_;
    Messenger& messenger_;
    const Clock& clock_;
    Random& random_;
    LimitRule turns_;
    NoticeSettings notices_;
};

}  // namespace otpgate::domain
