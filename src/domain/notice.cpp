#include "otpgate/domain/notice.h"

#include <utility>

namespace otpgate::domain {

namespace {

bool isWanted(const NoticeSettings& settings, MessageKind kind) {
    switch (kind) {
    case MessageKind::Code:
    case MessageKind::Link: return false;
    case MessageKind::NewSignIn: return settings.newSignIn;
    case MessageKind::PasswordChanged: return settings.passwordChanged;
    case MessageKind::AddressChanged: return settings.addressChanged;
    case MessageKind::ManyFailures: return settings.manyFailures;
    case MessageKind::PasskeyAdded:
    case MessageKind::PasskeyRemoved: return settings.passkeysChanged;
    case MessageKind::TotpAdded:
    case MessageKind::TotpRemoved:
    case MessageKind::RecoveryCodesMade:
    case MessageKind::RecoveryCodeUsed:
    case MessageKind::DeviceTrusted: return settings.factorsChanged;
    }
    return false;
}

bool mayBeTold(const Destination& destination, NoticeBySms bySms) {
    return destination.channel() == Channel::Email || bySms == NoticeBySms::WhereNoMail;
}

bool isVerified(const User& user, Channel channel) {
    return channel == Channel::Email ? user.emailVerified : user.phoneVerified;
}

}  // namespace

std::optional<NoticeDraft> draftNotice(const NoticeSettings& settings, NoticeOccasion occasion, Random& random) {
    if (!isWanted(settings, occasion.kind)) return std::nullopt;
    return NoticeDraft{
        .id = Uuid::makeV7(occasion.now, random),
        .kind = occasion.kind,
        .facts = {.ipAddress = occasion.client.address, .device = std::move(occasion.device), .changedAddress = {}},
        .bySms = settings.bySms,
        .requestId = occasion.client.requestId,
        .createdAt = occasion.now,
        .expiresAt = occasion.now + settings.lifetime,
        .availableAt = occasion.now + occasion.lease,
        .perDestination = settings.perDestination};
}

std::string noticeBucketOf(const Destination& destination) {
    return limitBucket("notice", destination.value());
}

OutboxMessage makeNotice(const NoticeDraft& draft, const Destination& recipient, const User& owner) {
    OutboxMessage notice{.id = draft.id,
                         .kind = draft.kind,
                         .otpId = {},
                         .destination = recipient,
                         .locale = owner.locale,
                         .requestId = draft.requestId,
                         .notice = draft.facts,
                         .createdAt = draft.createdAt,
                         .expiresAt = draft.expiresAt,
                         .availableAt = draft.availableAt};
    notice.notice.timeZone = owner.timeZone;
    return notice;
}

std::optional<Destination> addressOf(const User& user, Channel channel) {
    const auto& address = channel == Channel::Email ? user.email : user.phoneNumber;
    if (!address) return std::nullopt;
    return Destination::fromStored(channel, *address);
}

std::optional<Destination> noticeRecipient(const User& user, NoticeBySms bySms) {
    auto email = addressOf(user, Channel::Email);
    auto number = addressOf(user, Channel::Sms);
    // An address that nobody has proved may be a stranger's.
    if (email && (user.emailVerified || !number)) return email;
    if (number && mayBeTold(*number, bySms)) return number;
    return std::nullopt;
}

std::vector<Destination> changeRecipients(const User& before, const Destination& current, NoticeBySms bySms) {
    const Channel other = current.channel() == Channel::Email ? Channel::Sms : Channel::Email;
    const auto proved = [&](Channel channel) {
        return isVerified(before, channel) ? addressOf(before, channel) : std::nullopt;
    };
    auto old = proved(current.channel());
    if (!old || !mayBeTold(*old, bySms)) old = proved(other);
    std::vector<Destination> recipients;
    if (old && mayBeTold(*old, bySms)) recipients.push_back(*old);
    if (mayBeTold(current, bySms)) recipients.push_back(current);
    return recipients;
}

}  // namespace otpgate::domain
