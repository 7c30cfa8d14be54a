#include "otpgate/domain/otp_rules.h"

#include "otpgate/domain/assurance.h"
#include "otpgate/domain/pending_registration.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

using RequestOutcome = OtpRequestResult::Outcome;
using VerifyOutcome = OtpVerifyResult::Outcome;

bool isLetThrough(const NewOtpRequest& request, const std::optional<AddressOwner>& owner) {
    const bool isActive = owner && owner->status == UserStatus::Active &&
                          (request.signIn == nullptr || request.signIn->allows(owner->role, owner->groups));
    switch (request.accountRule) {
    case AccountRule::Any: return true;
    case AccountRule::ActiveOrNew: return !owner || isActive;
    case AccountRule::Active: return isActive;
    }
    return false;
}

// Each piece of work is good for one request, for as long as its challenge could be shown again.
const LimitRule kWorkRule{{{1, 2 * kWorkFor}}};

bool needsWork(const NewOtpRequest& request, bool isClientsTurn) {
    switch (request.askForWork) {
    case AskForWork::Off: return false;
    case AskForWork::Limits: return !isClientsTurn;
    case AskForWork::Sms: return !isClientsTurn || request.destination.channel() == Channel::Sms;
    case AskForWork::Always: return true;
    }
    return false;
}

bool mayBeAt(const OtpVerification& guess, const StoredOtp& otp) {
    if (guess.purpose && *guess.purpose != otp.purpose) return false;
    if (guess.typedAddress && guess.typedAddress != otp.destination) return false;
    // Of its owner's lane: to everybody else there is no such code.
    return otp.purpose != Purpose::Change || guess.ownerId == otp.lane;
}

User newUser(const OtpVerification& guess, const Destination& address) {
    User user;
    user.id = guess.newUserId;
    (address.channel() == Channel::Email ? user.email : user.phoneNumber) = address.value();
    user.locale = firstLanguage(guess.client.languages);
    user.joinedAt = guess.now;
    return user;
}

class Ruling {
public:
    Ruling(const OtpVerification& guess, StoredOtp& otp, std::optional<User>& user,
           std::span<const StoredDevice> devices)
        : guess_(guess),
          otp_(otp),
          user_(user),
          devices_(devices) {
        ruling_.result.channel = otp.destination.channel();
        ruling_.result.purpose = otp.purpose;
    }

    GuessRuling on(Bucket& budget) {
        OtpVerifyResult& result = ruling_.result;
        if (isDoneBefore()) {
            repeat();
            return std::move(ruling_);
        }
        const unsigned failuresBefore = budget.failures();
        result.outcome = countGuess(guess_, otp_, budget);
        noteFailures(failuresBefore, budget);
        if (result.outcome == VerifyOutcome::Verified) {
            prove();
        } else if (result.outcome == VerifyOutcome::WrongCode) {
            result.attemptsLeft = otp_.tries.most - otp_.tries.count;
            note(0, AuditEvent::OtpFailed, changer());
            if (letsIn(otp_.purpose) && budget.failures() == kMostFailures) tellOwner();
        } else if (result.outcome == VerifyOutcome::BudgetExhausted) {
            result.hits = budget.hits();
            if (budget.noteRefusal(guess_.now)) note(0, AuditEvent::OtpLocked, changer());
        }
        return std::move(ruling_);
    }

private:
    void note(std::size_t place, AuditEvent event, std::optional<Uuid> userId) {
        ruling_.events.push_back({guess_.auditIds.at(place), event, userId});
    }
    // The code was consumed by this very guess, whose answer nobody has got: nobody else's has this microsecond and is
    // right.
    bool isDoneBefore() const {
        return guess_.isRepeated && guess_.guess == Guess::Right && mayBeAt(guess_, otp_) &&
               otp_.tries.consumedAt == guess_.now;
    }
    // The answer that it would have had. All that it changed is there, so nothing is changed and nothing is told again.
    void repeat() {
        OtpVerifyResult& result = ruling_.result;
        result.outcome = VerifyOutcome::Verified;
        if (otp_.purpose == Purpose::Login) {
            if (!user_ || !mayEnter(*user_, guess_.signIn)) {
                result.outcome = user_ ? VerifyOutcome::AccountDisabled : VerifyOutcome::Unknown;
                return;
            }
            if (!opens()) {
                result.outcome = VerifyOutcome::NeedsFactor;
                leaveTheRest();
                return;
            }
            const auto device = findSameDevice(guess_, user_->id, devices_);
            result.signIn = {user_->id == guess_.newUserId, *user_, guess_.sessionId,
                             device.value_or(guess_.newDeviceId), methods()};
            result.isSignInRepeated = true;
        }
        result.destination = otp_.destination;
    }
    // Who asked for a code for a change of address; of other codes nobody is known by asking.
    std::optional<Uuid> changer() const {
        return otp_.purpose == Purpose::Change ? std::optional{otp_.lane} : std::nullopt;
    }
    std::optional<Uuid> userId() const { return user_ ? std::optional{user_->id} : std::nullopt; }

    // The address is proved, whoever asked for the code. That of a change is not the account's yet.
    void prove() {
        ruling_.result.destination = otp_.destination;
        if (otp_.purpose == Purpose::Change) {
            note(0, AuditEvent::OtpVerified, changer());
            return;
        }
        const auto lastLogin = user_ ? user_->lastLoginAt : std::nullopt;
        const bool isLogin = otp_.purpose == Purpose::Login;
        const bool mayRegister = guess_.mayRegister && (!guess_.signUp || guess_.signUp->allows(otp_.destination));
        bool isNewUser = isLogin && !user_ && mayRegister;
        if (isNewUser) user_ = newUser(guess_, otp_.destination);
        const auto form = otp_.registration ? unpackRegistration(*otp_.registration) : std::nullopt;
        const bool isRefused = form && user_;
        if (form && !user_) {
            user_ = registeredUser(*form);
            isNewUser = true;
        }
        if (user_) (otp_.destination.channel() == Channel::Email ? user_->emailVerified : user_->phoneVerified) = true;
        note(0, AuditEvent::OtpVerified, userId());
        if (isNewUser) note(1, AuditEvent::UserRegistered, userId());
        if (isRefused) note(1, AuditEvent::RegistrationRefused, userId());
        if (isLogin) signIn(isNewUser, lastLogin);
    }

    // Where they are noted already it is done once a minute: strangers write no more than that.
    void noteFailures(unsigned before, Bucket& budget) {
        if (!letsIn(otp_.purpose)) return;
        const unsigned now = budget.failures();
        if (now == before && (now < kMostFailures || !budget.noteRefusal(guess_.now))) return;
        if (now < kMostFailures && before < kMostFailures) return;
        ruling_.failures = {
            otp_.lane == kStrangersLane ? requestBucketOf(otp_.destination) : deviceRequestBucketOf(otp_.destination),
            now};
    }
    // Of the guess after which nobody gets in by a short code. The next ones do not count, so it is told once.
    void tellOwner() {
        if (!guess_.failuresNotice || !user_ || user_->status == UserStatus::Disabled) return;
        const auto recipient = noticeRecipient(*user_, guess_.failuresNotice->bySms);
        if (recipient) ruling_.result.notice = makeNotice(*guess_.failuresNotice, *recipient, *user_);
    }

    // Anybody may have filled in the form, and the code went to whoever has the address. What the form says, the
    // password above all, counts where the one who asked for the code is the one who proves it.
    User registeredUser(const PendingRegistration& form) {
        User user = newUser(guess_, otp_.destination);
        user.id = form.userId;
        if (guess_.namedBy != CodeNamedBy::Id) return user;
        user.firstName = form.firstName;
        user.lastName = form.lastName;
        user.locale = form.locale;
        user.hasPassword = form.passwordHash.has_value();
        ruling_.passwordHash = form.passwordHash;
        return user;
    }

    void signIn(bool isNewUser, std::optional<Timestamp> lastLogin) {
        OtpVerifyResult& result = ruling_.result;
        const bool isLetIn = user_ && mayEnter(*user_, guess_.signIn);
        const bool isEnough = isLetIn && opens();
        if (isLetIn && !isEnough) leaveTheRest();
        // Half a sign-in has neither succeeded nor failed.
        if (!result.firstStep) note(2, isEnough ? AuditEvent::LoginSucceeded : AuditEvent::LoginFailed, userId());
        if (!isEnough) {
            result.outcome = isLetIn ? VerifyOutcome::NeedsFactor
                             : user_ ? VerifyOutcome::AccountDisabled
                                     : VerifyOutcome::Unknown;
            result.destination.reset();
            return;
        }
        user_->lastLoginAt = guess_.now;
        if (guess_.signIn != nullptr) noteWantedFactor(*user_, *guess_.signIn, guess_.now);
        const auto known = findSameDevice(guess_, user_->id, devices_);
        result.signIn = {isNewUser, *user_, guess_.sessionId, known.value_or(guess_.newDeviceId), methods()};
        // Who registers, or signs in for the first time, needs not be told.
        if (!known && lastLogin && guess_.notice) {
            const auto recipient = noticeRecipient(*user_, guess_.notice->bySms);
            if (recipient) result.notice = makeNotice(*guess_.notice, *recipient, *user_);
        }
        // Told in the zone that was known before: a stranger's is his own.
        if (!guess_.device.timeZone.empty()) user_->timeZone = guess_.device.timeZone;
    }

    bool owes() const { return guess_.signIn != nullptr && owesFactor(*user_, *guess_.signIn, guess_.now); }
    bool opens() const { return opensAccount(methods(), user_->hasFactor) && !owes(); }
    // What the sign-in has shown.
    std::string methods() const {
        const bool isHelped = user_->hasFactor && isTrusted(guess_, user_->id, devices_);
        return isHelped ? withTrustedDevice(otp_.methods) : otp_.methods;
    }

    void leaveTheRest() {
        const bool addsFactor = owes();
        if (!user_->hasTotp && !user_->hasRecoveryCodes && !addsFactor) return;
        ruling_.result.firstStep = FirstStep{
            user_->id, otp_.methods, otp_.guessBucket, user_->hasTotp, user_->hasFactor && user_->hasRecoveryCodes,
            addsFactor};
    }

    const OtpVerification& guess_;
    StoredOtp& otp_;
    std::optional<User>& user_;
    std::span<const StoredDevice> devices_;
    GuessRuling ruling_;
};

// Whoever has the link has read the message: neither the tries at the short code nor a spent budget keep him out.
VerifyOutcome redeemLink(const OtpVerification& guess, StoredOtp& otp, Bucket& budget) {
    if (guess.guess != Guess::Right || otp.purpose != Purpose::Login) return VerifyOutcome::Unknown;
    if (otp.tries.consumedAt) return VerifyOutcome::Used;
    ++otp.tries.count;
    otp.tries.consumedAt = guess.now;
    budget.succeed(guess.now, guess.guessRule.longest());
    return VerifyOutcome::Verified;
}

}  // namespace

OtpLane laneOf(const NewOtpRequest& request, bool isDeviceKnown) {
    // Neither what strangers ask for an address nor what others do behind the same client address counts for a device
    // that the account knows. A change of address is asked by its user, whatever the device.
    if (isDeviceKnown && !request.ownerId) {
        return {request.device.value(), request.deviceBucket, request.deviceGuessBucket, false};
    }
    return {request.ownerId.value_or(kStrangersLane), request.destinationBucket, request.guessBucket, true};
}

std::string requestBucketOf(const Destination& destination) {
    return limitBucket("request", destination.value());
}

std::string deviceRequestBucketOf(const Destination& destination) {
    return limitBucket("request-device", destination.value());
}

OtpRequestRuling ruleOnRequest(const NewOtpRequest& request, const std::optional<AddressOwner>& owner,
                               RequestBuckets buckets) {
    const Timestamp now = request.now;
    const auto [bucket, client, account, work, isStrangers] = buckets;
    const bool isClientsTurn = client == nullptr || client->accepts(request.clientRule, now);
    const bool isWorkNeeded = isStrangers && needsWork(request, isClientsTurn);
    // An SMS costs money, and who earns by it can afford to work: no work takes the place of its limit.
    const bool isSms = request.destination.channel() == Channel::Sms;
    if (!isClientsTurn && (isSms || !isWorkNeeded)) {
        return {RequestOutcome::ClientLimited, client->hits(), false, client->noteRefusal(now)};
    }
    if (isWorkNeeded && (work == nullptr || !work->accepts(kWorkRule, now))) {
        // Who does not know how to work may wait, where that is enough.
        const bool mayWait = request.askForWork == AskForWork::Limits;
        return {RequestOutcome::WorkNeeded, mayWait ? client->hits() : "", false,
                !isClientsTurn && client->noteRefusal(now)};
    }
    if (account != nullptr && !account->accepts(request.accountLimit, now)) {
        return {RequestOutcome::AccountLimited, account->hits(), false, account->noteRefusal(now)};
    }
    // It remembers its last time even without a limit, so that the next request knows whether it has a code to void.
    if (!bucket.takeAndRemember(request.destinationRule, now,
                                std::chrono::ceil<std::chrono::seconds>(request.expiresAt - now))) {
        return {RequestOutcome::DestinationLimited, bucket.hits(), false, bucket.noteRefusal(now)};
    }
    if (isWorkNeeded) work->take(kWorkRule, now);
    if (client != nullptr) client->take(request.clientRule, now);  // which counts no more than its limit
    if (account != nullptr) account->take(request.accountLimit, now);
    const bool isLetThrough = domain::isLetThrough(request, owner);
    // Counted, so that a list of addresses cannot be tried at will.
    if (!isLetThrough && request.disclosure == Disclosure::Reveal) {
        return {owner ? RequestOutcome::AccountDisabled : RequestOutcome::UserNotFound, bucket.hits(), false, false};
    }
    return {RequestOutcome::Accepted, bucket.hits(), !isLetThrough, true};
}

bool mayHaveLiveCode(const NewOtpRequest& request, const Bucket& bucket) {
    const auto last = bucket.last();
    return last && *last > request.oldestLive;
}

TryOutcome countTry(Guess guess, const LimitRule& rule, Timestamp now, Tries& tries, Bucket& budget) {
    if (tries.consumedAt) return TryOutcome::Used;
    if (tries.count >= tries.most) return TryOutcome::TriesExhausted;
    const bool isRight = guess == Guess::Right;
    if (!(isRight ? budget.accepts(rule, now) : budget.take(rule, now))) return TryOutcome::BudgetExhausted;
    ++tries.count;
    if (!isRight) return TryOutcome::Wrong;
    tries.consumedAt = now;
    return TryOutcome::Right;
}

VerifyOutcome countGuess(const OtpVerification& guess, StoredOtp& otp, Bucket& budget) {
    if (!mayBeAt(guess, otp)) return VerifyOutcome::Unknown;
    if (!otp.tries.consumedAt && otp.expiresAt <= guess.now) return VerifyOutcome::Expired;
    if (guess.by == GuessBy::Link) return redeemLink(guess, otp, budget);
    // Of one that was sent before: who asks for another gets a link.
    if (!otp.tries.consumedAt &&
        !takesShortCodes(guess.linkUse, otp.purpose, otp.destination.channel(), budget.failures())) {
        return VerifyOutcome::AttemptsExhausted;
    }
    switch (countTry(guess.guess, guess.guessRule, guess.now, otp.tries, budget)) {
    case TryOutcome::Right:
        if (letsIn(otp.purpose)) budget.succeed(guess.now, guess.guessRule.longest());
        return VerifyOutcome::Verified;
    case TryOutcome::Wrong:
        if (letsIn(otp.purpose)) budget.fail(guess.now);
        return VerifyOutcome::WrongCode;
    case TryOutcome::Used: return VerifyOutcome::Used;
    case TryOutcome::TriesExhausted: return VerifyOutcome::AttemptsExhausted;
    case TryOutcome::BudgetExhausted: return VerifyOutcome::BudgetExhausted;
    }
    return VerifyOutcome::Unknown;
}

std::optional<Uuid> findSameDevice(const OtpVerification& guess, const Uuid& userId,
                                   std::span<const StoredDevice> devices) {
    std::optional<Uuid> newest;
    for (const StoredDevice& device : devices) {
        if (device.userId != userId) continue;
        if (device.id == guess.shownDevice) return device.id;
        const bool isNamed = !guess.device.installId.empty() && device.installId == guess.device.installId;
        if (isNamed && (!newest || device.id > *newest)) newest = device.id;
    }
    return newest;
}

bool isTrusted(const OtpVerification& guess, const Uuid& userId, std::span<const StoredDevice> devices) {
    if (!guess.deviceTrust || !guess.shownDevice) return false;
    return std::ranges::any_of(devices, [&](const StoredDevice& device) {
        return device.id == guess.shownDevice && device.userId == userId && device.trustedSince &&
               *device.trustedSince + *guess.deviceTrust > guess.now;
    });
}

GuessRuling ruleOnGuess(const OtpVerification& guess, GuessRows rows) {
    if (rows.otp == nullptr || rows.budget == nullptr) return {};
    return Ruling(guess, *rows.otp, rows.user, rows.devices).on(*rows.budget);
}

}  // namespace otpgate::domain
