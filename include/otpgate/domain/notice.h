// Notices: messages that tell an account's owner what happened to it. Services draft them, stores write them in the
// transaction of what they tell and find out whom they go to. Used by worker threads.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// Whether a notice may go to a telephone, which costs.
enum class NoticeBySms { Never, WhereNoMail };

struct NoticeSettings {
    bool newSignIn = true;
    bool passwordChanged = true;
    bool addressChanged = true;
    bool manyFailures = true;
    bool passkeysChanged = true;
    bool factorsChanged = true;  // but passkeys
    NoticeBySms bySms = NoticeBySms::Never;
    std::chrono::seconds lifetime = std::chrono::hours{24};  // how long it is tried
    LimitRule perDestination{};
};

// A notice whose recipient is not known yet.
struct NoticeDraft {
    Uuid id;
    MessageKind kind = MessageKind::NewSignIn;
    NoticeFacts facts;
    NoticeBySms bySms = NoticeBySms::Never;
    std::string requestId;
    Timestamp createdAt;
    Timestamp expiresAt;
    Timestamp availableAt;
    LimitRule perDestination{};
};

// Where the notices to an address are counted.
std::string noticeBucketOf(const Destination& destination);

// What happened, by whom.
struct NoticeOccasion {
    MessageKind kind = MessageKind::NewSignIn;
    std::string device;  // of describeDevice(); empty where it is of a stranger, whose words our message is not for
    const Client& client;
    Timestamp now;
    std::chrono::seconds lease{0};  // of the Messenger
};

// nullopt: the settings want none of this kind.
std::optional<NoticeDraft> draftNotice(const NoticeSettings& settings, NoticeOccasion occasion, Random& random);
OutboxMessage makeNotice(const NoticeDraft& draft, const Destination& recipient, const User& owner);

// Where the owner is told: the e-mail address where it is verified or the only address, else the telephone where that
// is allowed. nullopt: nowhere.
std::optional<Destination> noticeRecipient(const User& user, NoticeBySms bySms);
// Whom a change to `current` is told: the old address, or where there is none that is verified and may be told, the
// verified one of the other channel; and the new address.
std::vector<Destination> changeRecipients(const User& before, const Destination& current, NoticeBySms bySms);

std::optional<Destination> addressOf(const User& user, Channel channel);

// "Ada's phone (ios)", "Firefox on Linux": one short line of what the client says of itself. It goes into a message
// that the owner trusts, so nothing is left in it that a mail program would make a link of.
std::string describeDevice(const Device& device, std::string_view userAgent);

}  // namespace otpgate::domain
