// Answers what the test set, and keeps what it was asked.
#pragma once

#include "otpgate/domain/session_store.h"

#include <optional>
#include <utility>
#include <vector>

namespace otpgate::test {

class FakeSessionStore final : public domain::SessionStore {
public:
    domain::SessionRefreshResult refresh(const domain::SessionRefresh& refresh) override {
        refreshes.push_back(refresh);
        return refreshResult;
    }
    std::optional<domain::AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) override {
        found.emplace_back(sessionId, now);
        if (active) begin(active->session, now);
        return active;
    }
    std::vector<domain::Session> listActive(const Uuid& userId, Timestamp now) override {
        found.emplace_back(userId, now);
        for (domain::Session& session : sessions) begin(session, now);
        return sessions;
    }
    void touch(const Uuid& sessionId, Timestamp now, Timestamp expiresAt) override {
        touches.push_back({sessionId, now, expiresAt});
    }
    bool revoke(const domain::RevokeSession& revocation) override {
        revocations.push_back(revocation);
        return revokeResult;
    }
    std::uint64_t revokeAll(const domain::RevokeAllSessions& revocation) override {
        allRevocations.push_back(revocation);
        return 3;
    }

    struct Touch {
        Uuid sessionId;
        Timestamp now;
        Timestamp expiresAt;
    };

    domain::SessionRefreshResult refreshResult;
    std::vector<domain::SessionRefresh> refreshes;
    std::optional<domain::AuthenticatedSession> active = domain::AuthenticatedSession{};
    std::vector<std::pair<Uuid, Timestamp>> found;
    std::vector<domain::Session> sessions{2};  // of every user
    bool revokeResult = true;
    std::vector<domain::RevokeSession> revocations;
    std::vector<domain::RevokeAllSessions> allRevocations;
    std::vector<Touch> touches;

private:
    // What a test does not say began just now.
    static void begin(domain::Session& session, Timestamp now) {
        if (session.createdAt == Timestamp{}) session.createdAt = now;
        if (session.lastSeenAt == Timestamp{}) session.lastSeenAt = now;
        if (session.authenticatedAt == Timestamp{}) session.authenticatedAt = now;
    }
};

}  // namespace otpgate::test
