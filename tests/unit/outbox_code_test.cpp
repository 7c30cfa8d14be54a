#include "otpgate/domain/outbox_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace outbox_code_test {

using namespace std::chrono_literals;

// Whether what waits in the outbox is still worth sending.
class OutboxCodeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OutboxCodeTest);
    CPPUNIT_TEST(knowsAGoodCode);
    CPPUNIT_TEST(knowsWhatIsVoid);
    CPPUNIT_TEST(knowsACodeThatIsGone);
    CPPUNIT_TEST(asksForNoCodeWhereThereIsNone);
    CPPUNIT_TEST_SUITE_END();

    const Timestamp now_ = fromMicroseconds(1'790'000'000'000'000);
    const CodeFacts good_{std::nullopt, now_ + 1us};

    OutboxMessage message() const {
        return {.id = Uuid(),
                .otpId = Uuid(),
                .destination = Destination::parse("ada@example.org").value(),
                .locale = "",
                .requestId = "",
                .expiresAt = now_ + 10min,
                .availableAt = now_};
    }
    CodeState stateOf(const CodeFacts& facts) const { return codeStateOf(message(), facts, now_); }

    void knowsAGoodCode() { CPPUNIT_ASSERT(stateOf(good_) == CodeState::Good); }

    void knowsWhatIsVoid() {
        CPPUNIT_ASSERT(stateOf({std::nullopt, now_}) == CodeState::Voided);
        CPPUNIT_ASSERT(stateOf({now_ - 1s, now_ + 1min}) == CodeState::Used);
        CPPUNIT_ASSERT(stateOf({std::nullopt, now_ + 1min, false}) == CodeState::Exhausted);
    }

    void knowsACodeThatIsGone() {
        CPPUNIT_ASSERT(codeStateOf(message(), std::nullopt, now_) == CodeState::Voided);
        OutboxMessage stateless = message();
        stateless.codeLength = 6;
        CPPUNIT_ASSERT(codeStateOf(stateless, std::nullopt, now_) == CodeState::Good);
        CPPUNIT_ASSERT(codeStateOf(stateless, CodeFacts{now_, now_ + 1min}, now_) == CodeState::Used);
    }

    void asksForNoCodeWhereThereIsNone() {
        OutboxMessage notice = message();
        notice.kind = MessageKind::NewSignIn;
        CPPUNIT_ASSERT(codeStateOf(notice, std::nullopt, now_) == CodeState::Good);
        OutboxMessage nobodys = message();
        nobodys.isDiscarded = true;
        CPPUNIT_ASSERT(codeStateOf(nobodys, std::nullopt, now_) == CodeState::Good);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutboxCodeTest);

}  // namespace outbox_code_test
}  // namespace otpgate::domain
