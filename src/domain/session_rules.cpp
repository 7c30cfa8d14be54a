#include "otpgate/domain/session_rules.h"

namespace otpgate::domain {

using Outcome = SessionRefreshResult::Outcome;

RefreshRuling ruleOnRefresh(const SessionRefresh& refresh, StoredSession* session) {
    if (session == nullptr || session->revokedAt || session->expiresAt <= refresh.now || !session->userIsActive) {
        return {};
    }
    const SessionRefreshResult granted{Outcome::Rotated, session->userId, session->authenticatedAt, session->methods};
    if (session->refreshCounter == refresh.counter) {
        // A refresh leaves a trace only where it comes from elsewhere than the last one: thousands from one browser
        // would say nothing, and cost a row each.
        const bool isSameClient =
            session->address == refresh.client.address && session->userAgent == refresh.client.userAgent;
        ++session->refreshCounter;
        session->rotatedAt = session->lastSeenAt = refresh.now;
        session->expiresAt = refresh.expiresAt;
        session->address = refresh.client.address;
        session->userAgent = refresh.client.userAgent;
        return {granted, isSameClient ? std::nullopt : std::optional{AuditEvent::TokenRefreshed}};
    }
    if (session->refreshCounter == refresh.counter + 1 && session->rotatedAt > refresh.graceSince) {
        RefreshRuling repeated{granted, std::nullopt};
        repeated.result.outcome = Outcome::Repeated;
        return repeated;
    }
    // A token ahead of the row: the database was restored from an older copy. Nobody stole anything, but nothing is
    // proved.
    if (session->refreshCounter < refresh.counter) return {};
    session->revokedAt = refresh.now;
    return {{Outcome::Reused, {}, {}, {}}, AuditEvent::TokenReused};
}

}  // namespace otpgate::domain
