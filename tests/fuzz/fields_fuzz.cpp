// The readers of fields that the routes share, over a JSON body: what is read is fit for the database, for a message
// and for a log line, and what is refused is named.
#include "api/audit_fields.h"
#include "api/otp_fields.h"
#include "api/profile_fields.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/person_name.h"
#include "otpgate/http/accept_language.h"
#include "otpgate/http/errors.h"

#include <utility>

namespace {

using namespace otpgate;

void requireDevice(const domain::Device& device) {
    for (const auto& [text, most] : {std::pair{&device.installId, 100U}, std::pair{&device.platform, 32U},
                                     std::pair{&device.appVersion, 32U}, std::pair{&device.name, 100U}}) {
        REQUIRE(text->size() <= most && isValidUtf8(*text));
    }
}

void readAuditFilter(http::JsonBody& body) {
    domain::AuditFilter filter;
    using Setter = std::optional<std::string_view> (*)(domain::AuditFilter&, std::string_view);
    for (const auto& [field, set] : {std::pair<const char*, Setter>{"event", &api::setAuditEvent},
                                     {"destination", &api::setAuditDestination},
                                     {"from", &api::setAuditBegin},
                                     {"to", &api::setAuditEnd}}) {
        const auto text = body.string(field);
        const auto mistake = text ? set(filter, *text) : std::nullopt;
        if (mistake) body.noteInvalid(field, *mistake);
    }
}

void readMembers(http::JsonBody& body) {
    const std::string guess = api::readGuess(body);
    REQUIRE(guess.empty() || domain::parseCode(guess) == guess);
    const std::string locale = api::readLocale(body);
    REQUIRE(locale.empty() || http::parseLanguageTag(locale) == locale);
    requireDevice(api::readDevice(body));
    if (const auto name = api::readName(body, "first_name")) REQUIRE(domain::parsePersonName(*name) == name);
    if (const auto password = api::readNewPassword(body, "password")) REQUIRE(!password->empty());
    REQUIRE(api::readPurpose(body) != domain::Purpose::Change);
    readAuditFilter(body);
}

}  // namespace

FUZZ_TARGET(fields) {
    http::Request request;
    request.contentType = "application/json";
    request.body = input;
    try {
        http::JsonBody body(request);
        readMembers(body);
        body.rejectInvalid();
        REQUIRE(body.has("password"));
    } catch (const http::ApiError& error) {
        using http::ErrorCode;
        REQUIRE(error.code() == ErrorCode::MalformedJson || error.code() == ErrorCode::PayloadTooLarge ||
                error.code() == ErrorCode::ValidationError || error.code() == ErrorCode::MissingFields);
        REQUIRE(isValidUtf8(error.toResponse("r").body));
    }
}
