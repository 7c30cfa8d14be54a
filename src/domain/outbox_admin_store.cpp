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

}  // namespace otpgate::domain
