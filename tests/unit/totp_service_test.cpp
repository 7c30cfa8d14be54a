// Authenticator apps: what becomes of their secrets.
#include "otpgate/domain/totp_service.h"

#include "otpgate/base/errors.h"
#include "otpgate/crypto/totp.h"
#include "otpgate/domain/totp_rules.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_totp_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace totp_service_test {

using namespace std::chrono_literals;

crypto::KeyRing ringOf(const std::string& digits) {
    std::string lines;
    for (const char digit : digits) lines += "otpgate1:" + std::string(64, digit) + "\n";
    return crypto::KeyRing::parse(lines, "master.key");
}

class TotpServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TotpServiceTest);
    CPPUNIT_TEST(keepsWhatItsOwnerHasConfirmed);
    CPPUNIT_TEST(opensTheSecretAfterTheMasterKeyIsGone);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override { caller_.user.id = Uuid::makeV7(clock_.now(), random_); }

private:
    TotpService service(const crypto::KeyRing& ring) {
        return {store_, messenger_, ring, clock_, random_, {LimitRule::parse("10/1h").value()}, {}};
    }
    std::string codeOf(const std::string& secret) {
        return crypto::hotp(secret, static_cast<std::uint64_t>(totpStepAt(clock_.now())));
    }

    void keepsWhatItsOwnerHasConfirmed() {
        using Outcome = AddedTotp::Outcome;
        const auto ring = ringOf("1");
        auto totps = service(ring);
        const auto invitation = totps.invite(caller_.user.id);
        CPPUNIT_ASSERT_EQUAL(kTotpSecretBytes, invitation.secret.size());
        CPPUNIT_ASSERT(totps.add(caller_, invitation.token, "000000", "Phone", {}).outcome == Outcome::WrongCode);
        CPPUNIT_ASSERT(totps.add(caller_, "x", codeOf(invitation.secret), "Phone", {}).outcome == Outcome::BadToken);
        AuthenticatedSession other = caller_;
        other.user.id = Uuid::makeV7(clock_.now(), random_);
        CPPUNIT_ASSERT(totps.add(other, invitation.token, codeOf(invitation.secret), "x", {}).outcome ==
                       Outcome::BadToken);
        const auto added = totps.add(caller_, invitation.token, codeOf(invitation.secret), "Phone", {});
        CPPUNIT_ASSERT(added.outcome == Outcome::Added && added.totp->lastStep == totpStepAt(clock_.now()));
        CPPUNIT_ASSERT(store_.kept.sealedSecret.find(invitation.secret) == std::string::npos);
        clock_.advance(kTotpInvitationLifetime);
        CPPUNIT_ASSERT(totps.add(caller_, invitation.token, codeOf(invitation.secret), "Phone", {}).outcome ==
                       Outcome::BadToken);
    }

    void opensTheSecretAfterTheMasterKeyIsGone() {
        const auto old = ringOf("1");
        auto before = service(old);
        const auto invitation = before.invite(caller_.user.id);
        before.add(caller_, invitation.token, codeOf(invitation.secret), "Phone", {});
        CPPUNIT_ASSERT_THROW(resealTotps(store_, ringOf("3"), random_), ConfigurationError);
        const auto both = ringOf("21");
        resealTotps(store_, both, random_);
        clock_.advance(30s);
        const auto rest = ringOf("2");
        auto after = service(rest);
        const std::string token = makeSecondStepToken(
            rest,
            {Uuid::makeV7(clock_.now(), random_), {caller_.user.id, "otp", std::string(16, 'b')}, clock_.now() + 1min});
        CPPUNIT_ASSERT(after.signIn(token, codeOf(invitation.secret), {}, {}, TrustWish::None).outcome ==
                       SecondStepVerdict::Outcome::SignedIn);
        CPPUNIT_ASSERT(store_.last->proof.match && store_.last->proof.match->totpId == store_.kept.id);
    }

    test::FakeClock clock_;
    test::CountingRandom random_;
    test::FakeMessenger messenger_;
    test::FakeTotpStore store_;
    AuthenticatedSession caller_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(TotpServiceTest);

}  // namespace totp_service_test
}  // namespace otpgate::domain
