// What others may be told of over HTTP (webhooks), and what they are told: which event of the audit trail is one for
// them, and the text that is sent, by Standard Webhooks. No address and nothing that a client chose is in it.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

enum class WebhookEvent {
    UserCreated,
    UserUpdated,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    AddressChanged,
    PasswordChanged,
    SessionCreated,
    SessionEnded,
    FactorAdded,
    FactorRemoved,
    FactorsReset,
    LimitReached,
    MessageFailed,
    Test,  // stays the last one; it is sent where it is asked for, and wished for by nobody
};
std::string_view toString(WebhookEvent event);  // "user.created"
std::optional<WebhookEvent> parseWebhookEvent(std::string_view text);

// What an event of the trail is to others. `details`: members of a JSON object beside those of the user and session.
struct TellableEvent {
    WebhookEvent event = WebhookEvent::UserUpdated;
    std::string_view details{};
};
// nullopt: it is for nobody else.
std::optional<TellableEvent> tellableEvent(AuditEvent event);
// Of a message that was given up.
std::string detailsOf(const OutboxMessage& message);

// An event, as it was written when it happened. Its id is the same at each try.
struct ToldEvent {
    Uuid id;
    WebhookEvent event = WebhookEvent::Test;
    std::optional<Uuid> userId{};
    std::optional<Uuid> sessionId{};
    std::string details{};
    Timestamp createdAt{};
};
// The body: {"type":..., "timestamp":..., "data":{...}}. `accessLifetime`: so long after a session's end a token of it
// may still look good to whoever does not ask us; `exp` says until when.
std::string bodyOf(const ToldEvent& told, std::chrono::seconds accessLifetime);

}  // namespace otpgate::domain
