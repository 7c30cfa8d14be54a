#include "otpgate/domain/pending_registration.h"

#include "domain/packed_fields.h"

namespace otpgate::domain {

namespace {

// The first byte; another order or other fields get another one.
constexpr char kRegistrationVersion = 1;

}  // namespace

std::string packRegistration(const PendingRegistration& registration) {
    std::string fields{kRegistrationVersion};
    fields += registration.userId.bytes();
    // No hash is empty.
    appendText(fields, registration.passwordHash ? std::string_view{*registration.passwordHash} : std::string_view{});
    for (const auto& text : {registration.firstName, registration.lastName, registration.locale}) {
        appendText(fields, text);
    }
    return fields;
}

std::optional<PendingRegistration> unpackRegistration(std::string_view packed) {
    PackedFields fields(packed);
    if (fields.bytes(1) != std::string_view{&kRegistrationVersion, 1}) return std::nullopt;
    PendingRegistration registration;
    registration.userId = fields.uuid();
    std::string hash = fields.text();
    if (!hash.empty()) registration.passwordHash = std::move(hash);
    registration.firstName = fields.text();
    registration.lastName = fields.text();
    registration.locale = fields.text();
    if (!fields.isAtEnd()) return std::nullopt;
    return registration;
}

}  // namespace otpgate::domain
