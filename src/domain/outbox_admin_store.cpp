#include "otpgate/domain/outbox_admin_store.h"

namespace otpgate::domain {

std::string_view toString(OutboxState state) {
    switch (state) {
    case OutboxState::Waiting: return "waiting";
    case OutboxState::Leased: return "leased";
    case OutboxState::Dead: return "dead";
    }
    return {};
}

std::optional<std::string> reasonNotToSend(const OutboxEntry& entry, CodeState code, Timestamp now) {
    if (entry.message.expiresAt <= now)
        return "expired at " + formatRfc3339(entry.message.expiresAt) + " and is never sent";
    if (code != CodeState::Good) return std::string{toString(code)} + ": it is never sent";
    if (entry.state == OutboxState::Leased) return std::string{kMessageIsBeingSent};
    return std::nullopt;
}

}  // namespace otpgate::domain
