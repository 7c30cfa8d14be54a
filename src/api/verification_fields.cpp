#include "api/verification_fields.h"

#include "api/otp_fields.h"
#include "otpgate/base/errors.h"
#include "otpgate/http/errors.h"

#include <algorithm>

namespace otpgate::api {

namespace {

constexpr std::size_t kMaxPurposeBytes = 50;
constexpr std::size_t kMaxMetadataBytes = 5 * 1024;

std::int64_t readNumber(http::JsonBody& body, std::string_view field, std::int64_t standard, std::int64_t lowest,
                        std::int64_t highest) {
    const auto number = body.integer(field);
    if (!number) return standard;
    if (*number < lowest || *number > highest) {
        body.noteInvalid(field, "must be " + std::to_string(lowest) + " to " + std::to_string(highest));
        return standard;
    }
    return *number;
}

// The name by which the body has it; what it lacks it is told by the first.
std::string_view recipientField(const http::JsonBody& body) {
    return !body.has("to") && body.has("destination") ? "destination" : "to";
}

std::optional<domain::Destination> readRecipient(const ApiSettings& settings, http::JsonBody& body) {
    const std::string_view field = recipientField(body);
    if (!body.has(field)) body.noteMissing(field);
    const auto text = body.string(field);
    if (!text) return std::nullopt;
    auto destination = domain::Destination::parse(*text, settings.emailValidation);
    if (!destination) {
        body.noteInvalid(field, kNoDestination);
    } else if (!settings.phoneNumbers.accepts(*destination)) {
        body.noteInvalid(field, kImpossibleNumber);
    }
    return destination;
}

std::string readPurposeWord(http::JsonBody& body) {
    const auto purpose = body.string("purpose");
    if (!purpose) return "verify";
    const bool isWord = purpose->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (purpose->empty() || purpose->size() > kMaxPurposeBytes || !isWord) {
        body.noteInvalid("purpose", "must be 1 to 50 of a-z, 0-9, _ and -");
    }
    return *purpose;
}

domain::CodeFormat readFormat(http::JsonBody& body, domain::CodeFormat format) {
    format.length = static_cast<unsigned>(readNumber(body, "length", format.length, 4, 10));
    if (const auto word = body.string("alphabet")) {
        const auto alphabet = domain::parseCodeAlphabet(*word);
        if (!alphabet) body.noteInvalid("alphabet", "must be digits or letters");
        format.alphabet = alphabet.value_or(format.alphabet);
    }
    return format;
}

domain::CodeDelivery readDelivery(http::JsonBody& body) {
    const auto word = body.string("deliver");
    if (word && *word != "caller") body.noteInvalid("deliver", "must be caller, or absent");
    return word ? domain::CodeDelivery::Caller : domain::CodeDelivery::Message;
}

}  // namespace

std::optional<domain::VerificationQuestion> readVerification(const ApiSettings& settings, domain::CodeFormat standard,
                                                             http::JsonBody& body) {
    using std::chrono::seconds;
    auto to = readRecipient(settings, body);
    const auto purpose = readPurposeWord(body);
    const auto format = readFormat(body, standard);
    const auto metadata = body.object("metadata", kMaxMetadataBytes);
    const auto expiresIn = readNumber(body, "expires_in", 300, 30, 3600);
    const auto sessionExpiresIn =
        readNumber(body, "session_expires_in", std::max<std::int64_t>(900, expiresIn), 60, 86400);
    if (sessionExpiresIn < expiresIn) body.noteInvalid("session_expires_in", "must not be less than expires_in");
    const auto maxAttempts = static_cast<unsigned>(readNumber(body, "max_retries", 3, 1, 10));
    const auto delivery = readDelivery(body);
    const auto locale = readLocale(body);
    if (!to) return std::nullopt;
    if (to->channel() == domain::Channel::Sms && delivery == domain::CodeDelivery::Message) {
        if (!settings.smsIsSetUp) {
            body.noteInvalid(recipientField(body), kNoSms);
        } else if (!settings.phoneNumbers.allowsMessagesTo(*to)) {
            body.noteInvalid(recipientField(body), kNotSentTo);
        }
    }
    return domain::VerificationQuestion{.to = std::move(*to),
                                        .purpose = purpose,
                                        .format = format,
                                        .metadata = metadata.value_or("{}"),
                                        .expiresIn = seconds{expiresIn},
                                        .sessionExpiresIn = seconds{sessionExpiresIn},
                                        .maxAttempts = maxAttempts,
                                        .delivery = delivery,
                                        .locale = locale};
}

http::Response withErrorMembers(const std::function<http::Response()>& endpoint) {
    const auto withMembers = [](http::ApiError error) {
        return error.repeatAs("error").member("error_code", std::string{http::describe(error.code()).code});
    };
    try {
        return endpoint();
    } catch (const http::ApiError& error) {
        throw withMembers(error);
    } catch (const ServiceUnavailable& error) {
        throw withMembers(http::ApiError(http::ErrorCode::Unavailable, error.what()));
    }
}

}  // namespace otpgate::api
