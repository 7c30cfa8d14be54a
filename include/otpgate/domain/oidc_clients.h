// What operators do with the applications that sign their users in here: the one home of each act, for
// /api/v1/admin/clients and for the command. Who acts stands in the audit trail. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/oidc_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct IssuedClient {
    OidcClient client;
    std::string secret;  // the one time that it is known; empty of a public client
};

struct NewSecret {
    enum class Outcome { Done, NoSuchClient, Public };
    Outcome outcome = Outcome::Done;
    std::optional<IssuedClient> issued{};  // where Done
};

class OidcClients {
public:
    OidcClients(OidcStore& store, const Clock& clock, Random& random) : store_(store), clock_(clock), random_(random) {}

    // Behind this id, in their order.
    std::vector<OidcClient> list(std::string_view after, unsigned limit) { return store_.listClients(after, limit); }
    std::optional<OidcClient> find(std::string_view id);

    // What faultOf() finds nothing wrong with, of a name by parseClientId(). nullopt: there is one of this name.
    std::optional<IssuedClient> create(OidcClient client, ClientKind kind, const Client& who);
    // Each false where there is no such client.
    // All but its name, its secret and its state, as faultOf() allows it.
    bool change(const OidcClient& client, const Client& who);
    // Nobody signs in there, and what it was given is void; enabling it brings nothing of that back.
    bool setDisabled(std::string_view id, bool isDisabled, const Client& who);
    bool remove(std::string_view id, const Client& who);
    // The old one is void at once.
    NewSecret rotateSecret(std::string_view id, const Client& who);

private:
    AuditNote noteOf(const Client& who);

    OidcStore& store_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace otpgate::domain
