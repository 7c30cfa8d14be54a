#include "otpgate/domain/password_service.h"

#include "otpgate/base/errors.h"
#include "otpgate/crypto/password_costs.h"
#include "otpgate/domain/otp_rules.h"
#include "otpgate/domain/short_codes.h"

#include <utility>

namespace otpgate::domain {

using crypto::PasswordMatch;

PasswordService::PasswordService(AccountStore& store, crypto::PasswordGate& gate, const PasswordPolicy& policy,
                                 const Clock& clock, Random& random, PasswordLimits limits, Messenger& messenger,
                                 NoticeSettings notices)
    : store_(store),
      gate_(gate),
      policy_(policy),
      clock_(clock),
      random_(random),
      limits_(std::move(limits)),
      messenger_(messenger),
      notices_(std::move(notices)) {}

std::optional<std::string> PasswordService::reasonToRefuse(std::string_view password,
                                                           const std::optional<Destination>& destination) const {
    PasswordOwner owner;
    if (destination) {
        (destination->channel() == Channel::Email ? owner.email : owner.phoneNumber) = destination->value();
    }
    return policy_.reasonToRefuse(password, owner);
}

std::optional<std::string> PasswordService::reasonToRefuse(std::string_view password, const User& user) const {
    PasswordOwner owner;
    if (user.email) owner.email = *user.email;
    if (user.phoneNumber) owner.phoneNumber = *user.phoneNumber;
    if (user.username) owner.username = *user.username;
    owner.displayName = user.displayName;
    owner.firstName = user.firstName;
    owner.lastName = user.lastName;
    return policy_.reasonToRefuse(password, owner);
}

CheckedPassword PasswordService::check(const Destination& destination, std::string_view password, const Asker& asker) {
    Comparison comparison = compare(destination, password, asker);
    if (!comparison.result.user) return std::move(comparison.result);
    store_.giveBackGuess(comparison.buckets, comparison.failureBucket, comparison.countedAt);
    upgrade(*comparison.result.user, password, comparison);
    return std::move(comparison.result);
}

PasswordService::Comparison PasswordService::compare(const Destination& destination, std::string_view password,
                                                     const Asker& asker) {
    const Timestamp now = clock_.now();
    CountedGuess guess = store_.countGuess({.destination = destination,
                                            .device = asker.device,
                                            .bucket = limitBucket("password", destination.value()),
                                            .deviceBucket = limitBucket("password-device", destination.value()),
                                            .failureBucket = limitBucket("guess", destination.value()),
                                            .deviceFailureBucket = limitBucket("guess-device", destination.value()),
                                            .rule = limits_.perDestination,
                                            .clientBucket = limitBucket("password-client", asker.client.network),
                                            .clientRule = limits_.perClient,
                                            .now = now,
                                            .auditId = Uuid::makeV7(now, random_),
                                            .client = asker.client});
    const auto limited = [&](PasswordOutcome outcome, std::string_view name, const LimitRule& rule) {
        return Comparison{.result = {outcome, reportLimit(name, rule, std::move(guess.hits), now), std::nullopt},
                          .hash = {},
                          .buckets = {},
                          .failureBucket = {},
                          .countedAt = now};
    };
    switch (guess.outcome) {
    case CountedGuess::Outcome::Accepted: break;
    case CountedGuess::Outcome::TooManyFailures:
        return {{PasswordOutcome::TooManyFailures, std::nullopt, std::nullopt}, {}, PasswordMatch::Wrong, {}, {}, now};
    case CountedGuess::Outcome::DestinationLimited:
        return limited(PasswordOutcome::Limited, "guesses_per_destination", limits_.perDestination);
    case CountedGuess::Outcome::ClientLimited:
        return limited(PasswordOutcome::ClientLimited, "passwords_per_client", limits_.perClient);
    }
    PasswordMatch match = PasswordMatch::Wrong;
    try {
        if (guess.passwordHash) learnCostOf(*guess.passwordHash);
        match = matchOf(password, guess);
    } catch (const ServiceUnavailable&) {
        store_.giveBackGuess(guess.buckets, guess.failureBucket, now);
        throw;
    }
    if (match != PasswordMatch::Right && match != PasswordMatch::RightAsTyped) {
        auditWrong(destination, guess, asker, now);
        return {};
    }
    return {{PasswordOutcome::Right, std::nullopt, std::move(guess.user)},
            std::move(*guess.passwordHash),
            match,
            std::move(guess.buckets),
            std::move(guess.failureBucket),
            now};
}

void PasswordService::auditWrong(const Destination& destination, const CountedGuess& guess, const Asker& asker,
                                 Timestamp now) {
    WrongPassword wrong{std::nullopt, destination, now, Uuid::makeV7(now, random_), asker.client};
    if (guess.user) wrong.userId = guess.user->id;
    if (guess.failures == kMostFailures) {
        wrong.notice =
            draftNotice(notices_, {MessageKind::ManyFailures, "", asker.client, now, messenger_.lease()}, random_);
    }
    if (guess.failures >= kMostFailures) {
        wrong.failures = {guess.isKnownDevice ? deviceRequestBucketOf(destination) : requestBucketOf(destination),
                          guess.failures};
    }
    if (const auto notice = store_.auditWrongPassword(wrong)) messenger_.handOver(*notice);
}

// Before it is compared, so that even the first one who does sees nothing.
void PasswordService::learnCostOf(const std::string& hash) {
    const auto cost = crypto::costOf(hash);
    if (!cost || gate_.knows(*cost)) return;
    gate_.learn({*cost});
    store_.notePasswordCosts({*cost});
}

PasswordMatch PasswordService::matchOf(std::string_view password, const CountedGuess& guess) {
    // A right password is answered sooner; of an account that lets nobody in, none is right.
    if (!guess.passwordHash || guess.user->status != UserStatus::Active) {
        gate_.verifyNobody(password);
        return PasswordMatch::Wrong;
    }
    return gate_.verify(password, *guess.passwordHash);
}

void PasswordService::upgrade(const User& user, std::string_view password, const Comparison& comparison) {
    if (comparison.match == PasswordMatch::Right && !gate_.needsUpgrade(comparison.hash)) return;
    try {
        store_.upgradeHash(user.id, comparison.hash, gate_.hash(password));
    } catch (const ServiceUnavailable&) {
        // No slot free, or the database gone: there will be another login.
    }
}

PasswordReset PasswordService::makeReset(std::string passwordHash, const Client& client) {
    const Timestamp now = clock_.now();
    return {.proof = {},
            .passwordHash = std::move(passwordHash),
            .now = now,
            .auditId = Uuid::makeV7(now, random_),
            .client = client,
            .notice = draftNotice(
                notices_,
                {MessageKind::PasswordChanged, describeDevice({}, client.userAgent), client, now, messenger_.lease()},
                random_)};
}

bool PasswordService::reset(const Uuid& otpId, std::string passwordHash, const Client& client) {
    PasswordReset reset = makeReset(std::move(passwordHash), client);
    reset.proof = otpId;
    const PasswordSetting setting = store_.resetPassword(reset);
    if (setting.notice) messenger_.handOver(*setting.notice);
    return setting.isDone;
}

ResetByCode PasswordService::resetByCode(OtpService& otp, OtpReference reference, std::string_view guess,
                                         const std::string& passwordHash, const Asker& asker) {
    reference.purpose = Purpose::Reset;
    ResetByCode result;
    result.code = otp.redeem(reference, guess, asker, [&](const OtpVerification& verification) {
        PasswordReset reset = makeReset(passwordHash, asker.client);
        reset.proof = verification;
        PasswordSetting setting = store_.resetPassword(reset);
        if (setting.notice) messenger_.handOver(*setting.notice);
        result.isDone = setting.isDone;
        result.needsFactor = setting.needsFactor;
        return std::move(setting.code);
    });
    return result;
}

CheckedPassword PasswordService::change(const User& user, const Session& session, std::string_view current,
                                        std::string_view password, const Asker& asker) {
    const auto destination = user.email ? Destination::fromStored(Channel::Email, *user.email)
                                        : Destination::fromStored(Channel::Sms, user.phoneNumber.value_or(""));
    // Not check(): the old hash is about to go, so nothing of it is upgraded.
    Comparison comparison = compare(destination, current, asker);
    CheckedPassword& checked = comparison.result;
    if (checked.outcome != PasswordOutcome::Right) return std::move(checked);
    store_.giveBackGuess({}, comparison.failureBucket, comparison.countedAt);
    const Timestamp now = clock_.now();
    const auto change = store_.changePassword(
        {.userId = user.id,
         .oldHash = comparison.hash,
         .newHash = gate_.hash(password),
         .keptSession = session.id,
         .now = now,
         .auditId = Uuid::makeV7(now, random_),
         .client = asker.client,
         .notice = draftNotice(notices_,
                               {MessageKind::PasswordChanged, describeDevice(session.device, asker.client.userAgent),
                                asker.client, now, messenger_.lease()},
                               random_)});
    if (change.notice) messenger_.handOver(*change.notice);
    // Somebody else has changed it meanwhile, so what was shown is not the current one any more.
    if (!change.isDone) checked.outcome = PasswordOutcome::Wrong;
    return std::move(checked);
}

}  // namespace otpgate::domain
