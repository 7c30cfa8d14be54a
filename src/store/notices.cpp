#include "store/notices.h"

#include "store/outbox_rows.h"
#include "store/rate_limits.h"

namespace otpgate::store {

std::optional<domain::OutboxMessage> writeNotice(db::Connection& connection,
                                                 const std::optional<domain::NoticeDraft>& draft,
                                                 const domain::User& user) {
    if (!draft) return std::nullopt;
    const auto recipient = domain::noticeRecipient(user, draft->bySms);
    return recipient ? writeNotice(connection, *draft, user, *recipient) : std::nullopt;
}

std::optional<domain::OutboxMessage> writeNotice(db::Connection& connection, const domain::NoticeDraft& draft,
                                                 const domain::User& user, const domain::Destination& recipient) {
    const std::string bucket = domain::noticeBucketOf(recipient);
    Buckets buckets(connection, {bucket});
    if (!buckets.at(bucket).take(draft.perDestination, draft.createdAt)) return std::nullopt;
    buckets.write(connection);
    auto message = domain::makeNotice(draft, recipient, user);
    insertMessage(connection, message);
    return message;
}

}  // namespace otpgate::store
