// Giving an account another address: asked for by OtpService::request with purpose change, redeemed here. One object a
// worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/account_store.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/session_store.h"

#include <optional>
#include <string_view>

namespace otpgate::domain {

struct ChangedAddress {
    VerifiedOtp code;
    std::optional<User> user;  // where the code is Verified; nullopt then: another account has the address
};

class AddressService {
public:
    AddressService(AccountStore& store, OtpService& otp, Messenger& messenger, const Clock& clock, Random& random,
                   NoticeSettings notices);

    // Good for the user who asked only. See AccountStore::changeAddress.
    ChangedAddress change(const AuthenticatedSession& caller, const OtpReference& reference, std::string_view guess,
                          const Client& client);

private:
    AccountStore& store_;
    OtpService& otp_;
    Messenger& messenger_;
    const Clock& clock_;
    Random& random_;
    NoticeSettings notices_;
};

}  // namespace otpgate::domain
