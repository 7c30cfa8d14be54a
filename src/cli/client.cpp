// otpgate client: applications that sign their users in here, by hand.
#include "cli/client_recipe.h"
#include "cli/commands.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/user_group_store.h"
#include "otpgate/http/json.h"
#include "otpgate/store/stores.h"

#include <iostream>

namespace otpgate::cli {

namespace {

std::string readId(const std::string& text) {
    auto id = domain::parseClientId(text);
    if (!id) throw UsageError("not the name of a client, 1 to 64 of a-z, 0-9, dot, _ and -: " + text);
    return std::move(*id);
}

std::vector<std::string> readUris(const Invocation& invocation, const char* option) {
    std::vector<std::string> uris;
    const auto value = invocation.value(option);
    if (!value) return uris;
    for (const std::string_view uri : split(*value, ' ')) {
        if (uri.empty()) continue;
        if (!domain::isRedirectUri(uri))
            throw UsageError(std::string{option} +
                             " takes https://..., http:// of this machine (localhost, 127.0.0.1, [::1]),"
                             " or a program's scheme with a dot, without * and #: " +
                             std::string{uri});
        uris.emplace_back(uri);
    }
    return uris;
}

domain::OidcClient readClient(const Invocation& invocation, Timestamp now) {
    domain::OidcClient client;
    client.id = readId(invocation.words.front());
    client.title = invocation.value("--title").value_or(client.id);
    constexpr std::size_t kMostTitleCharacters = 100;
    if (client.title.empty() || countCharacters(client.title) > kMostTitleCharacters)
        throw UsageError("--title is 1 to 100 characters");
    client.redirectUris = readUris(invocation, "--redirect");
    if (client.redirectUris.empty()) throw UsageError("--redirect is needed: where the application takes the answer");
    client.postLogoutUris = readUris(invocation, "--post-logout");
    client.backchannelUri = invocation.value("--backchannel").value_or("");
    if (!client.backchannelUri.empty() && !domain::isBackchannelUri(client.backchannelUri))
        throw UsageError("--backchannel takes an address with https:// or http://: " + client.backchannelUri);
    client.needsPkce = !invocation.has("--no-pkce");
    if (!client.needsPkce && invocation.has("--public"))
        throw UsageError("a public client needs PKCE: nothing else proves that the code is its own");
    const auto algorithm = crypto::parseSigningAlgorithm(invocation.value("--alg").value_or("RS256"));
    if (!algorithm) throw UsageError("--alg is RS256 or ES256");
    client.algorithm = *algorithm;
    for (const std::string_view name : split(invocation.value("--groups").value_or(""), ',')) {
        if (name.empty()) continue;
        auto group = domain::parseGroupName(name);
        if (!group) throw UsageError("not the name of a group: " + std::string{name});
        client.groups.push_back(std::move(*group));
    }
    const auto consent = domain::parseConsentPolicy(invocation.value("--consent").value_or("never"));
    if (!consent) throw UsageError("--consent is never or ask");
    client.consent = *consent;
    client.createdAt = now;
    return client;
}

void writeList(http::JsonWriter& json, std::string_view name, const std::vector<std::string>& values) {
    json.key(name).beginArray();
    for (const std::string& value : values) json.value(value);
    json.endArray();
}

void writeClient(http::JsonWriter& json, const domain::OidcClient& client, const std::string& secret) {
    json.beginObject().member("client_id", client.id).member("title", client.title);
    if (!secret.empty()) json.member("client_secret", secret);
    json.member("public", !client.secretHash.has_value());
    writeList(json, "redirect_uris", client.redirectUris);
    writeList(json, "post_logout_redirect_uris", client.postLogoutUris);
    json.member("backchannel_logout_uri", client.backchannelUri)
        .member("pkce", client.needsPkce)
        .member("id_token_signed_response_alg", crypto::toString(client.algorithm));
    writeList(json, "groups", client.groups);
    json.member("consent", domain::toString(client.consent))
        .member("disabled", client.isDisabled)
        .member("created_at", formatRfc3339(client.createdAt))
        .endObject();
}

void show(const domain::OidcClient& client, const std::string& secret) {
    const auto line = [](const char* name, const std::string& value) {
        if (!value.empty()) std::cout << name << "  " << value << "\n";
    };
    line("client_id    ", client.id);
    line("client_secret", secret);
    line("title        ", client.title);
    line("kind         ", client.secretHash ? "confidential" : "public");
    line("redirect     ", joined(client.redirectUris, " "));
    line("post-logout  ", joined(client.postLogoutUris, " "));
    line("backchannel  ", client.backchannelUri);
    line("pkce         ", client.needsPkce ? "needed" : "not needed");
    line("alg          ", std::string{crypto::toString(client.algorithm)});
    line("groups       ", joined(client.groups, ","));
    line("consent      ", std::string{domain::toString(client.consent)});
    line("state        ", client.isDisabled ? "disabled" : "active");
}

class ClientCommand {
public:
    ClientCommand(db::Connection& connection, const Settings& settings, const Invocation& invocation)
        : store_(store::makeOidcStore(connection)),
          settings_(settings),
          invocation_(invocation) {}

    void create(domain::OidcClient client) {
        client.createdAt = clock_.now();
        std::string secret;
        if (!invocation_.has("--public")) {
            secret = domain::makeClientSecret(random_);
            client.secretHash = domain::secretHashOf(secret);
        }
        if (!store_->addClient(client)) throw std::runtime_error("there is a client of this name: " + client.id);
        tell(client, secret);
    }

    void list() {
        http::JsonWriter json;
        json.beginArray();
        for (const domain::OidcClient& client : store_->listClients()) {
            writeClient(json, client, {});
            if (!isJson()) {
                std::cout << client.id << "  " << (client.isDisabled ? "disabled" : "active") << "  "
                          << joined(client.redirectUris, " ") << "\n";
            }
        }
        json.endArray();
        if (isJson()) std::cout << json.take() << "\n";
    }

    void show(const std::string& id) { tell(get(id), {}); }

    void rotateSecret(const std::string& id) {
        domain::OidcClient client = get(id);
        if (!client.secretHash) throw std::runtime_error("a public client has no secret: " + id);
        const std::string secret = domain::makeClientSecret(random_);
        if (!store_->setClientSecret(id, domain::secretHashOf(secret))) fail(id);
        tell(client, secret);
    }

    void setDisabled(const std::string& id, bool isDisabled) {
        if (!store_->setClientDisabled(id, isDisabled, clock_.now())) fail(id);
    }

    void remove(const std::string& id) {
        if (!store_->removeClient(id)) fail(id);
    }

private:
    bool isJson() const { return invocation_.has("--json"); }
    [[noreturn]] static void fail(const std::string& id) { throw std::runtime_error("there is no such client: " + id); }

    domain::OidcClient get(const std::string& id) {
        auto client = store_->findClient(id);
        if (!client) fail(id);
        return std::move(*client);
    }

    void tell(const domain::OidcClient& client, const std::string& secret) {
        if (const auto application = invocation_.value("--for")) {
            std::cout << recipeFor(*application, client,
                                   {settings_.publicUrl, secret, domain::makeClientSecret(random_)});
        } else if (isJson()) {
            http::JsonWriter json;
            writeClient(json, client, secret);
            std::cout << json.take() << "\n";
        } else {
            cli::show(client, secret);
        }
    }

    SystemClock clock_;
    crypto::SystemRandom random_;
    std::unique_ptr<domain::OidcStore> store_;
    const Settings& settings_;
    const Invocation& invocation_;
};

}  // namespace

int client(const Invocation& invocation) {
    const std::string& action = invocation.action;
    // What was not understood is said before the database is asked for.
    const SystemClock clock;
    const bool isCreate = action == "create";
    const std::string id = action == "list" ? "" : readId(invocation.words.front());
    const domain::OidcClient wish = isCreate ? readClient(invocation, clock.now()) : domain::OidcClient{};
    if (const auto application = invocation.value("--for")) recipeFor(*application, wish, {});
    const auto settings = invocation.settings();
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    ClientCommand command(*connection, settings, invocation);
    if (isCreate) command.create(wish);
    if (action == "list") command.list();
    if (action == "show") command.show(id);
    if (action == "rotate-secret") command.rotateSecret(id);
    if (action == "disable" || action == "enable") command.setDisabled(id, action == "disable");
    if (action == "delete") command.remove(id);
    return 0;
}

}  // namespace otpgate::cli
