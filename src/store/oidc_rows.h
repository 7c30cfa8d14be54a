// What the files of the tables oidc_* share: how a client is read, and what the audit trail says of one.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/oidc_store.h"

#include <string>
#include <string_view>

namespace otpgate::store {

// Of `oidc_clients c`, in the order that readClient() wants, which begins at the row's first column.
inline constexpr std::string_view kClientColumns =
    "c.id, c.title, c.secret_hash, c.redirect_uris, c.post_logout_uris, c.backchannel_uri, c.needs_pkce, c.algorithm,"
    " c.group_names, c.consent, c.created_at_us, c.disabled_at_us";
inline constexpr std::size_t kClientColumnCount = 12;
domain::OidcClient readClient(const db::Row& row);
crypto::SigningAlgorithm readAlgorithm(const std::string& text);

// The event's metadata: {"client":"wiki"}. Of an id no character needs to be escaped.
std::string aboutClient(std::string_view clientId);

}  // namespace otpgate::store
