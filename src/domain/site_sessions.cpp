#include "otpgate/domain/site_sessions.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/crypto/signed_token.h"
#include "otpgate/domain/session_rules.h"

#include <array>

namespace otpgate::domain {

namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kNonceBytes = 16;

// What a ticket is good for. No origin has a line end in it.
std::string purposeOf(std::string_view site, std::string_view challenge) {
    return crypto::sha256(std::string{site} + "\n" + std::string{challenge});
}

bool isBase64UrlOf(std::string_view text, std::size_t bytes) {
    const auto parsed = parseBase64Url(text);
    return parsed && parsed->size() == bytes;
}

}  // namespace

SiteSessions::SiteSessions(SessionStore& sessions, TicketStore& tickets, const crypto::KeyRing& ring,
                           const Clock& clock, Random& random, const SessionLifetimes& lifetimes, SignInRule rule)
    : sessions_(sessions),
      tickets_(tickets),
      ring_(ring),
      clock_(clock),
      random_(random),
      lifetimes_(lifetimes),
      rule_(std::move(rule)) {}

std::string SiteSessions::makeNonce() const {
    std::array<std::uint8_t, kNonceBytes> bytes{};
    random_.fill(bytes);
    return toBase64Url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool SiteSessions::isNonce(std::string_view text) {
    return isBase64UrlOf(text, kNonceBytes);
}

std::string SiteSessions::challengeOf(std::string_view nonce) {
    return toBase64Url(crypto::sha256(nonce));
}

bool SiteSessions::isChallenge(std::string_view text) {
    return isBase64UrlOf(text, kHashBytes);
}

std::string SiteSessions::ticketFor(const Uuid& sessionId, std::string_view site, std::string_view challenge) const {
    const Timestamp now = clock_.now();
    std::string payload{Uuid::makeV7(now, random_).bytes()};
    payload += sessionId.bytes();
    payload += purposeOf(site, challenge);
    payload += crypto::packInteger(toMicroseconds(now + kTicketLifetime));
    return crypto::signToken(ring_, crypto::KeyUse::SiteTicket, payload);
}

std::optional<AuthenticatedSession> SiteSessions::redeem(std::string_view ticket, std::string_view site,
                                                         std::string_view nonce) {
    const auto payload = crypto::openToken(ring_, crypto::KeyUse::SiteTicket, ticket,
                                           Uuid::kBytes + Uuid::kBytes + kHashBytes + crypto::kIntegerBytes);
    if (!payload) return std::nullopt;
    std::string_view rest = *payload;
    const auto next = [&rest](std::size_t bytes) {
        const std::string_view part = rest.substr(0, bytes);
        rest.remove_prefix(bytes);
        return part;
    };
    const Uuid id = Uuid::fromBytes(next(Uuid::kBytes));
    const Uuid sessionId = Uuid::fromBytes(next(Uuid::kBytes));
    const std::string_view purpose = next(kHashBytes);
    const Timestamp expiresAt = fromMicroseconds(crypto::unpackInteger(next(crypto::kIntegerBytes)));

    const Timestamp now = clock_.now();
    if (expiresAt <= now) return std::nullopt;
    // Whoever shows it uses it up: one that came to the wrong browser was made by somebody for a nonce of his own, and
    // must not wait there until he has read it.
    const bool isFirst = tickets_.use(id, expiresAt);
    if (!isFirst || !crypto::equalInConstantTime(purpose, purposeOf(site, challengeOf(nonce)))) return std::nullopt;
    return findActive(sessionId, now);
}

std::string SiteSessions::cookieOf(const Uuid& sessionId, std::string_view place) const {
    return crypto::signToken(ring_, crypto::KeyUse::SiteCookie, std::string{sessionId.bytes()} + crypto::sha256(place));
}

std::optional<AuthenticatedSession> SiteSessions::authenticate(std::string_view cookie, std::string_view place) {
    const auto payload = crypto::openToken(ring_, crypto::KeyUse::SiteCookie, cookie, Uuid::kBytes + kHashBytes);
    if (!payload ||
        !crypto::equalInConstantTime(std::string_view{*payload}.substr(Uuid::kBytes), crypto::sha256(place)))
        return std::nullopt;
    const Timestamp now = clock_.now();
    auto session = findActive(Uuid::fromBytes(std::string_view{*payload}.substr(0, Uuid::kBytes)), now);
    if (session && isTouchDue(session->session, lifetimes_, now)) {
        sessions_.touch(session->session.id, now, sessionEndsAt(session->session, now, lifetimes_));
    }
    return session;
}

std::optional<AuthenticatedSession> SiteSessions::findActive(const Uuid& sessionId, Timestamp now) {
    auto found = sessions_.findActive(sessionId, now);
    if (!found || !isGood(*found, lifetimes_, rule_, now)) return std::nullopt;
    return found;
}

}  // namespace otpgate::domain
