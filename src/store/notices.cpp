#include "store/notices.h"

#include "store/outbox_rows.h"

namespace otpgate::store {

std::optional<domain::OutboxMessage> writeNotice(db::Connection& connection,
                                                 const std::optional<domain::NoticeDraft>& draft,
                                                 const domain::User& user) {
    if (!draft) return std::nullopt;
    const auto recipient = domain::noticeRecipient(user, draft->bySms);
    if (!recipient) return std::nullopt;
    auto message = domain::makeNotice(*draft, *recipient, user);
    insertMessage(connection, message);
    return message;
}

}  // namespace otpgate::store
