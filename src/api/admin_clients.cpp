// /api/v1/admin/clients: the applications that sign their users in here.
#include "api/admin_fields.h"
#include "api/client_fields.h"
#include "api/views.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

namespace {

using domain::ClientKind;
using http::ApiError;
using http::ErrorCode;

const std::string& clientIdOf(const http::Request& request) {
    return request.pathParameters.at("client_id");
}

domain::OidcClient clientNamedBy(const http::Request& request, domain::OidcClients& clients) {
    auto client = clients.find(clientIdOf(request));
    if (!client) throw ApiError(ErrorCode::NotFound);
    return std::move(*client);
}

http::Response answerWithClient(int status, const domain::OidcClient& client, const std::string& secret = {}) {
    http::JsonWriter json;
    writeClient(json, client, secret);
    return jsonResponse(status, json);
}

http::Response doneOrNotThere(bool isDone) {
    if (!isDone) throw ApiError(ErrorCode::NotFound);
    return http::Response::noContent();
}

http::Response setDisabled(const http::Request& request, const Administrator& caller, domain::OidcClients& clients,
                           bool isDisabled) {
    return doneOrNotThere(clients.setDisabled(clientIdOf(request), isDisabled, actingClient(request, caller)));
}

}  // namespace

http::Response listClients(const http::Request& request, const Administrator&, domain::OidcClients& clients) {
    const unsigned limit = limitOf(request);
    const auto page = clients.list(cursorOf(request), limit);
    http::JsonWriter json;
    json.beginObject().key("clients").beginArray();
    for (const domain::OidcClient& client : page) writeClient(json, client);
    json.endArray();
    writeNextCursor(json, page.size() == limit ? std::optional{page.back().id} : std::nullopt);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response createClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients) {
    http::JsonBody body(request);
    domain::OidcClient wanted;
    const auto id = domain::parseClientId(body.requiredString("client_id"));
    if (!id && body.has("client_id")) body.noteInvalid("client_id", "must be 1 to 64 of a-z, 0-9, dot, _ and -");
    // What is wrong with a name is said once.
    wanted.id = wanted.title = id.value_or("-");
    const auto kind = body.boolean("public").value_or(false) ? ClientKind::Public : ClientKind::Confidential;
    readClient(body, wanted, kind);
    body.rejectInvalid();

    const auto issued = clients.create(std::move(wanted), kind, actingClient(request, caller));
    if (!issued) throw ApiError(ErrorCode::Conflict);
    return answerWithClient(201, issued->client, issued->secret);
}

http::Response showClient(const http::Request& request, const Administrator&, domain::OidcClients& clients) {
    return answerWithClient(200, clientNamedBy(request, clients));
}

http::Response changeClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients) {
    domain::OidcClient client = clientNamedBy(request, clients);
    http::JsonBody body(request);
    readClient(body, client, kindOf(client));
    body.rejectInvalid();
    if (!clients.change(client, actingClient(request, caller))) throw ApiError(ErrorCode::NotFound);
    return answerWithClient(200, client);
}

http::Response deleteClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients) {
    return doneOrNotThere(clients.remove(clientIdOf(request), actingClient(request, caller)));
}

http::Response rotateClientSecret(const http::Request& request, const Administrator& caller,
                                  domain::OidcClients& clients) {
    using Outcome = domain::NewSecret::Outcome;
    const auto made = clients.rotateSecret(clientIdOf(request), actingClient(request, caller));
    switch (made.outcome) {
    case Outcome::Done: return answerWithClient(200, made.issued->client, made.issued->secret);
    case Outcome::Public: throw ApiError(ErrorCode::Conflict).detail("A public client has no secret.");
    case Outcome::NoSuchClient: break;
    }
    throw ApiError(ErrorCode::NotFound);
}

http::Response disableClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients) {
    return setDisabled(request, caller, clients, true);
}

http::Response enableClient(const http::Request& request, const Administrator& caller, domain::OidcClients& clients) {
    return setDisabled(request, caller, clients, false);
}

}  // namespace otpgate::api
