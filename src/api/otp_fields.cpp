#include "api/otp_fields.h"

#include "otpgate/base/text.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/http/accept_language.h"

#include <algorithm>

namespace otpgate::api {

namespace {

constexpr std::string_view kUnwelcome = "may not be that of an account here";

// What may name a destination, in the order in which it counts.
struct DestinationField {
    std::string_view name;
    std::string_view message;
    std::string_view messageWithoutSms;
    std::optional<domain::Destination> (*parse)(std::string_view, domain::EmailValidation);
};
std::optional<domain::Destination> parsePhoneNumber(std::string_view text, domain::EmailValidation) {
    return domain::Destination::parsePhoneNumber(text);
}
constexpr std::string_view kNoEmail = "must be an e-mail address";
constexpr DestinationField kPhoneNumber{"phone_number", "must be a telephone number such as +4930123456", kNoSms,
                                        &parsePhoneNumber};
constexpr DestinationField kDestinationFields[] = {
    {"destination", kNoDestination, kNoEmail, &domain::Destination::parse},
    {"to", kNoDestination, kNoEmail, &domain::Destination::parse},
    {"email", kNoEmail, kNoEmail, &domain::Destination::parseEmail},
    kPhoneNumber};

std::optional<domain::Destination> parsed(const ApiSettings& settings, http::JsonBody& body,
                                          const DestinationField& field) {
    const auto text = body.string(field.name);
    if (!text) return std::nullopt;
    auto destination = field.parse(*text, settings.emailValidation);
    if (!destination) {
        body.noteInvalid(field.name, settings.smsIsSetUp ? field.message : field.messageWithoutSms);
    } else if (destination->channel() == domain::Channel::Sms && !settings.smsIsSetUp) {
        body.noteInvalid(field.name, kNoSms);
    } else if (!settings.phoneNumbers.allowsMessagesTo(*destination)) {
        body.noteInvalid(field.name, kNotSentTo);
    }
    return destination;
}

std::string cut(const std::optional<std::string>& text, std::size_t bytes) {
    return text ? std::string{wholeCharacters(*text, bytes)} : std::string{};
}

// What has the form of a zone's name; whether there is such a zone is asked when a time is told in it.
std::string readTimeZone(http::JsonBody& body) {
    constexpr std::size_t kLength = 64;
    auto name = body.hint("time_zone").value_or("");
    const bool isName = name.size() <= kLength && std::ranges::all_of(name, [](char c) {
                            return isLetterOrDigit(c) || c == '/' || c == '_' || c == '-' || c == '+';
                        });
    return isName ? std::move(name) : std::string{};
}

}  // namespace

std::optional<domain::Destination> readDestination(const ApiSettings& settings, http::JsonBody& body,
                                                   std::string_view nameWhenMissing) {
    for (const DestinationField& field : kDestinationFields) {
        if (body.has(field.name)) return parsed(settings, body, field);
    }
    body.noteMissing(nameWhenMissing);
    return std::nullopt;
}

std::optional<domain::Destination> readPhoneNumber(const ApiSettings& settings, http::JsonBody& body) {
    if (body.has(kPhoneNumber.name)) return parsed(settings, body, kPhoneNumber);
    body.noteMissing(kPhoneNumber.name);
    return std::nullopt;
}

void noteUnwelcome(const ApiSettings& settings, http::JsonBody& body,
                   const std::optional<domain::Destination>& destination, Making making) {
    if (!destination) return;
    const bool isPossible = settings.phoneNumbers.accepts(*destination);
    domain::SignUpRule rule = settings.signUp;
    // Of somebody who is in already.
    if (making == Making::Address) rule.isClosed = false;
    if (isPossible && rule.allows(*destination)) return;
    const auto named =
        std::ranges::find_if(kDestinationFields, [&](const DestinationField& field) { return body.has(field.name); });
    body.noteInvalid(named->name, isPossible ? kUnwelcome : kImpossibleNumber);
}

domain::NewAccounts newAccountsWith(const ApiSettings& settings, const domain::Destination& destination) {
    return settings.phoneNumbers.accepts(destination) ? domain::NewAccounts::Allowed : domain::NewAccounts::Refused;
}

void rejectNobodysNumber(const ApiSettings& settings, http::JsonBody& body, const domain::OtpQuestion& question,
                         const domain::RequestedOtp& otp) {
    if (otp.outcome != domain::OtpRequestResult::Outcome::UserNotFound) return;
    noteUnwelcome(settings, body, question.destination);
    body.rejectInvalid();
}

std::optional<domain::Purpose> readPurpose(http::JsonBody& body) {
    const auto word = body.string("purpose");
    if (!word) return std::nullopt;
    const auto purpose = domain::parsePurpose(*word);
    // Of a change of address the routes are its own.
    if (purpose && *purpose != domain::Purpose::Change) return purpose;
    body.noteInvalid("purpose", "must be login, register, verify or reset");
    return std::nullopt;
}

std::string readLocale(http::JsonBody& body) {
    return http::parseLanguageTag(body.hint("locale").value_or("")).value_or("");
}

std::string readGuess(http::JsonBody& body) {
    for (const std::string_view field : {"otp", "otp_code", "code"}) {
        if (!body.has(field)) continue;
        const auto typed = body.string(field);
        if (!typed) return {};
        auto guess = domain::parseCode(*typed);
        if (!guess) body.noteInvalid(field, "must be the code from the message, 4 to 10 letters or digits");
        return guess.value_or("");
    }
    body.noteMissing("otp");
    return {};
}

domain::OtpReference readOtpReference(const ApiSettings& settings, http::JsonBody& body) {
    const auto purpose = readPurpose(body);
    auto reference = readOtpReference(settings, body, purpose.value_or(domain::Purpose::Login));
    if (body.has("otp_id")) reference.purpose = purpose;  // the id says it
    return reference;
}

domain::OtpReference readOtpReference(const ApiSettings& settings, http::JsonBody& body, domain::Purpose purpose) {
    domain::OtpReference reference;
    reference.purpose = purpose;
    if (body.has("otp_id")) {
        const auto text = body.string("otp_id");
        if (text) reference.otpId = Uuid::parse(*text);
        if (text && !reference.otpId)
            body.noteInvalid("otp_id", "must be the otp_id that the request for the code returned");
        return reference;
    }
    reference.destination = readDestination(settings, body, "otp_id");
    return reference;
}

domain::Device readDevice(http::JsonBody& body) {
    return {cut(body.hint("install_id"), 100), cut(body.hint("platform"), 32), cut(body.hint("app_version"), 32),
            cut(body.hint("device_name"), 100), readTimeZone(body)};
}

}  // namespace otpgate::api
