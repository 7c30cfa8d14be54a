// How long sessions last. What comes of it is decided in session_rules.h.
#pragma once

#include <chrono>

namespace otpgate::domain {

// So long without use, and so long in all.
struct SessionLifetimes {
    std::chrono::seconds idle{604800};
    std::chrono::seconds total{2592000};
    // Of one whose sign-in was of level 2, where it is shorter (NIST SP 800-63B-4, section 2.2.3).
    std::chrono::seconds aal2Idle{3600};
    std::chrono::seconds aal2Total{86400};
};

}  // namespace otpgate::domain
