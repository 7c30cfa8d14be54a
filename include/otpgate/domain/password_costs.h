// Tells the password gate what the hashes of this database cost, whoever put them there: an import, or a setting that
// was another one. Used by one thread.
#pragma once

#include "otpgate/crypto/password_gate.h"
#include "otpgate/domain/account_store.h"

namespace otpgate::domain {

class PasswordCosts {
public:
    PasswordCosts(AccountStore& store, crypto::PasswordGate& gate) : store_(store), gate_(gate) {}

    // Looks through all hashes once in the life of a database; from then on whoever imports some, or meets an unknown
    // one, notes it. Throws ServiceUnavailable when the database does not answer.
    void reload();

private:
    void lookThrough();

    AccountStore& store_;
    crypto::PasswordGate& gate_;
};

}  // namespace otpgate::domain
