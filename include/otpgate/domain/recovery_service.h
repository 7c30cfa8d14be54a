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

class RecoveryService {
public:
    RecoveryService(RecoveryStore& store, TotpService& steps, crypto::PasswordGate& gate, Messenger& messenger,
                    const Clock& clock, Random& random, NoticeSettings notices);

    RecoveryState state(const Uuid& userId);
    // As they are shown, once. They count when one of them is typed back.
    std::vector<std::string> make(const Uuid& userId);
    // False: it is none of those that were made last.
    bool confirm(const AuthenticatedSession& caller, std::string_view typed, const Client& client);

    // The rest of a sign-in by a right code of ours: the session may only add a factor (step_up.h). Costs one hash,
    // whatever was typed.
    SecondStepVerdict signIn(std::string_view token, std::string_view typed, const Device& device, const Asker& asker,
                             Timestamp sessionEnd);

private:
    enum class Kind { Proposed, Confirmed };
    std::optional<Uuid> find(const Uuid& userId, std::string_view typed, Kind kind);
    std::optional<NoticeDraft> draft(MessageKind kind, const Device& device, const Client& client, Timestamp now);

    RecoveryStore& store_;
    TotpService& steps_;
    crypto::PasswordGate& gate_;
    Messenger& messenger_;
    const Clock& clock_;
    Random& random_;
    NoticeSettings notices_;
};

}  // namespace otpgate::domain
