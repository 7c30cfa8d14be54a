#include "otpgate/domain/api_key_service.h"

#include "otpgate/crypto/hash.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// One key, as a table would keep it.
class FakeApiKeyStore final : public ApiKeyStore {
public:
    bool create(const NewApiKey& key) override {
        if (isFull) return false;
        stored = StoredApiKey{key.key, key.secretHash};
        return true;
    }
    std::vector<ApiKey> list(const Uuid&, Timestamp) override { return {}; }
    bool revoke(const ApiKeyRevocation&) override { return stored.has_value(); }
    std::optional<StoredApiKey> findActive(std::string_view prefix, Timestamp) override {
        ++lookUps;
        return stored && stored->key.prefix == prefix ? stored : std::nullopt;
    }
    void touch(const Uuid&, Timestamp now, Timestamp) override {
        ++touches;
        stored->key.lastUsedAt = now;
    }

    bool isFull = false;
    std::optional<StoredApiKey> stored;
    int lookUps = 0;
    int touches = 0;
};

class ApiKeyServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ApiKeyServiceTest);
    CPPUNIT_TEST(makesAKeyOfThreeParts);
    CPPUNIT_TEST(storesNoSecret);
    CPPUNIT_TEST(recognisesTheKeyThatItMade);
    CPPUNIT_TEST(recognisesNoOtherSecret);
    CPPUNIT_TEST(asksNobodyAboutWhatCannotBeAKey);
    CPPUNIT_TEST(notesTheLastUseOnceAMinute);
    CPPUNIT_TEST(makesNoKeyBeyondTheLimit);
    CPPUNIT_TEST(knowsItsScopes);
    CPPUNIT_TEST_SUITE_END();

    IssuedApiKey create() { return service_.create({}, {"shop", {ApiScope::Verify}, {}}, {}).value(); }

    void makesAKeyOfThreeParts() {
        const auto issued = create();
        CPPUNIT_ASSERT_EQUAL(std::size_t{5 + 8 + 1 + 43}, issued.text.size());
        CPPUNIT_ASSERT(issued.text.starts_with("otpg_" + issued.key.prefix + "_"));
        CPPUNIT_ASSERT(issued.text.substr(14).find('_') == std::string::npos);
        CPPUNIT_ASSERT(create().text != issued.text);
    }

    void storesNoSecret() {
        const auto issued = create();
        CPPUNIT_ASSERT_EQUAL(crypto::sha256(issued.text.substr(14)), store_.stored->secretHash);
    }

    void recognisesTheKeyThatItMade() {
        const auto issued = create();
        const auto key = service_.authenticate(issued.text).value();
        CPPUNIT_ASSERT(key.id == issued.key.id && key.has(ApiScope::Verify) && !key.has(ApiScope::VerifyCaller));
    }

    void recognisesNoOtherSecret() {
        std::string text = create().text;
        for (std::size_t i = 14; i < text.size(); ++i) {
            std::string changed = text;
            changed[i] = changed[i] == 'x' ? 'y' : 'x';
            CPPUNIT_ASSERT(!service_.authenticate(changed));
        }
        CPPUNIT_ASSERT_EQUAL(0, store_.touches);
    }

    void asksNobodyAboutWhatCannotBeAKey() {
        const std::string text = create().text;
        for (const std::string& bad :
             {""s, "otpg_"s, text.substr(1), text + "x", text.substr(0, 56), "OTPG_" + text.substr(5),
              text.substr(0, 13) + "-" + text.substr(14), text.substr(0, 20) + "\0"s + text.substr(21),
              text.substr(0, 20) + "%" + text.substr(21), "otpg_a%_b'c--" + text.substr(13)}) {
            CPPUNIT_ASSERT(!service_.authenticate(bad));
        }
        CPPUNIT_ASSERT_EQUAL(0, store_.lookUps);
    }

    void notesTheLastUseOnceAMinute() {
        const std::string text = create().text;
        for (const auto wait : {0us, 1us, std::chrono::microseconds{59s}}) {
            clock_.advance(wait);
            service_.authenticate(text);
        }
        CPPUNIT_ASSERT_EQUAL(1, store_.touches);
        clock_.advance(1s);
        service_.authenticate(text);
        CPPUNIT_ASSERT_EQUAL(2, store_.touches);
    }

    void makesNoKeyBeyondTheLimit() {
        store_.isFull = true;
        CPPUNIT_ASSERT(!service_.create({}, {"shop", {}, {}}, {}));
    }

    void knowsItsScopes() {
        for (const ApiScope scope : kApiScopes) CPPUNIT_ASSERT(parseApiScope(toString(scope)) == scope);
        for (const char* word : {"", "Verify", "verify ", "verify:", "*"}) CPPUNIT_ASSERT(!parseApiScope(word));
    }

    FakeApiKeyStore store_;
    test::FakeClock clock_;
    test::FakeRandom random_;
    ApiKeyService service_{store_, clock_, random_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiKeyServiceTest);

}  // namespace
}  // namespace otpgate::domain
