// The sessions of protected sites (etc/doc/protect.md). A site's session is the login session seen from one place: its
// cookie names the login session and the place that it is good for, under a MAC. So it ends with the login session, at
// once and everywhere, it opens nothing at any other place, our account API least of all, and nothing of it is stored.
//
// A site under another host name gets it by a ticket: good once, for a minute, for one site, and for the browser alone
// that began the way to the sign-in at that site. That browser holds a nonce in a cookie of the site; what travels is
// the nonce's hash, the challenge. So nobody can be handed the ticket of somebody else (login CSRF), and a ticket that
// somebody reads in a log or a Referer opens nothing.
//
// One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/session_store.h"
#include "otpgate/domain/ticket_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

class SiteSessions {
public:
    static constexpr std::chrono::seconds kTicketLifetime{60};

    SiteSessions(SessionStore& sessions, TicketStore& tickets, const crypto::KeyRing& ring, const Clock& clock,
                 Random& random, const SessionLifetimes& lifetimes, SignInRule rule = {});
    // Of a cookie.
    std::chrono::seconds lifetime() const { return lifetimes_.idle; }

    // 16 random bytes in base64url.
    std::string makeNonce() const;
    static bool isNonce(std::string_view text);
    static std::string challengeOf(std::string_view nonce);  // 32 bytes in base64url
    static bool isChallenge(std::string_view text);

    // `site` is an origin in lower case.
    std::string ticketFor(const Uuid& sessionId, std::string_view site, std::string_view challenge) const;
    // Uses the ticket up, whatever comes of it. nullopt: it is none, too old, of another site or browser, or used
    // before, or its session is over.
    std::optional<AuthenticatedSession> redeem(std::string_view ticket, std::string_view site, std::string_view nonce);

    // `place` is a site's origin, or for the hosts of a domain that share a cookie `.example.com`.
    std::string cookieOf(const Uuid& sessionId, std::string_view place) const;
    // Whose session it is, where it is alive; a session in use lives on.
    std::optional<AuthenticatedSession> authenticate(std::string_view cookie, std::string_view place);

private:
    std::optional<AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now);

    SessionStore& sessions_;
    TicketStore& tickets_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    SessionLifetimes lifetimes_;
    SignInRule rule_;
};

}  // namespace otpgate::domain
