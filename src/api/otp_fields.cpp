#include "api/otp_fields.h"

#include <algorithm>
#include <cctype>

namespace otpgate::api {

namespace {

constexpr std::string_view kNoSms = "codes by SMS are not set up on this server";

bool isLetterOrDigit(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// What may name a destination, in the order in which it counts.
struct DestinationField {
    std::string_view name;
    std::string_view message;
    std::optional<domain::Destination> (*parse)(std::string_view);
};
constexpr DestinationField kAnyDestination{
    "destination", "must be an e-mail address or a telephone number such as +4930123456", &domain::Destination::parse};
constexpr DestinationField kEmail{"email", "must be an e-mail address", &domain::Destination::parseEmail};
constexpr DestinationField kPhoneNumber{"phone_number", "must be a telephone number such as +4930123456",
                                        &domain::Destination::parsePhoneNumber};

std::optional<domain::Destination> parsed(const Services& services, http::JsonBody& body,
                                          const DestinationField& field) {
    const auto text = body.string(field.name);
    if (!text) return std::nullopt;
    auto destination = field.parse(*text);
    if (!destination) {
        body.noteInvalid(field.name, field.message);
    } else if (destination->channel() == domain::Channel::Sms && !services.settings.smsIsSetUp) {
        body.noteInvalid(field.name, kNoSms);
    } else if (!services.settings.phoneNumbers.accepts(*destination)) {
        body.noteInvalid(field.name, kUnassignedNumber);
    } else if (!services.settings.phoneNumbers.allowsMessagesTo(*destination)) {
        body.noteInvalid(field.name, kNotSentTo);
    }
    return destination;
}

// At most `bytes` of the text, not in the middle of a character.
std::string cut(std::optional<std::string> text, std::size_t bytes) {
    if (!text) return {};
    if (text->size() > bytes) {
        while (bytes > 0 && (static_cast<unsigned char>((*text)[bytes]) & 0xc0U) == 0x80U) --bytes;
        text->resize(bytes);
    }
    return std::move(*text);
}

}  // namespace

std::optional<domain::Destination> readDestination(const Services& services, http::JsonBody& body,
                                                   std::string_view nameWhenMissing) {
    for (const DestinationField& field : {kAnyDestination, kEmail, kPhoneNumber}) {
        if (body.has(field.name)) return parsed(services, body, field);
    }
    body.noteMissing(nameWhenMissing);
    return std::nullopt;
}

std::optional<domain::Destination> readPhoneNumber(const Services& services, http::JsonBody& body) {
    if (body.has(kPhoneNumber.name)) return parsed(services, body, kPhoneNumber);
    body.noteMissing(kPhoneNumber.name);
    return std::nullopt;
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
    auto locale = body.string("locale");
    if (!locale) return {};
    const bool isTag = locale->size() <= 35 && std::all_of(locale->begin(), locale->end(),
                                                           [](char c) { return isLetterOrDigit(c) || c == '-'; });
    if (!isTag) body.noteInvalid("locale", "must be a language tag such as en or pt-BR");
    return std::move(*locale);
}

std::string readGuess(http::JsonBody& body) {
    for (const std::string_view field : {"otp", "otp_code", "code"}) {
        if (!body.has(field)) continue;
        auto guess = body.string(field);
        if (!guess) return {};
        const bool isCode =
            guess->size() >= 4 && guess->size() <= 10 && std::all_of(guess->begin(), guess->end(), isLetterOrDigit);
        if (!isCode) body.noteInvalid(field, "must be the code from the message, 4 to 10 letters or digits");
        return std::move(*guess);
    }
    body.noteMissing("otp");
    return {};
}

domain::OtpReference readOtpReference(const Services& services, http::JsonBody& body) {
    const auto purpose = readPurpose(body);
    auto reference = readOtpReference(services, body, purpose.value_or(domain::Purpose::Login));
    if (body.has("otp_id")) reference.purpose = purpose;  // the id says it
    return reference;
}

domain::OtpReference readOtpReference(const Services& services, http::JsonBody& body, domain::Purpose purpose) {
    domain::OtpReference reference;
    reference.purpose = purpose;
    if (body.has("otp_id")) {
        const auto text = body.string("otp_id");
        if (text) reference.otpId = Uuid::parse(*text);
        if (text && !reference.otpId)
            body.noteInvalid("otp_id", "must be the otp_id that the request for the code returned");
        return reference;
    }
    reference.destination = readDestination(services, body, "otp_id");
    return reference;
}

domain::Device readDevice(http::JsonBody& body) {
    return {cut(body.string("install_id"), 100), cut(body.string("platform"), 32), cut(body.string("app_version"), 32),
            cut(body.string("device_name"), 100)};
}

}  // namespace otpgate::api
