#include "api/otp_fields.h"

#include <algorithm>
#include <cctype>

namespace otpgate::api {

namespace {

constexpr std::string_view kNoSms = "codes by SMS are not set up on this server";

bool isLetterOrDigit(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::optional<domain::Destination> parsed(http::JsonBody& body, std::string_view field, std::string_view message,
                                          std::optional<domain::Destination> (*parse)(std::string_view)) {
    const auto text = body.string(field);
    if (!text) return std::nullopt;
    auto destination = parse(*text);
    if (!destination) body.noteInvalid(field, message);
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

std::optional<domain::Destination> readDestination(const Services& services, http::JsonBody& body) {
    std::string_view field = "destination";
    auto destination = parsed(body, field, "must be an e-mail address or a telephone number such as +4930123456",
                              &domain::Destination::parse);
    if (!destination) {
        field = "email";
        destination = parsed(body, field, "must be an e-mail address", &domain::Destination::parseEmail);
    }
    if (!destination) {
        field = "phone_number";
        destination = parsed(body, field, "must be a telephone number such as +4930123456",
                             &domain::Destination::parsePhoneNumber);
    }
    if (destination && destination->channel() == domain::Channel::Sms && !services.settings.smsIsSetUp) {
        body.noteInvalid(field, kNoSms);
    }
    return destination;
}

std::optional<domain::Destination> readPhoneNumber(const Services& services, http::JsonBody& body) {
    auto phoneNumber = parsed(body, "phone_number", "must be a telephone number such as +4930123456",
                              &domain::Destination::parsePhoneNumber);
    if (!phoneNumber) body.noteMissing("phone_number");
    else if (!services.settings.smsIsSetUp) body.noteInvalid("phone_number", kNoSms);
    return phoneNumber;
}

std::optional<domain::Purpose> readPurpose(http::JsonBody& body) {
    const auto word = body.string("purpose");
    if (!word) return std::nullopt;
    const auto purpose = domain::parsePurpose(*word);
    if (!purpose) body.noteInvalid("purpose", "must be login, register, verify or reset");
    return purpose;
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
        auto guess = body.string(field);
        if (!guess) continue;
        const bool isCode =
            guess->size() >= 4 && guess->size() <= 10 && std::all_of(guess->begin(), guess->end(), isLetterOrDigit);
        if (!isCode) body.noteInvalid(field, "must be the code from the message, 4 to 10 letters or digits");
        return std::move(*guess);
    }
    body.noteMissing("otp");
    return {};
}

domain::OtpReference readOtpReference(const Services& services, http::JsonBody& body) {
    domain::OtpReference reference;
    reference.purpose = readPurpose(body);
    if (const auto text = body.string("otp_id")) {
        reference.otpId = Uuid::parse(*text);
        if (!reference.otpId) body.noteInvalid("otp_id", "must be the otp_id that the request for the code returned");
        return reference;
    }
    if (!reference.purpose) reference.purpose = domain::Purpose::Login;
    reference.destination = readDestination(services, body);
    if (!reference.destination) body.noteMissing("otp_id");
    return reference;
}

domain::Device readDevice(http::JsonBody& body) {
    return {cut(body.string("install_id"), 100), cut(body.string("platform"), 32), cut(body.string("app_version"), 32),
            cut(body.string("device_name"), 100)};
}

}  // namespace otpgate::api
