// Sign-ins at applications: the row of each grant, and its place in the audit trail.
#include "store/audit_events.h"
#include "store/group_work.h"
#include "store/oidc_rows.h"

namespace otpgate::store {

namespace {

const auto kInsertGrant =
    db::RowStatement::insert("oidc_grants", {"id", "client_id", "user_id", "session_id", "scopes", "nonce", "challenge",
                                             "redirect_hash", "amr", "acr", "authenticated_at_us", "created_at_us",
                                             "expires_at_us", "refresh_counter", "rotated_at_us"});

// Nothing needs to be known, and nothing decided: what a grant depends on is looked at whenever it is used.
class NewGrants final : public GroupWork {
public:
    explicit NewGrants(std::vector<const NewGrant*> calls) : calls_(std::move(calls)) {}

    std::vector<db::KeyedLookUp> lookUps() override { return {}; }
    std::vector<GroupAnswer> decide(std::span<const std::vector<db::Row>> /*found*/) override {
        return std::vector<GroupAnswer>(calls_.size(), AddedGrant{});
    }
    void write(db::Connection& connection) override {
        for (const NewGrant* call : calls_) {
            const domain::OidcGrant& grant = call->grant;
            connection.write(kInsertGrant,
                             {grant.id, grant.clientId, grant.userId, grant.sessionId, domain::toText(grant.scopes),
                              grant.nonce, grant.challenge, db::Param::blob(grant.redirectHash), grant.methods,
                              grant.acr, grant.authenticatedAt, grant.createdAt, grant.expiresAt, 0, 0});
        }
        for (const NewGrant* call : calls_) {
            insertAuditEvent(connection,
                             {call->note.id, domain::AuditEvent::ApplicationSignedIn, call->grant.userId, std::nullopt,
                              call->note.client, call->note.now, aboutClient(call->grant.clientId)});
        }
    }

private:
    std::vector<const NewGrant*> calls_;
};

}  // namespace

std::unique_ptr<GroupWork> makeWork(std::vector<const NewGrant*> grants) {
    return std::make_unique<NewGrants>(std::move(grants));
}

}  // namespace otpgate::store
