// Whether a short code signs anybody in, or the long link of the same message alone. Functions of values that a store
// has read; services, stores and the composer of messages ask them.
#pragma once

#include "otpgate/domain/destination.h"
#include "otpgate/domain/models.h"

#include <string>
#include <string_view>

namespace otpgate::domain {

// otp.link: whether the mail of a sign-in code holds a link that signs in, too, or alone.
enum class LinkUse { Off, Beside, Instead };
std::string_view toString(LinkUse use);  // "off"

// What a message gives its reader to sign in by.
enum class Means { Code, CodeAndLink, Link };
std::string_view toString(Means means);  // "code", "code_and_link", "link"

// So many wrong guesses in a row, without a success between, and a lane takes no short code any more: strangers'
// guesses at an address add up, whoever makes them and however slowly (NIST SP 800-63B-4, section 3.2.2). Whoever can
// read the mailbox gets in all the same, by a link of 128 bits, which nobody guesses; so this locks nobody out.
inline constexpr unsigned kMostFailures = 100;

// Purposes whose codes let somebody into an account: their guesses count, and their codes end. The others prove an
// address, and nobody gets in by them.
bool letsIn(Purpose purpose);

MessageKind kindOf(Means means);

// `failures`: in a row, of the lane (see Bucket).
Means meansOf(LinkUse use, Purpose purpose, Channel channel, unsigned failures);
bool takesShortCodes(LinkUse use, Purpose purpose, Channel channel, unsigned failures);

// The wrong guesses in a row of a lane that takes no short code any more, or takes them again, noted in the bucket
// where its requests are counted: who asks for a code reads that one anyway, and is sent a link. What a short code is
// worth says the bucket of the guesses alone; devices share the bucket of their requests.
struct LaneFailures {
    std::string requestBucket;
    unsigned failures = 0;
};

}  // namespace otpgate::domain
