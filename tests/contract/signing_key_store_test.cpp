#include "contract/store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace signing_key_store_test {

using namespace std::chrono_literals;

template <class Engine>
class SigningKeyStoreTest : public StoreTest<SigningKeyStoreTest<Engine>, Engine> {
    using Base = StoreTest<SigningKeyStoreTest<Engine>, Engine>;
    using Base::connection_;
    using Base::now;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(SigningKeyStoreTest);
    CPPUNIT_TEST(isEmptyAtFirst);
    CPPUNIT_TEST(keepsAKeyWhole);
    CPPUNIT_TEST(listsBySequence);
    CPPUNIT_TEST(addsNoSequenceTwice);
    CPPUNIT_TEST(addsTheKeyOfOneOfSixteenThreads);
    CPPUNIT_TEST(removesUpToASequence);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeSigningKeyStore(*connection_);
    }

private:
    domain::StoredSigningKey key(std::int64_t sequence, const std::string& id) {
        std::string sealed = "sealed ";
        for (int byte = 0; byte < 256; ++byte) sealed += static_cast<char>(byte);
        return {sequence, id, sealed, now(), now() + 10min};
    }
    std::vector<std::string> ids() {
        std::vector<std::string> all;
        for (const auto& stored : store_->list()) all.push_back(stored.keyId);
        return all;
    }

    void isEmptyAtFirst() {
        CPPUNIT_ASSERT(store_->list().empty());
        store_->removeUpTo(5);
    }

    void keepsAKeyWhole() {
        const auto added = key(1, std::string(64, 'k'));
        CPPUNIT_ASSERT(store_->add(added));
        const auto listed = store_->list();
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, listed.size());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, listed[0].sequence);
        CPPUNIT_ASSERT_EQUAL(std::string(64, 'k'), listed[0].keyId);
        CPPUNIT_ASSERT(listed[0].sealedPem == added.sealedPem);
        CPPUNIT_ASSERT(listed[0].createdAt == now());
        CPPUNIT_ASSERT(listed[0].activeFrom == now() + 10min);
    }

    void listsBySequence() {
        for (const std::int64_t sequence : {10, 2, 9}) store_->add(key(sequence, std::to_string(sequence)));
        CPPUNIT_ASSERT((ids() == std::vector<std::string>{"2", "9", "10"}));
    }

    void addsNoSequenceTwice() {
        CPPUNIT_ASSERT(store_->add(key(1, "first")));
        CPPUNIT_ASSERT(!store_->add(key(1, "second")));
        CPPUNIT_ASSERT(store_->add(key(2, "third")));
        CPPUNIT_ASSERT((ids() == std::vector<std::string>{"first", "third"}));
    }

    void addsTheKeyOfOneOfSixteenThreads() {
        std::atomic<int> added{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            if (store::makeSigningKeyStore(connection)->add(key(1, std::to_string(i)))) ++added;
        });
        CPPUNIT_ASSERT_EQUAL(1, added.load());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_->list().size());
    }

    void removesUpToASequence() {
        for (const std::int64_t sequence : {1, 2, 3, 4}) store_->add(key(sequence, std::to_string(sequence)));
        store_->removeUpTo(2);
        CPPUNIT_ASSERT((ids() == std::vector<std::string>{"3", "4"}));
        store_->removeUpTo(0);
        CPPUNIT_ASSERT((ids() == std::vector<std::string>{"3", "4"}));
    }

    std::unique_ptr<domain::SigningKeyStore> store_;
};

REGISTER_ON_BOTH_ENGINES(SigningKeyStoreTest);

}  // namespace signing_key_store_test
}  // namespace otpgate::test
