// What is decided about codes: who gets one, what a guess at one does, who is signed in by it, on which device, and who
// is told. Functions of rows that a store has read and locked; the store writes back what they changed. There is no
// other place where this is decided, and nothing here knows a database.
#pragma once

#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/short_codes.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace otpgate::domain {

// The lane of everyone who is not a known device. The codes and limits of a lane are its own.
inline constexpr Uuid kStrangersLane{};

// Whose code a request is for, and where it and the guesses at the code count.
struct OtpLane {
    Uuid id;
    std::string bucket;
    std::string guessBucket;
    bool countsForClient = true;
};
// `isDeviceKnown`: whether the account that the address belongs to knows request.device.
OtpLane laneOf(const NewOtpRequest& request, bool isDeviceKnown);

// Where everything is counted that anybody but a known device has sent to an address, by whatever route.
std::string requestBucketOf(const Destination& destination);
// The same for the account's known devices, all together: each sign-in may make another one.
std::string deviceRequestBucketOf(const Destination& destination);

// The account that an address belongs to, as far as a request for a code cares.
struct AddressOwner {
    Uuid id;
    UserStatus status = UserStatus::Active;
    std::string locale;
    Role role = Role::User;
    std::vector<std::string> groups{};
};

struct OtpRequestRuling {
    OtpRequestResult::Outcome outcome = OtpRequestResult::Outcome::Accepted;
    std::string hits;          // as OtpRequestResult
    bool isDiscarded = false;  // accepted, and never sent
    bool isToBeAudited = true;
};
struct RequestBuckets {
    Bucket& destination;
    Bucket* client = nullptr;   // null where the request does not count for its client
    Bucket* account = nullptr;  // null where no account asks for it
    Bucket* work = nullptr;     // null where no work is shown
    bool isStrangers = true;    // whom work may be asked of
};
// Counts in all buckets, or in none.
OtpRequestRuling ruleOnRequest(const NewOtpRequest& request, const std::optional<AddressOwner>& owner,
                               RequestBuckets buckets);
// Whether a code of the lane may be alive that a new one voids, by the lane's bucket before the request was counted.
bool mayHaveLiveCode(const NewOtpRequest& request, const Bucket& bucket);

// What has been tried at a code, of a login or of a verification context.
struct Tries {
    unsigned count = 0;
    unsigned most = 0;
    std::optional<Timestamp> consumedAt;
};
enum class TryOutcome { Right, Wrong, Used, TriesExhausted, BudgetExhausted };
// Counts the guess, and lets the verdict out only where it counts: as one of the tries, and of the budget a place where
// the guess is wrong. A right one consumes the code. A right guess takes no place, but a spent budget refuses it like
// any other: who has it learns nothing more. What is refused is not compared, so it is no try either.
TryOutcome countTry(Guess guess, const LimitRule& rule, Timestamp now, Tries& tries, Bucket& budget);

// A code, as it is stored.
struct StoredOtp {
    Uuid id;
    Destination destination;
    Purpose purpose = Purpose::Login;
    Uuid lane;
    std::string methods;
    std::string guessBucket;
    Tries tries;
    Timestamp expiresAt;
    std::optional<std::string> registration{};  // the form that waits for it, see pending_registration.h
};

// Whether the guess may be at this code at all, and then what countTry() says.
OtpVerifyResult::Outcome countGuess(const OtpVerification& guess, StoredOtp& otp, Bucket& budget);

// A device that is not revoked.
struct StoredDevice {
    Uuid id;
    Uuid userId;
    std::string installId;
};
// The one of the user's that signs in: the device that proves itself stays the same one; so does an installation that
// names itself, and the newest of that name counts. nullopt: a new one.
std::optional<Uuid> findSameDevice(const OtpVerification& guess, const Uuid& userId,
                                   std::span<const StoredDevice> devices);

// What one guess may touch. Null or absent: there is none.
struct GuessRows {
    StoredOtp* otp = nullptr;
    Bucket* budget = nullptr;  // the one that the code names
    std::optional<User>&
        user;  // whose address the code's destination is; made by a login that may register, or by a form
    std::span<const StoredDevice> devices;
};

struct AuditDraft {
    Uuid id;
    AuditEvent event = AuditEvent::OtpVerified;
    std::optional<Uuid> userId;
};

// What became of a guess beyond what was changed in its rows. With result.signIn a session is to be opened on the
// device result.signIn->deviceId, which is new where it is guess.newDeviceId.
struct GuessRuling {
    OtpVerifyResult result;
    std::vector<AuditDraft> events;
    std::optional<std::string> passwordHash{};  // of the user that it made
    std::optional<LaneFailures> failures{};     // to be noted; there is such a bucket as long as there is the code
};
GuessRuling ruleOnGuess(const OtpVerification& guess, GuessRows rows);

}  // namespace otpgate::domain
