// The table passkeys, and what a sign-in by one writes beside it.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/passkey_store.h"

namespace otpgate::store {

class PasskeyTable final : public domain::PasskeyStore {
public:
    explicit PasskeyTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::Passkey> list(const Uuid& userId) override;
    std::optional<domain::Passkey> find(std::string_view credentialId) override;
    domain::PasskeyAddition add(const domain::NewPasskey& passkey) override;
    bool rename(const Uuid& id, const Uuid& userId, std::string_view name) override;
    domain::PasskeyRemoval remove(const domain::RemovedPasskey& removed) override;
    domain::PasskeySignInResult signIn(const domain::PasskeySignIn& signIn) override;
    std::optional<std::string> rpId() override;

private:
    bool useChallenge(const domain::ChallengeUse& challenge);
    bool isSite(const std::string& rpId, Timestamp now);
    domain::PasskeyInsertion insert(const domain::NewPasskey& passkey);
    void protect(const domain::NewPasskey& newPasskey, bool hadFactor);
    domain::PasskeySignInResult judge(const domain::PasskeySignIn& signIn, domain::User& user);

    db::Connection& connection_;
};

}  // namespace otpgate::store
