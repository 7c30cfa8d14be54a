#include "otpgate/domain/address_service.h"

#include <utility>

namespace otpgate::domain {

AddressService::AddressService(AccountStore& store, OtpService& otp, Messenger& messenger, const Clock& clock,
                               Random& random, NoticeSettings notices)
    : store_(store),
      otp_(otp),
      messenger_(messenger),
      clock_(clock),
      random_(random),
      notices_(std::move(notices)) {}

ChangedAddress AddressService::change(const AuthenticatedSession& caller, const OtpReference& reference,
                                      std::string_view guess, const Client& client) {
    OtpReference owners = reference;
    owners.purpose = Purpose::Change;
    owners.ownerId = caller.user.id;
    ChangedAddress changed;
    changed.code = otp_.redeem(owners, guess, {client, std::nullopt}, [&](const OtpVerification& verification) {
        const Timestamp now = verification.now;
        AddressChangeResult result =
            store_.changeAddress({.guess = verification,
                                  .keptSession = caller.session.id,
                                  .auditId = Uuid::makeV7(now, random_),
                                  .notice = draftNotice(notices_,
                                                        {MessageKind::AddressChanged,
                                                         describeDevice(caller.session.device, client.userAgent),
                                                         client, now, messenger_.lease()},
                                                        random_),
                                  .secondNoticeId = Uuid::makeV7(now, random_)});
        for (const OutboxMessage& notice : result.notices) messenger_.handOver(notice);
        changed.user = std::move(result.user);
        return std::move(result.code);
    });
    return changed;
}

}  // namespace otpgate::domain
