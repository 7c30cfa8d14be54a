#include "otpgate/domain/session_rules.h"

#include "otpgate/domain/assurance.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::chrono::minutes kTellOfMovesEvery{5};
constexpr std::chrono::minutes kTouchEvery{5};

}  // namespace

using Outcome = SessionRefreshResult::Outcome;

bool signedInRecently(const Session& session, std::chrono::seconds within, Timestamp now) {
    return now - session.authenticatedAt <= within;
}

Timestamp sessionEndsAt(Timestamp createdAt, Timestamp now, const SessionLifetimes& lifetimes) {
    return std::min(now + lifetimes.idle, createdAt + lifetimes.total);
}

bool isWithinLifetime(Session& session, const SessionLifetimes& lifetimes, Timestamp now) {
    session.expiresAt = std::min<Timestamp>(session.expiresAt, session.createdAt + lifetimes.total);
    return session.createdAt + lifetimes.total > now;
}

bool isGood(AuthenticatedSession& session, const SessionLifetimes& lifetimes, const SignInRule& rule, Timestamp now) {
    return isWithinLifetime(session.session, lifetimes, now) && rule.allows(session.user);
}

bool isTouchDue(const Session& session, const SessionLifetimes& lifetimes, Timestamp now) {
    return session.lastSeenAt < now - std::min<std::chrono::seconds>(kTouchEvery, lifetimes.idle / 4);
}

RefreshRuling ruleOnRefresh(const SessionRefresh& refresh, StoredSession* session) {
    if (session == nullptr || session->revokedAt || session->expiresAt <= refresh.now || !session->userIsActive) {
        return {};
    }
    if (refresh.signIn != nullptr && !refresh.signIn->allows(session->userRole, session->userGroups)) return {};
    // Its row may say a later end: of a version, or of a setting, that let sessions last longer.
    const Timestamp lastsUntil = session->createdAt + refresh.lifetimes.total;
    if (lastsUntil <= refresh.now) return {};
    if (!opensAccount(session->methods, session->userHasFactor)) return {{Outcome::NeedsFactor, {}, {}, {}, {}}, {}};
    const SessionRefreshResult granted{Outcome::Rotated, session->userId, session->authenticatedAt, session->methods,
                                       lastsUntil};
    if (session->refreshCounter == refresh.counter) {
        // A refresh leaves a trace only where it comes from elsewhere than the one that was told last: thousands from
        // one browser would say nothing, and cost a row each. Whoever comes from elsewhere each time is told of once in
        // a while; until then the session stays where it was, so that the next one that may be told of is.
        const bool isTold =
            (session->address != refresh.client.address || session->userAgent != refresh.client.userAgent) &&
            session->movedAt <= refresh.now - kTellOfMovesEvery;
        ++session->refreshCounter;
        session->rotatedAt = session->lastSeenAt = refresh.now;
        session->expiresAt = sessionEndsAt(session->createdAt, refresh.now, refresh.lifetimes);
        if (!isTold) return {granted, std::nullopt};
        session->address = refresh.client.address;
        session->userAgent = refresh.client.userAgent;
        session->movedAt = refresh.now;
        return {granted, AuditEvent::TokenRefreshed};
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
    return {{Outcome::Reused, {}, {}, {}, {}}, AuditEvent::TokenReused};
}

}  // namespace otpgate::domain
