#include "otpgate/domain/user_applications.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace otpgate::domain {

namespace {

class Applications {
public:
    UserApplication& of(const OidcClient& client, Timestamp since) {
        const auto [found, isNew] = byClient_.try_emplace(client.id);
        UserApplication& application = found->second;
        if (isNew) application = {client.id, client.title, {}, since, std::nullopt};
        application.since = std::min(application.since, since);
        return application;
    }

    std::vector<UserApplication> take() {
        std::vector<UserApplication> list;
        for (auto& [id, application] : byClient_) {
            application.scopes = inOrder(application.scopes);
            list.push_back(std::move(application));
        }
        std::ranges::sort(list, {}, [](const UserApplication& each) { return std::tie(each.title, each.clientId); });
        return list;
    }

private:
    std::map<std::string, UserApplication> byClient_;
};

void addScopes(std::vector<OidcScope>& scopes, const std::vector<OidcScope>& more) {
    scopes.insert(scopes.end(), more.begin(), more.end());
}

}  // namespace

std::vector<UserApplication> applicationsOf(const std::vector<OidcConsent>& consents,
                                            const std::vector<GrantsAlike>& grants, Timestamp now) {
    Applications applications;
    for (const OidcConsent& consent : consents) {
        addScopes(applications.of(consent.client, consent.givenAt).scopes, consent.scopes);
    }
    for (const GrantsAlike& each : grants) {
        if (!isAlive(each.use, now)) continue;
        UserApplication& application = applications.of(each.use.client, each.use.grant.createdAt);
        addScopes(application.scopes, each.use.grant.scopes);
        application.lastUsedAt = std::max(application.lastUsedAt, std::optional{each.lastUsedAt});
    }
    return applications.take();
}

std::vector<UserApplication> UserApplications::list(const User& user) {
    const Timestamp now = clock_.now();
    return applicationsOf(store_.listConsents(user.id), store_.listGrants(user, now), now);
}

bool UserApplications::withdraw(const Uuid& userId, std::string_view clientId, const Client& client) {
    if (!parseClientId(clientId)) return false;
    const Timestamp now = clock_.now();
    return store_.withdraw(userId, clientId, {Uuid::makeV7(now, random_), client, now});
}

}  // namespace otpgate::domain
