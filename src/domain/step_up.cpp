#include "otpgate/domain/step_up.h"

namespace otpgate::domain {

Standing standingOf(const AuthenticatedSession& session, Timestamp now) {
    const User& user = session.user;
    const std::string& methods = session.session.methods;
    return {.hasFactor = user.hasFactor,
            .level = assuranceOf(methods),
            .age = now - session.session.authenticatedAt,
            .showsFactor = showsFactor(methods),
            .mayOnlyAddFactors = mayOnlyAddFactors(methods),
            .hasPasskey = !user.hasTotp || user.hasVerifyingPasskey,
            .opensAccount = opensAccount(methods, true),
            .owesFactor = session.owesFactor};
}

StepUp stepUpFor(Action action, const Standing& standing, std::chrono::seconds within) {
    if (action == Action::Leave) return StepUp::None;
    const bool outlasts = action == Action::Change || action == Action::AddFactor || action == Action::Administer;
    const bool isSure = standing.level == AssuranceLevel::Two;
    const bool isOfFactors = action == Action::SeeFactors || action == Action::AddFactor;
    const bool isRecovery = isOfFactors && standing.mayOnlyAddFactors;
    const bool isShown = outlasts ? standing.showsFactor && !standing.hasPasskey : standing.opensAccount;
    if (standing.hasFactor && !(isSure || isRecovery || isShown)) return StepUp::TwoFactors;
    if (standing.owesFactor && !isOfFactors) return StepUp::TwoFactors;
    return outlasts && standing.age > within ? StepUp::Anew : StepUp::None;
}

}  // namespace otpgate::domain
