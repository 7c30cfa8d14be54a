// What the protected sites of this installation are told of a visitor, and how they share a session: [authz] and
// [session] of the settings.
#pragma once

#include <string>

namespace otpgate::api {

// The names of the fields, by what the protected program reads.
enum class HeaderFamily {
    XAuth,        // X-Auth-User, X-Auth-Email, X-Auth-Session
    Remote,       // Remote-User, Remote-Email
    XAuthRequest  // X-Auth-Request-User, X-Auth-Request-Email
};
// What REMOTE_USER and its like are: the id, which stays, or the proved address, by which people are known. No name
// that its owner chooses: whoever called himself admin would be admin.
enum class RemoteUser { Id, Email };

struct AuthzSettings {
    HeaderFamily headers = HeaderFamily::XAuth;
    RemoteUser remoteUser = RemoteUser::Id;
    std::string cookieDomain = {};  // whose hosts share one cookie; empty: each site has its own
};

}  // namespace otpgate::api
