// What a session may do, by how sure its sign-in was and how long that is ago (RFC 9470): the one rule for every route.
#pragma once

#include "otpgate/domain/assurance.h"
#include "otpgate/domain/session_store.h"

#include <chrono>

namespace otpgate::domain {

enum class Action {
    Leave,  // sign out
    SeeFactors,
    AddFactor,
    Use,     // all that a session is for
    Change,  // what outlasts the session: factors, address, password, keys, deletion
    Administer
};

// What a session can show.
struct Standing {
    bool hasFactor = false;  // its account
    AssuranceLevel level = AssuranceLevel::One;
    std::chrono::microseconds age{0};  // of the sign-in; a refresh is none
    bool showsFactor = false;          // and has not been let in by a trusted device
    bool mayOnlyAddFactors = false;
    bool hasPasskey = true;     // its account, which opens at level 2 by it
    bool opensAccount = false;  // by what it shows, or by a trusted device
    bool owesFactor = false;    // its user must add one before anything else
};
Standing standingOf(const AuthenticatedSession& session, Timestamp now);

// What a sign-in must do before the action is granted.
enum class StepUp { None, TwoFactors, Anew };

// `within`: how old a sign-in may be for what outlasts the session. An account with a factor is nobody's who has not
// shown it; such a session is one from before the factor, and may only be left. What outlasts a session takes
// level 2 where a passkey shows it: of an account with an app alone, a code and the app are all that the page can ask.
// A trusted device is enough for use alone. Who must have a factor (mfa.required) and has put it off for too long may
// add one and leave, whatever he has shown.
StepUp stepUpFor(Action action, const Standing& standing, std::chrono::seconds within);

}  // namespace otpgate::domain
