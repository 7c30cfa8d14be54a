#include "api/passkey_fields.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/http/errors.h"

#include <algorithm>

namespace otpgate::api {

namespace {

constexpr std::size_t kMaxBytes = 12 * 1024;  // of a text, base64url
constexpr std::size_t kMaxTransports = 100;   // of the column
constexpr std::size_t kMaxPasskeyName = 100;

// What stands within another body is held to the same rules.
http::Request within(std::string json) {
    http::Request request;
    request.contentType = "application/json";
    request.body = std::move(json);
    return request;
}

std::string readCredential(http::JsonBody& body) {
    if (!body.has("credential")) body.noteMissing("credential");
    auto credential = body.object("credential", http::kMaxBodyBytes);
    body.rejectInvalid();
    return std::move(credential).value_or("{}");
}

std::string readBytes(http::JsonBody& body, std::string_view name) {
    const std::string text = body.requiredString(name, kMaxBytes);
    auto bytes = parseBase64Url(text);
    if (!bytes) body.noteInvalid(name, "must be base64url");
    return std::move(bytes).value_or("");
}

std::string readResponse(http::JsonBody& credential) {
    if (!credential.has("response")) credential.noteMissing("response");
    auto response = credential.object("response", http::kMaxBodyBytes);
    credential.rejectInvalid();
    return std::move(response).value_or("{}");
}

// Words that we hand back to browsers, and do not judge.
std::string readTransports(http::JsonBody& response) {
    std::vector<std::string> kept;
    for (const std::string& word : response.strings("transports").value_or(std::vector<std::string>{})) {
        const bool isWord = !word.empty() && std::ranges::all_of(word, [](char c) { return isLetter(c) || c == '-'; });
        if (isWord && joined(kept, " ").size() + 1 + word.size() <= kMaxTransports) kept.push_back(word);
    }
    return joined(kept, " ");
}

}  // namespace

domain::ClientData readClientData(std::string json) {
    http::JsonBody body(within(json));
    domain::ClientData data;
    data.type = body.requiredString("type");
    data.challenge = body.requiredString("challenge");
    data.origin = body.requiredString("origin");
    data.isCrossOrigin = body.boolean("crossOrigin").value_or(false) || body.has("topOrigin");
    body.rejectInvalid();
    data.json = std::move(json);
    return data;
}

domain::PasskeyCreation readCreation(http::JsonBody& body) {
    http::JsonBody credential(within(readCredential(body)));
    http::JsonBody response(within(readResponse(credential)));
    const std::string clientData = readBytes(response, "clientDataJSON");
    domain::PasskeyCreation creation;
    creation.attestationObject = readBytes(response, "attestationObject");
    creation.transports = readTransports(response);
    response.rejectInvalid();
    creation.clientData = readClientData(clientData);
    return creation;
}

domain::PasskeyAssertion readAssertion(http::JsonBody& body) {
    http::JsonBody credential(within(readCredential(body)));
    domain::PasskeyAssertion assertion;
    assertion.credentialId = readBytes(credential, "rawId");
    http::JsonBody response(within(readResponse(credential)));
    const std::string clientData = readBytes(response, "clientDataJSON");
    assertion.authenticatorData = readBytes(response, "authenticatorData");
    assertion.signature = readBytes(response, "signature");
    if (response.has("userHandle")) assertion.userHandle = readBytes(response, "userHandle");
    response.rejectInvalid();
    assertion.clientData = readClientData(clientData);
    return assertion;
}

std::string readPasskeyName(http::JsonBody& body) {
    if (!body.has("name")) body.noteMissing("name");
    const auto text = body.string("name");
    if (!text) return {};
    const auto name = domain::parsePersonName(*text);
    if (!name || name->empty() || countCharacters(*name) > kMaxPasskeyName) {
        body.noteInvalid("name", "must be 1 to 100 characters of plain text");
        return {};
    }
    return *name;
}

}  // namespace otpgate::api
