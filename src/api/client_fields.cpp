#include "api/client_fields.h"

#include "api/views.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/domain/user_group_store.h"

namespace otpgate::api {

namespace {

void writeList(http::JsonWriter& json, std::string_view name, const std::vector<std::string>& values) {
    json.key(name).beginArray();
    for (const std::string& value : values) json.value(value);
    json.endArray();
}

void replace(std::vector<std::string>& list, std::optional<std::vector<std::string>> values) {
    if (values) list = std::move(*values);
}

void noteFault(http::JsonBody& body, domain::ClientField field) {
    const std::string uris =
        "must be addresses with https, http of this machine, or a program's scheme with a dot, at most " +
        std::to_string(domain::kMostClientUris) + ", without * and #";
    switch (field) {
    case domain::ClientField::Title: return body.noteInvalid("title", "must be 1 to 100 characters of plain text");
    case domain::ClientField::RedirectUris:
        return body.has("redirect_uris") ? body.noteInvalid("redirect_uris", uris) : body.noteMissing("redirect_uris");
    case domain::ClientField::PostLogoutUris: return body.noteInvalid("post_logout_redirect_uris", uris);
    case domain::ClientField::BackchannelUri:
        return body.noteInvalid("backchannel_logout_uri", "must be an address with https or http");
    case domain::ClientField::Pkce: return body.noteInvalid("pkce", "must be true where the client is public");
    case domain::ClientField::Groups:
        return body.noteInvalid("groups", "must be names of groups, of 1000 characters in all");
    }
}

}  // namespace

void writeClient(http::JsonWriter& json, const domain::OidcClient& client, const std::string& secret) {
    json.beginObject().member("client_id", client.id).member("title", client.title);
    if (!secret.empty()) json.member("client_secret", secret);
    json.member("public", !client.secretHash.has_value());
    writeList(json, "redirect_uris", client.redirectUris);
    writeList(json, "post_logout_redirect_uris", client.postLogoutUris);
    json.member("backchannel_logout_uri", unlessEmpty(client.backchannelUri))
        .member("pkce", client.needsPkce)
        .member("id_token_signed_response_alg", crypto::toString(client.algorithm));
    writeList(json, "groups", client.groups);
    json.member("consent", domain::toString(client.consent))
        .member("disabled", client.isDisabled)
        .member("created_at", formatRfc3339(client.createdAt))
        .endObject();
}

void readClient(http::JsonBody& body, domain::OidcClient& client, domain::ClientKind kind) {
    if (auto title = body.string("title")) client.title = domain::parsePersonName(*title).value_or("");
    replace(client.redirectUris, body.strings("redirect_uris"));
    replace(client.postLogoutUris, body.strings("post_logout_redirect_uris"));
    if (auto uri = body.string("backchannel_logout_uri")) client.backchannelUri = std::move(*uri);
    client.needsPkce = body.boolean("pkce").value_or(client.needsPkce);
    if (const auto text = body.string("id_token_signed_response_alg")) {
        const auto algorithm = crypto::parseSigningAlgorithm(*text);
        if (!algorithm) body.noteInvalid("id_token_signed_response_alg", "must be RS256 or ES256");
        client.algorithm = algorithm.value_or(client.algorithm);
    }
    replace(client.groups, body.strings("groups"));
    for (std::string& group : client.groups) group = domain::parseGroupName(group).value_or(group);
    if (const auto text = body.string("consent")) {
        const auto consent = domain::parseConsentPolicy(*text);
        if (!consent) body.noteInvalid("consent", "must be never or ask");
        client.consent = consent.value_or(client.consent);
    }
    if (const auto fault = domain::faultOf(client, kind)) noteFault(body, fault->field);
}

}  // namespace otpgate::api
