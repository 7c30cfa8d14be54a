#include "otpgate/domain/address_service.h"

namespace otpgate::domain {

AddressService::AddressService(AccountStore& store, OtpService& otp, Messenger& messenger, const Clock& clock,
                               Random& random, AddressSettings settings)
    : store_(store),
      otp_(otp),
      messenger_(messenger),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)) {}

bool AddressService::mayChange(const Session& session) const {
    return clock_.now() - session.authenticatedAt <= settings_.changeWithin;
}

ChangedAddress AddressService::change(const AuthenticatedSession& caller, const OtpReference& reference,
                                      std::string_view guess, const Client& client) {
    const Timestamp now = clock_.now();
    const Uuid& userId = caller.user.id;
    const JudgedGuess judged = otp_.judge(reference, guess, userId);
    AddressChangeResult result = store_.changeAddress(
        {.otpId = judged.otpId,
         .guess = judged.guess,
         .guessRule = settings_.guessesPerDestination,
         .userId = userId,
         .keptSession = caller.session.id,
         .now = now,
         .auditIds = {Uuid::makeV7(now, random_), Uuid::makeV7(now, random_)},
         .notice = draftNotice(settings_.notices,
                               {MessageKind::AddressChanged, describeDevice(caller.session.device, client.userAgent),
                                client, now, messenger_.lease()},
                               random_),
         .secondNoticeId = Uuid::makeV7(now, random_),
         .client = client});
    for (const OutboxMessage& notice : result.notices) messenger_.handOver(notice);
    return {otp_.report(reference, judged, std::move(result.code)), std::move(result.user)};
}

}  // namespace otpgate::domain
