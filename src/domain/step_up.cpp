#include "otpgate/domain/step_up.h"

namespace otpgate::domain {

Standing standingOf(const AuthenticatedSession& session, Timestamp now) {
    const User& user = session.user;
    const std::string& methods = session.session.methods;
    return {.hasFactor = user.hasFactor,
            .level = assuranceOf(methods),
            .age = now - session.session.authenticatedAt,
            .showsFactor = opensAccount(methods, true),
            .mayOnlyAddFactors = mayOnlyAddFactors(methods),
            .hasPasskey = !user.hasTotp || user.hasVerifyingPasskey};
}

StepUp stepUpFor(Action action, const Standing& standing, std::chrono::seconds within) {
    if (action == Action::Leave) return StepUp::None;
    const bool outlasts = action == Action::Change || action == Action::AddFactor || action == Action::Administer;
    const bool isSure = standing.level == AssuranceLevel::Two;
    const bool isRecovery = action == Action::AddFactor && standing.mayOnlyAddFactors;
    const bool isEnough = isSure || isRecovery || (standing.showsFactor && !(outlasts && standing.hasPasskey));
    if (standing.hasFactor && !isEnough) return StepUp::TwoFactors;
    return outlasts && standing.age > within ? StepUp::Anew : StepUp::None;
}

}  // namespace otpgate::domain
