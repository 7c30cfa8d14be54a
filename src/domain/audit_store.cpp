#include "otpgate/domain/audit_store.h"

namespace otpgate::domain {

std::optional<AuditScope> auditScopeOf(const User& user) {
    if (user.role == Role::Admin) return std::nullopt;
    return ownAuditScope(user);
}

AuditScope ownAuditScope(const User& user) {
    // The codes by which one joins come before.
    constexpr std::chrono::hours kJoining{1};
    AuditScope scope{user.id, {}, user.joinedAt - kJoining};
    if (user.email && user.emailVerified) scope.addresses.push_back(*user.email);
    if (user.phoneNumber && user.phoneVerified) scope.addresses.push_back(*user.phoneNumber);
    return scope;
}

}  // namespace otpgate::domain
