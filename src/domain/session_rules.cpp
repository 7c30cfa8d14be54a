#include "otpgate/domain/session_rules.h"

#include "otpgate/domain/assurance.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::chrono::minutes kTellOfMovesEvery{5};
constexpr std::chrono::minutes kTouchSessionEvery{5};

bool isSure(std::string_view methods) {
    return assuranceOf(methods) == AssuranceLevel::Two;
}

std::chrono::seconds idleTime(std::string_view methods, const SessionLifetimes& lifetimes) {
    return isSure(methods) ? std::min(lifetimes.idle, lifetimes.aal2Idle) : lifetimes.idle;
}

// Of a session as it is stored, that was used last then.
template <typename Row>
Timestamp endOf(const Row& session, Timestamp lastUse, const SessionLifetimes& lifetimes) {
    const Timestamp ordinary =
        std::min<Timestamp>(lastUse + idleTime(session.methods, lifetimes), session.createdAt + lifetimes.total);
    return isSure(session.methods) ? std::min<Timestamp>(ordinary, session.authenticatedAt + lifetimes.aal2Total)
                                   : ordinary;
}

// Who has just raised it has just used it.
template <typename Row>
Timestamp lastUseOf(const Row& session) {
    return std::max(session.lastSeenAt, session.authenticatedAt);
}

bool owesFactor(const StoredSession& session, const SessionRefresh& refresh) {
    if (refresh.signIn == nullptr) return false;
    const auto dueAt = refresh.signIn->factors.dueAt(
        {session.userHasFactor, session.userRole, session.userGroups, session.userFactorWantedSince}, refresh.now);
    return dueAt && *dueAt <= refresh.now;
}

}  // namespace

bool signedInRecently(const Session& session, std::chrono::seconds within, Timestamp now) {
    return now - session.authenticatedAt <= within;
}

Timestamp sessionEndsAt(const Session& session, Timestamp now, const SessionLifetimes& lifetimes) {
    return endOf(session, now, lifetimes);
}

Timestamp newSessionEndsAt(std::string_view methods, Timestamp now, const SessionLifetimes& lifetimes) {
    Session session;
    session.methods = methods;
    session.createdAt = session.authenticatedAt = now;
    return endOf(session, now, lifetimes);
}

bool isWithinLifetime(Session& session, const SessionLifetimes& lifetimes, Timestamp now) {
    const Timestamp end = endOf(session, lastUseOf(session), lifetimes);
    session.expiresAt = std::min(session.expiresAt, end);
    return end > now;
}

bool isGood(AuthenticatedSession& session, const SessionLifetimes& lifetimes, const SignInRule& rule, Timestamp now) {
    session.owesFactor = owesFactor(session.user, rule, now);
    return isWithinLifetime(session.session, lifetimes, now) && rule.allows(session.user);
}

bool isTouchDue(const Session& session, const SessionLifetimes& lifetimes, Timestamp now) {
    const auto idle = idleTime(session.methods, lifetimes);
    return session.lastSeenAt < now - std::min<std::chrono::seconds>(kTouchSessionEvery, idle / 4);
}

RefreshRuling ruleOnRefresh(const SessionRefresh& refresh, StoredSession* session) {
    if (session == nullptr || session->revokedAt || !session->userIsActive) return {};
    if (refresh.signIn != nullptr && !refresh.signIn->allows(session->userRole, session->userGroups)) return {};
    // Its row may say a later end: see isWithinLifetime().
    const Timestamp endsAt = std::min(session->expiresAt, endOf(*session, lastUseOf(*session), refresh.lifetimes));
    if (endsAt <= refresh.now) return {};
    if (!opensAccount(session->methods, session->userHasFactor) || owesFactor(*session, refresh))
        return {{SessionRefreshResult::Outcome::NeedsFactor, {}, {}, {}, {}}, {}};
    SessionRefreshResult granted{SessionRefreshResult::Outcome::Rotated, session->userId, session->authenticatedAt,
                                 session->methods, endsAt};
    if (session->refreshCounter == refresh.counter) {
        // A refresh leaves a trace only where it comes from elsewhere than the one that was told last: thousands from
        // one browser would say nothing, and cost a row each. Whoever comes from elsewhere each time is told of once in
        // a while; until then the session stays where it was, so that the next one that may be told of is.
        const bool isTold =
            (session->address != refresh.client.address || session->userAgent != refresh.client.userAgent) &&
            session->movedAt <= refresh.now - kTellOfMovesEvery;
        ++session->refreshCounter;
        session->rotatedAt = session->lastSeenAt = refresh.now;
        session->expiresAt = granted.lastsUntil = endOf(*session, refresh.now, refresh.lifetimes);
        if (!isTold) return {granted, std::nullopt};
        session->address = refresh.client.address;
        session->userAgent = refresh.client.userAgent;
        session->movedAt = refresh.now;
        return {granted, AuditEvent::TokenRefreshed};
    }
    if (session->refreshCounter == refresh.counter + 1 && session->rotatedAt > refresh.graceSince) {
        RefreshRuling repeated{granted, std::nullopt};
        repeated.result.outcome = SessionRefreshResult::Outcome::Repeated;
        return repeated;
    }
    // A token ahead of the row: the database was restored from an older copy. Nobody stole anything, but nothing is
    // proved.
    if (session->refreshCounter < refresh.counter) return {};
    session->revokedAt = refresh.now;
    return {{SessionRefreshResult::Outcome::Reused, {}, {}, {}, {}}, AuditEvent::TokenReused};
}

}  // namespace otpgate::domain
