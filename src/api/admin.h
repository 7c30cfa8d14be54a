// The endpoints of administrators, /api/v1/admin. Whoever takes an Administrator is reached by one alone who signed in
// recently: see routes.cpp. Each act is one of domain::Administration or domain::OidcClients, and stands in the audit
// trail with who did it.
#pragma once

#include "api/endpoints.h"
#include "otpgate/domain/administration.h"

namespace otpgate::api {

// A signed-in user of role admin.
struct Administrator : Caller {};

http::Response findUsers(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response showUser(const http::Request& request, const Administrator& caller, domain::Administration& people,
                        domain::ApiKeyService& apiKeys, domain::AuditStore& audit, const Clock& clock);
http::Response deleteUser(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response disableUser(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response enableUser(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response setUsersAddress(const http::Request& request, const Administrator& caller,
                               domain::Administration& people, const ApiSettings& settings);
http::Response clearUsersLimits(const http::Request& request, const Administrator& caller,
                                domain::Administration& people);
http::Response resetUsersFactors(const http::Request& request, const Administrator& caller,
                                 domain::Administration& people);
http::Response endUsersSessions(const http::Request& request, const Administrator& caller,
                                domain::Administration& people);
http::Response endUsersSession(const http::Request& request, const Administrator& caller,
                               domain::Administration& people);
http::Response exportUser(const http::Request& request, const Administrator& caller, domain::Administration& people,
                          domain::AccountService& accounts, domain::AuditStore& audit, const Clock& clock);
http::Response sendUsersLastMessageAgain(const http::Request& request, const Administrator& caller,
                                         domain::Administration& people);
http::Response sendMessageAgain(const http::Request& request, const Administrator& caller,
                                domain::Administration& people);
http::Response listMessages(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response showStatistics(const http::Request& request, const Administrator& caller, domain::Statistics& statistics,
                              const Clock& clock);
http::Response showServiceHealth(const http::Request& request, const Administrator& caller, const Readiness& readiness,
                                 domain::Administration& people, domain::Statistics& statistics,
                                 const PublishedKeys& keys, const Clock& clock);
http::Response showFindings(const http::Request& request, const Administrator& caller, const Examination& examination);
http::Response sendTestMessage(const http::Request& request, const Administrator& caller,
                               domain::Administration& people, domain::TestSender& sender, const ApiSettings& settings);
http::Response listClients(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response createClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response showClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response changeClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response deleteClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response rotateClientSecret(const http::Request& request, const Administrator& caller,
                                  domain::OidcClients& clients);
http::Response disableClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response enableClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients);
http::Response listEvents(const http::Request& request, const Administrator& caller, domain::AuditStore& audit);

// admin_groups.cpp
http::Response listGroups(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response createGroup(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response removeGroup(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response listMembers(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response joinGroup(const http::Request& request, const Administrator& caller, domain::Administration& people);
http::Response leaveGroup(const http::Request& request, const Administrator& caller, domain::Administration& people);

// admin_api_keys.cpp
http::Response listEverybodysApiKeys(const http::Request& request, const Administrator& caller,
                                     domain::ApiKeyService& apiKeys);
http::Response revokeAnyApiKey(const http::Request& request, const Administrator& caller,
                               domain::ApiKeyService& apiKeys);

// admin_webhooks.cpp
http::Response listWebhooks(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks);
http::Response addWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks,
                          const ApiSettings& settings);
http::Response showWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks);
http::Response removeWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks);
http::Response testWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks);
http::Response retryWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks);
http::Response rotateWebhookSecret(const http::Request& request, const Administrator& caller,
                                   domain::Webhooks& webhooks);

}  // namespace otpgate::api
