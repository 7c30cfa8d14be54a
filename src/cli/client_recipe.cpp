#include "cli/client_recipe.h"

#include "cli/command_line.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <iterator>

namespace otpgate::cli {

namespace {

struct Recipe {
    std::string_view name;
    // {issuer}, {id}, {secret}, {random}, {title}, {redirect}, {origin} and {path} (of the first redirect URI).
    std::string_view text;
};

constexpr Recipe kRecipes[] = {
    {"apache",
     "# apt install libapache2-mod-auth-openidc; then into the <VirtualHost> of {origin}, and: systemctl reload "
     "apache2\n"
     "OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration\n"
     "OIDCClientID {id}\n"
     "OIDCClientSecret {secret}\n"
     "OIDCRedirectURI {redirect}\n"
     "OIDCCryptoPassphrase {random}\n"
     "OIDCScope \"openid email profile groups offline_access\"\n"
     "OIDCPKCEMethod S256\n"
     "OIDCRemoteUserClaim sub\n"
     "# Programs there find OIDC_access_token, which is good for another minute at least.\n"
     "OIDCRefreshAccessTokenBeforeExpiry 60\n"
     "# Whatever a client sends of these names is nobody's word.\n"
     "RequestHeader unset Remote-User\n"
     "<Location />\n"
     "    AuthType openid-connect\n"
     "    Require valid-user\n"
     "</Location>\n"},
    {"nextcloud",
     "# In Nextcloud's folder, with the app user_oidc:\n"
     "sudo -u www-data php occ user_oidc:provider {id} --clientid={id} --clientsecret={secret} \\\n"
     "    --discoveryuri={issuer}/.well-known/openid-configuration --scope='openid email profile groups' \\\n"
     "    --unique-uid=0 --mapping-uid=sub --mapping-display-name=name --mapping-email=email "
     "--mapping-groups=groups\n"},
    {"wordpress",
     "// wp-config.php, with the plugin OpenID Connect Generic. Accounts are joined by `sub`: leave \"link existing "
     "users\" off.\n"
     "define('OIDC_LOGIN_TYPE', 'button');\n"
     "define('OIDC_CLIENT_ID', '{id}');\n"
     "define('OIDC_CLIENT_SECRET', '{secret}');\n"
     "define('OIDC_CLIENT_SCOPE', 'openid email profile');\n"
     "define('OIDC_ENDPOINT_LOGIN_URL', '{issuer}/oauth/authorize');\n"
     "define('OIDC_ENDPOINT_TOKEN_URL', '{issuer}/oauth/token');\n"
     "define('OIDC_ENDPOINT_USERINFO_URL', '{issuer}/oauth/userinfo');\n"
     "define('OIDC_ENDPOINT_LOGOUT_URL', '{issuer}/oauth/logout');\n"},
    {"roundcube",
     "// /etc/roundcube/config.inc.php. Dovecot asks {issuer}/oauth/introspect with the same id and secret.\n"
     "$config['oauth_provider'] = 'generic';\n"
     "$config['oauth_provider_name'] = 'otpgate';\n"
     "$config['oauth_client_id'] = '{id}';\n"
     "$config['oauth_client_secret'] = '{secret}';\n"
     "$config['oauth_auth_uri'] = '{issuer}/oauth/authorize';\n"
     "$config['oauth_token_uri'] = '{issuer}/oauth/token';\n"
     "$config['oauth_identity_uri'] = '{issuer}/oauth/userinfo';\n"
     "$config['oauth_scope'] = 'openid email offline_access';\n"
     "$config['oauth_identity_fields'] = ['email'];\n"
     "$config['oauth_login_redirect'] = true;\n"},
    {"grafana",
     "# grafana.ini\n"
     "[auth.generic_oauth]\n"
     "enabled = true\n"
     "name = {title}\n"
     "client_id = {id}\n"
     "client_secret = {secret}\n"
     "scopes = openid email profile groups\n"
     "auth_url = {issuer}/oauth/authorize\n"
     "token_url = {issuer}/oauth/token\n"
     "api_url = {issuer}/oauth/userinfo\n"
     "signout_redirect_url = {issuer}/oauth/logout\n"
     "use_pkce = true\n"
     "allow_sign_up = true\n"},
    {"gitea",
     "# As the user of Gitea or Forgejo. It knows no PKCE: the client needs --no-pkce.\n"
     "gitea admin auth add-oauth --name {id} --provider openidConnect --key {id} --secret {secret} \\\n"
     "    --auto-discover-url {issuer}/.well-known/openid-configuration --scopes 'openid email profile groups'\n"},
    {"express",
     "// npm install express express-openid-connect\n"
     "const { auth, requiresAuth } = require('express-openid-connect');\n"
     "app.use(auth({\n"
     "  issuerBaseURL: '{issuer}',\n"
     "  baseURL: '{origin}',\n"
     "  clientID: '{id}',\n"
     "  clientSecret: '{secret}',\n"
     "  secret: require('crypto').randomBytes(32).toString('hex'),\n"
     "  authorizationParams: { response_type: 'code', scope: 'openid email profile' },\n"
     "  routes: { callback: '{path}' },\n"
     "  authRequired: false,\n"
     "  idpLogout: true,\n"
     "}));\n"},
};

std::string replaced(std::string text, std::string_view name, std::string_view value) {
    const std::string mark = "{" + std::string{name} + "}";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
        text.replace(at, mark.size(), value);
    return text;
}

}  // namespace

const std::vector<std::string_view>& recipeNames() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> list;
        std::ranges::transform(kRecipes, std::back_inserter(list), &Recipe::name);
        return list;
    }();
    return names;
}

std::string recipeFor(std::string_view application, const domain::OidcClient& client, const RecipeFacts& facts) {
    const auto recipe = std::ranges::find(kRecipes, application, &Recipe::name);
    if (recipe == std::end(kRecipes)) {
        std::vector<std::string> names(recipeNames().begin(), recipeNames().end());
        throw UsageError("--for knows " + joined(names, ", "));
    }
    const std::string redirect = client.redirectUris.empty() ? "" : client.redirectUris.front();
    const auto host = redirect.find("://");
    const auto end =
        host == std::string::npos ? redirect.size() : std::min(redirect.find('/', host + 3), redirect.size());
    std::string text{recipe->text};
    const std::pair<std::string_view, std::string_view> values[] = {
        {"issuer", facts.issuer},
        {"id", client.id},
        {"secret", facts.secret},
        {"title", client.title},
        {"random", facts.random},
        {"redirect", redirect},
        {"origin", std::string_view{redirect}.substr(0, end)},
        {"path", std::string_view{redirect}.substr(end)},
    };
    for (const auto& [name, value] : values) text = replaced(std::move(text), name, value);
    return text;
}

}  // namespace otpgate::cli
