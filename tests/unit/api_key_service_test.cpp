#include "otpgate/domain/api_key_service.h"

#include "otpgate/crypto/hash.h"
#include "support_cpp/fake_api_key_store.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace api_key_service_test {

using namespace std::chrono_literals;
using namespace std::string_literals;

using test::FakeApiKeyStore;
using Outcome = ApiKeyCreation::Outcome;

class ApiKeyServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ApiKeyServiceTest);
    CPPUNIT_TEST(makesAKeyOfThreeParts);
    CPPUNIT_TEST(storesNoSecret);
    CPPUNIT_TEST(recognisesTheKeyThatItMade);
    CPPUNIT_TEST(recognisesNoOtherSecret);
    CPPUNIT_TEST(asksNobodyAboutWhatCannotBeAKey);
    CPPUNIT_TEST(notesTheLastUseOnceAMinute);
    CPPUNIT_TEST(makesNoKeyBeyondTheLimit);
    CPPUNIT_TEST(makesNoKeyForWhoMayHaveNone);
    CPPUNIT_TEST(sendsForWhoMayHaveOneNow);
    CPPUNIT_TEST(takesKeysOfWhomTheRuleLetsInAlone);
    CPPUNIT_TEST(takesALimitOfAKeyFromAdministratorsAlone);
    CPPUNIT_TEST(knowsItsScopes);
    CPPUNIT_TEST_SUITE_END();

    static AuthenticatedSession caller(Role role) {
        AuthenticatedSession caller;
        caller.user.role = role;
        return caller;
    }
    IssuedApiKey create() {
        return service_.create(caller(Role::Admin), {"shop", {ApiScope::Verify}, {}}, {}).issued.value();
    }

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
        using Stored = ApiKeyInsertion::Outcome;
        for (const auto& [stored, expected] :
             {std::pair{Stored::TooMany, Outcome::TooMany}, std::pair{Stored::Limited, Outcome::Limited},
              std::pair{Stored::SessionEnded, Outcome::SessionEnded}}) {
            store_.outcome = stored;
            const auto made = service_.create(caller(Role::Admin), {"shop", {}, {}}, {});
            CPPUNIT_ASSERT(made.outcome == expected && !made.issued);
            CPPUNIT_ASSERT(made.limit.has_value() == (stored == Stored::Limited));
        }
        CPPUNIT_ASSERT_EQUAL(100U, store_.asked->rule.capacity());
    }

    void makesNoKeyForWhoMayHaveNone() {
        const auto refused = service_.create(caller(Role::User), {"shop", {}, {}}, {});
        CPPUNIT_ASSERT(refused.outcome == Outcome::NotAllowed && !refused.issued && !store_.asked);
        ApiKeyService open{store_, clock_, random_, ApiKeyHolders::Everybody};
        CPPUNIT_ASSERT(open.create(caller(Role::User), {"shop", {}, {}}, {}).outcome == Outcome::Created);
    }

    void sendsForWhoMayHaveOneNow() {
        ApiKey key;
        for (const auto& [role, holders, may] : {std::tuple{Role::Admin, ApiKeyHolders::Admins, true},
                                                 std::tuple{Role::User, ApiKeyHolders::Admins, false},
                                                 std::tuple{Role::User, ApiKeyHolders::Everybody, true},
                                                 std::tuple{Role::Admin, ApiKeyHolders::Everybody, true}}) {
            key.ownerRole = role;
            CPPUNIT_ASSERT(ApiKeyService(store_, clock_, random_, holders).maySend(key) == may);
        }
    }

    void takesKeysOfWhomTheRuleLetsInAlone() {
        const std::string text = create().text;
        ApiKeyService staff{store_, clock_, random_, ApiKeyHolders::Everybody, {{"staff"}}};
        store_.stored->key.ownerRole = Role::User;
        CPPUNIT_ASSERT(!staff.authenticate(text));
        store_.stored->key.ownerGroups = {"staff"};
        CPPUNIT_ASSERT(staff.authenticate(text));
    }

    // It takes the place of the account's, so nobody gives one to himself.
    void takesALimitOfAKeyFromAdministratorsAlone() {
        ApiKeyService open{store_, clock_, random_, ApiKeyHolders::Everybody};
        const ApiKeyRequest limited{"shop", {}, {}, "500/1h"};
        CPPUNIT_ASSERT(open.create(caller(Role::User), limited, {}).outcome == Outcome::NotAllowed && !store_.asked);
        const auto made = open.create(caller(Role::Admin), limited, {});
        CPPUNIT_ASSERT(made.outcome == Outcome::Created && made.issued->key.sendLimit == "500/1h");
        CPPUNIT_ASSERT(store_.asked->key.sendLimit == "500/1h");
    }

    void knowsItsScopes() {
        for (const ApiScope scope : kApiScopes) CPPUNIT_ASSERT(parseApiScope(toString(scope)) == scope);
        for (const char* word : {"", "Verify", "verify ", "verify:", "*"}) CPPUNIT_ASSERT(!parseApiScope(word));
    }

    FakeApiKeyStore store_;
    test::FakeClock clock_;
    test::FakeRandom random_;
    ApiKeyService service_{store_, clock_, random_, ApiKeyHolders::Admins};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiKeyServiceTest);

}  // namespace api_key_service_test
}  // namespace otpgate::domain
