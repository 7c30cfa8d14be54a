// What the suites of the OtpStore share: requests and guesses with everything in them.
#pragma once

#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <string>

namespace otpgate::test {

using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

template <class Suite, class Engine>
class OtpStoreTest : public StoreTest<Suite, Engine> {
    using Base = StoreTest<Suite, Engine>;

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeOtpStore(*Base::connection_);
    }

protected:
    static constexpr std::chrono::minutes kLifetime{10};

    // A request as the service makes it, without limits.
    domain::NewOtpRequest newRequest(const std::string& to) {
        const Timestamp now = Base::now();
        return {.id = Base::newId(),
                .destination = destination(to),
                .purpose = domain::Purpose::Login,
                .locale = "de-AT",
                .now = now,
                .expiresAt = now + kLifetime,
                .maxAttempts = 3,
                .oldestLive = now - kLifetime,
                .guessBucket = domain::limitBucket("guess", to),
                .clientBucket = domain::limitBucket("request-client", "192.0.2.7"),
                .clientRule = {},
                .destinationBucket = domain::limitBucket("request", to),
                .destinationRule = {},
                .device = std::nullopt,
                .deviceGuessBucket = {},
                .deviceBucket = {},
                .outboxId = Base::newId(),
                .outboxAvailableAt = now + std::chrono::seconds{10},
                .auditId = Base::newId(),
                .client = Base::client()};
    }
    // The id of a code that can be redeemed.
    Uuid requestCode(const std::string& to) { return accept(newRequest(to)); }
    // One beside which the earlier codes of the destination live on.
    Uuid requestAnotherCode(const std::string& to, unsigned maxAttempts = 3) {
        auto request = newRequest(to);
        request.oldestLive = request.now + kLifetime;
        request.maxAttempts = maxAttempts;
        return accept(request);
    }

    domain::OtpVerification newGuess(const Uuid& otpId, domain::Guess guess, const domain::LimitRule& budget = {}) {
        return {.otpId = otpId,
                .purpose = std::nullopt,
                .guess = guess,
                .guessRule = budget,
                .now = Base::now(),
                .newUserId = Base::newId(),
                .sessionId = Base::newId(),
                .sessionExpiresAt = Base::now() + std::chrono::days{7},
                .shownDevice = std::nullopt,
                .newDeviceId = Base::newId(),
                .device = {"install-1", "ios", "4.2", "Ada's phone"},
                .auditIds = {Base::newId(), Base::newId(), Base::newId()},
                .client = Base::client()};
    }
    domain::OtpVerifyResult guessRight(const Uuid& otpId, const domain::LimitRule& budget = {}) {
        return store_->verify(newGuess(otpId, domain::Guess::Right, budget));
    }
    domain::OtpVerifyResult guessWrong(const Uuid& otpId, const domain::LimitRule& budget = {}) {
        return store_->verify(newGuess(otpId, domain::Guess::Wrong, budget));
    }

    // Of the strangers.
    std::int64_t countGuessBuckets(const std::string& to) {
        const std::string bucket = domain::limitBucket("guess", to);
        return Base::count("rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
    }

    void assertOutcome(VerifyOutcome expected, const domain::OtpVerifyResult& actual) {
        CPPUNIT_ASSERT_EQUAL(expected, actual.outcome);
        // Only these two outcomes may carry anything.
        if (expected != VerifyOutcome::Verified) CPPUNIT_ASSERT(!actual.signIn);
        if (expected != VerifyOutcome::WrongCode) CPPUNIT_ASSERT_EQUAL(0U, actual.attemptsLeft);
    }

    std::unique_ptr<domain::OtpStore> store_;

private:
    Uuid accept(const domain::NewOtpRequest& request) {
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
        return request.id;
    }
};

}  // namespace otpgate::test
