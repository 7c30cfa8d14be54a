#include "otpgate/domain/step_up.h"

namespace otpgate::domain {

Standing standingOf(const AuthenticatedSession& session, Timestamp now) {
    return {session.user.hasFactor, assuranceOf(session.session.methods), now - session.session.authenticatedAt};
}

StepUp stepUpFor(Action action, const Standing& standing, std::chrono::seconds within) {
    if (action == Action::Leave) return StepUp::None;
    if (standing.hasFactor && standing.level != AssuranceLevel::Two) return StepUp::TwoFactors;
    const bool outlasts = action == Action::Change || action == Action::Administer;
    return outlasts && standing.age > within ? StepUp::Anew : StepUp::None;
}

}  // namespace otpgate::domain
