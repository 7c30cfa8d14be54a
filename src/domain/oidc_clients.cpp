#include "otpgate/domain/oidc_clients.h"

namespace otpgate::domain {

AuditNote OidcClients::noteOf(const Client& who) {
    const Timestamp now = clock_.now();
    return {Uuid::makeV7(now, random_), who, now};
}

std::optional<OidcClient> OidcClients::find(std::string_view id) {
    // What is no name of a client asks nobody.
    return parseClientId(id) ? store_.findClient(id) : std::nullopt;
}

std::optional<IssuedClient> OidcClients::create(OidcClient client, ClientKind kind, const Client& who) {
    const AuditNote note = noteOf(who);
    IssuedClient issued{std::move(client), {}};
    issued.client.createdAt = note.now;
    if (kind == ClientKind::Confidential) {
        issued.secret = makeClientSecret(random_);
        issued.client.secretHash = secretHashOf(issued.secret);
    }
    if (!store_.addClient(issued.client, note)) return std::nullopt;
    return issued;
}

bool OidcClients::change(const OidcClient& client, const Client& who) {
    return store_.changeClient(client, noteOf(who));
}

NewSecret OidcClients::rotateSecret(std::string_view id, const Client& who) {
    using Outcome = NewSecret::Outcome;
    auto client = find(id);
    if (!client) return {Outcome::NoSuchClient};
    if (!client->secretHash) return {Outcome::Public};
    std::string secret = makeClientSecret(random_);
    client->secretHash = secretHashOf(secret);
    if (!store_.setClientSecret(id, *client->secretHash, noteOf(who))) return {Outcome::NoSuchClient};
    return {Outcome::Done, IssuedClient{std::move(*client), std::move(secret)}};
}

bool OidcClients::setDisabled(std::string_view id, bool isDisabled, const Client& who) {
    return parseClientId(id) && store_.setClientDisabled(id, isDisabled, noteOf(who));
}

bool OidcClients::remove(std::string_view id, const Client& who) {
    return parseClientId(id) && store_.removeClient(id, noteOf(who));
}

}  // namespace otpgate::domain
