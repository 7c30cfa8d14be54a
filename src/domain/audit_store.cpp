#include "otpgate/domain/audit_store.h"

namespace otpgate::domain {

std::optional<AuditScope> auditScopeOf(const User& user) {
    if (user.role == Role::Admin) return std::nullopt;
    return ownAuditScope(user);
}

AuditScope ownAuditScope(const User& user) {
    AuditScope scope{user.id, {}};
    if (user.email && user.emailVerified) scope.addresses.push_back(*user.email);
    if (user.phoneNumber && user.phoneVerified) scope.addresses.push_back(*user.phoneNumber);
    return scope;
}

}  // namespace otpgate::domain
