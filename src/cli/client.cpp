// otpgate client: applications that sign their users in here, by hand.
#include "api/client_fields.h"
#include "cli/client_recipe.h"
#include "cli/commands.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/oidc_clients.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/domain/user_group_store.h"
#include "otpgate/http/json.h"
#include "otpgate/store/stores.h"

#include <iostream>

namespace otpgate::cli {

namespace {

constexpr unsigned kClientsAtATime = 500;

std::string readClientId(const std::string& text) {
    auto id = domain::parseClientId(text);
    if (!id) throw UsageError("not the name of a client, 1 to 64 of a-z, 0-9, dot, _ and -: " + text);
    return std::move(*id);
}

std::vector<std::string> wordsOf(const std::string& text, char separator) {
    std::vector<std::string> words;
    for (const std::string_view word : split(text, separator)) {
        if (!word.empty()) words.emplace_back(word);
    }
    return words;
}

[[noreturn]] void refuse(const domain::ClientFault& fault) {
    constexpr std::string_view kUris =
        " takes https://..., http:// of this machine (localhost, 127.0.0.1, [::1]),"
        " or a program's scheme with a dot, without * and #, at most ";
    const std::string uris =
        std::string{kUris} + std::to_string(domain::kMostClientUris) + (fault.part.empty() ? "" : ": " + fault.part);
    switch (fault.field) {
    case domain::ClientField::Title: throw UsageError("--title is 1 to 100 characters of plain text");
    case domain::ClientField::RedirectUris:
        throw UsageError("--redirect, where the application takes the answer," + uris);
    case domain::ClientField::PostLogoutUris: throw UsageError("--post-logout" + uris);
    case domain::ClientField::BackchannelUri:
        throw UsageError("--backchannel takes an address with https:// or http://: " + fault.part);
    case domain::ClientField::Pkce:
        throw UsageError("a public client needs PKCE: nothing else proves that the code is its own");
    case domain::ClientField::Groups: break;
    }
    if (fault.part.empty()) throw UsageError("--groups is at most 1000 characters");
    throw UsageError("not the name of a group: " + fault.part);
}

// What the options say of the client, in the place of what is there.
void readClientOptions(const Invocation& invocation, domain::OidcClient& client) {
    if (const auto title = invocation.value("--title")) client.title = domain::parsePersonName(*title).value_or("");
    if (const auto uris = invocation.value("--redirect")) client.redirectUris = wordsOf(*uris, ' ');
    if (const auto uris = invocation.value("--post-logout")) client.postLogoutUris = wordsOf(*uris, ' ');
    client.backchannelUri = invocation.value("--backchannel").value_or(client.backchannelUri);
    if (invocation.has("--pkce") && invocation.has("--no-pkce")) throw UsageError("say --pkce or --no-pkce");
    if (invocation.has("--pkce") || invocation.has("--no-pkce")) client.needsPkce = invocation.has("--pkce");
    if (const auto text = invocation.value("--alg")) {
        const auto algorithm = crypto::parseSigningAlgorithm(*text);
        if (!algorithm) throw UsageError("--alg is RS256 or ES256");
        client.algorithm = *algorithm;
    }
    if (const auto names = invocation.value("--groups")) {
        client.groups = wordsOf(*names, ',');
        for (std::string& group : client.groups) group = domain::parseGroupName(group).value_or(group);
    }
    if (const auto text = invocation.value("--consent")) {
        const auto consent = domain::parseConsentPolicy(*text);
        if (!consent) throw UsageError("--consent is never or ask");
        client.consent = *consent;
    }
}

void requireRight(const domain::OidcClient& client, domain::ClientKind kind) {
    if (const auto fault = domain::faultOf(client, kind)) refuse(*fault);
}

domain::ClientKind kindOf(const Invocation& invocation) {
    return invocation.has("--public") ? domain::ClientKind::Public : domain::ClientKind::Confidential;
}

domain::OidcClient readNew(const Invocation& invocation) {
    domain::OidcClient client;
    client.id = client.title = readClientId(invocation.words.front());
    readClientOptions(invocation, client);
    requireRight(client, kindOf(invocation));
    return client;
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
          clients_(*store_, clock_, random_),
          settings_(settings),
          invocation_(invocation) {
        who_.userAgent = "otpgate client " + invocation.action;
    }

    void create(const domain::OidcClient& wanted) {
        const auto issued = clients_.create(wanted, kindOf(invocation_), who_);
        if (!issued) throw std::runtime_error("there is a client of this name: " + wanted.id);
        tell(issued->client, issued->secret);
    }

    void list() {
        http::JsonWriter json;
        json.beginArray();
        std::string last;
        while (true) {
            const auto page = clients_.list(last, kClientsAtATime);
            for (const domain::OidcClient& client : page) show(json, client);
            if (page.size() < kClientsAtATime) break;
            last = page.back().id;
        }
        json.endArray();
        if (isJson()) std::cout << json.take() << "\n";
    }

    void show(const std::string& id) { tell(get(id), {}); }

    void change(const std::string& id) {
        domain::OidcClient client = get(id);
        readClientOptions(invocation_, client);
        requireRight(client, domain::kindOf(client));
        if (!clients_.change(client, who_)) fail(id);
        tell(client, {});
    }

    void rotateSecret(const std::string& id) {
        const auto made = clients_.rotateSecret(id, who_);
        switch (made.outcome) {
        case domain::NewSecret::Outcome::Done: tell(made.issued->client, made.issued->secret); return;
        case domain::NewSecret::Outcome::Public: throw std::runtime_error("a public client has no secret: " + id);
        case domain::NewSecret::Outcome::NoSuchClient: break;
        }
        fail(id);
    }

    void setDisabled(const std::string& id, bool isDisabled) {
        if (!clients_.setDisabled(id, isDisabled, who_)) fail(id);
    }

    void remove(const std::string& id) {
        if (!clients_.remove(id, who_)) fail(id);
    }

private:
    bool isJson() const { return invocation_.has("--json"); }
    [[noreturn]] static void fail(const std::string& id) { throw std::runtime_error("there is no such client: " + id); }

    domain::OidcClient get(const std::string& id) {
        auto client = clients_.find(id);
        if (!client) fail(id);
        return std::move(*client);
    }

    void show(http::JsonWriter& json, const domain::OidcClient& client) const {
        if (isJson()) {
            api::writeClient(json, client);
        } else {
            std::cout << client.id << "  " << (client.isDisabled ? "disabled" : "active") << "  "
                      << joined(client.redirectUris, " ") << "\n";
        }
    }

    void tell(const domain::OidcClient& client, const std::string& secret) {
        if (const auto application = invocation_.value("--for")) {
            std::cout << recipeFor(*application, client,
                                   {settings_.publicUrl, secret, domain::makeClientSecret(random_)});
        } else if (isJson()) {
            http::JsonWriter json;
            api::writeClient(json, client, secret);
            std::cout << json.take() << "\n";
        } else {
            cli::show(client, secret);
        }
    }

    SystemClock clock_;
    crypto::SystemRandom random_;
    std::unique_ptr<domain::OidcStore> store_;
    domain::OidcClients clients_;
    domain::Client who_;
    const Settings& settings_;
    const Invocation& invocation_;
};

}  // namespace

int client(const Invocation& invocation) {
    const std::string& action = invocation.action;
    // What was not understood is said before the database is asked for.
    const bool isCreate = action == "create";
    const std::string id = action == "list" ? "" : readClientId(invocation.words.front());
    const domain::OidcClient wanted = isCreate ? readNew(invocation) : domain::OidcClient{};
    if (const auto application = invocation.value("--for")) recipeFor(*application, wanted, {});
    const auto settings = invocation.settings();
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    ClientCommand command(*connection, settings, invocation);
    if (isCreate) command.create(wanted);
    if (action == "list") command.list();
    if (action == "show") command.show(id);
    if (action == "change") command.change(id);
    if (action == "rotate-secret") command.rotateSecret(id);
    if (action == "disable" || action == "enable") command.setDisabled(id, action == "disable");
    if (action == "delete") command.remove(id);
    return 0;
}

}  // namespace otpgate::cli
