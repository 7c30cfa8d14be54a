#include "otpgate/crypto/jwt.h"

#include "crypto/openssl.h"
#include "otpgate/base/encoding.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <atomic>
#include <thread>

namespace otpgate::crypto {
namespace jwt_test {

using namespace std::string_literals;
using std::chrono::microseconds;
using std::chrono::seconds;

// The key of RFC 7515, appendix A.3.
constexpr std::string_view kRfcPem = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
-----END PRIVATE KEY-----
)";
constexpr std::string_view kP384Pem = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCXdRKBY49jxHq5oJTs
jSatwo+t7T15qZ7cMzTHpwLZs/Y6josdincg8LNld37gLQOhZANiAARHCN7e13eU
MOlNXaC5r/MKuMfxJWbMGPM13B5aTWMD6l07mlZEIDUwk5h92QB2LNdzNnEA9uF4
kmjceESLTU1CCMB/KF6ITpgoQmP++etlt/Xb/Vc1+KSptfne1mtlzJQ=
-----END PRIVATE KEY-----
)";
constexpr std::string_view kEncryptedPem = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiFPaXbDjk/9AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDzg3H14v20MBUzRVOF865MEgZBr
Ga1ALCR/SHtgcqnK0wXe+ZM9v1ChFvU5ynz4kkGtyQqoBLdKZ/boCwwM4t//VCpT
xF7oQeqAl5L6nDPmcJexHvu8A52/frB1nxYhoAjiYa2AzXtcdpl0Z1U6Sur+EzOr
YRDfW3IoGAJvl8s0E1AzQSMdfDo7FZtQRi5/Jhr2AwWLnhynuAiVwJLRj5QbRHI=
-----END ENCRYPTED PRIVATE KEY-----
)";

const std::string kHeader = R"({"alg":"ES256","kid":"k1","typ":"JWT"})";
const std::string kPayload =
    R"({"iss":"https://login.example","aud":"otpgate","sub":"user-1","sid":"session-1","jti":"token-1",)"
    R"("iat":1795151520,"nbf":1795151520,"exp":1795152420,"amr":["otp","mfa"],"auth_time":1795151000,"acr":"urn:otpgate:aal1","aal":1,)"
    R"("token_type":"access"})";
constexpr Timestamp kIssuedAt{seconds{1'795'151'520}};
constexpr Timestamp kExpiresAt{seconds{1'795'152'420}};

AccessClaims makeClaims() {
    return {.issuer = "https://login.example",
            .audience = "otpgate",
            .subject = "user-1",
            .sessionId = "session-1",
            .tokenId = "token-1",
            .methods = {"otp", "mfa"},
            .issuedAt = kIssuedAt + microseconds{999'999},
            .expiresAt = kExpiresAt + microseconds{5},
            .authTime = Timestamp{seconds{1'795'151'000}}};
}

std::string part(std::string_view token, int wanted) {
    for (; wanted > 0; --wanted) token.remove_prefix(token.find('.') + 1);
    return std::string(token.substr(0, token.find('.')));
}

std::string replace(std::string text, std::string_view from, std::string_view to) {
    const auto position = text.find(from);
    CPPUNIT_ASSERT_MESSAGE(std::string(from), position != std::string::npos);
    return text.replace(position, from.size(), to);
}

// A token with any header and payload and a good signature, made by another way than the code under test.
std::string signAnything(std::string_view header, std::string_view payload) {
    const OpenSslOwner<BIO, BIO_free_all> bio(BIO_new_mem_buf(kRfcPem.data(), static_cast<int>(kRfcPem.size())));
    const OpenSslOwner<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    const OpenSslOwner<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    const std::string input = toBase64Url(header) + "." + toBase64Url(payload);
    std::string der(80, '\0');
    std::size_t length = der.size();
    CPPUNIT_ASSERT_EQUAL(1, EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()));
    CPPUNIT_ASSERT_EQUAL(
        1, EVP_DigestSign(context.get(), asBytes(der), &length, asBytes(std::string_view(input)), input.size()));
    const unsigned char* begin = asBytes(der);
    const OpenSslOwner<ECDSA_SIG, ECDSA_SIG_free> signature(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(length)));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), asBytes(raw), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), asBytes(raw) + 32, 32);
    return input + "." + toBase64Url(raw);
}

class JwtTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(JwtTest);
    CPPUNIT_TEST(acceptsWhatItSigned);
    CPPUNIT_TEST(writesHeaderAndClaimsInOrderWithIntegerTimes);
    CPPUNIT_TEST(escapesClaimsAndReadsThemBack);
    CPPUNIT_TEST(signsWithoutMethods);
    CPPUNIT_TEST(makesSignaturesThatOthersVerify);
    CPPUNIT_TEST(verifiesTheExampleOfRfc7515);
    CPPUNIT_TEST(signsInManyThreadsAtOnce);
    CPPUNIT_TEST(holdsToTheSecondOfExpiry);
    CPPUNIT_TEST(allowsThirtySecondsOfClockDifferenceBeforeNbf);
    CPPUNIT_TEST(refusesAnotherIssuerOrAudience);
    CPPUNIT_TEST(refusesAnotherKey);
    CPPUNIT_TEST(refusesAChangedToken);
    CPPUNIT_TEST(refusesEveryOtherHeader);
    CPPUNIT_TEST(refusesOtherNumbersOfParts);
    CPPUNIT_TEST(refusesSignaturesOfAnotherForm);
    CPPUNIT_TEST(refusesNumbersThatNoSignatureHas);
    CPPUNIT_TEST(refusesMissingClaims);
    CPPUNIT_TEST(refusesClaimsOfAnotherType);
    CPPUNIT_TEST(refusesDuplicatedClaims);
    CPPUNIT_TEST(refusesAnotherTokenType);
    CPPUNIT_TEST(refusesPayloadsThatAreNotPlainJson);
    CPPUNIT_TEST(passesOverClaimsThatItDoesNotKnow);
    CPPUNIT_TEST(findsTheKeyIdWithoutTrustingIt);
    CPPUNIT_TEST(findsNoKeyIdInGarbage);
    CPPUNIT_TEST(keepsAKeyAsPem);
    CPPUNIT_TEST(takesNoDamagedKeyForAnother);
    CPPUNIT_TEST(publishesOnlyThePublicKey);
    CPPUNIT_TEST(refusesOtherPems);
    CPPUNIT_TEST(refusesOtherKeyIds);
    CPPUNIT_TEST(signsByRsaToo);
    CPPUNIT_TEST(believesAHintOfItsOwnAlone);
    CPPUNIT_TEST_SUITE_END();

    void signsByRsaToo() {
        const SigningKey rsa = SigningKey::generate("r1", SigningAlgorithm::Rs256);
        const std::string token = rsa.sign(R"({"sub":"ann"})", "logout+jwt");
        CPPUNIT_ASSERT_EQUAL(R"({"alg":"RS256","kid":"r1","typ":"logout+jwt"})"s,
                             parseBase64Url(part(token, 0)).value());
        const std::string input = token.substr(0, token.rfind('.'));
        const std::string signature = parseBase64Url(part(token, 2)).value();
        CPPUNIT_ASSERT_EQUAL(std::size_t{256}, signature.size());
        CPPUNIT_ASSERT(rsa.verify(input, signature));
        CPPUNIT_ASSERT(!rsa.verify(input + "x", signature) && !rsa.verify(input, signature.substr(1)) &&
                       !key_.verify(input, signature));
        const SigningKey same = SigningKey::fromPem("r1", rsa.toPem(), SigningAlgorithm::Rs256);
        CPPUNIT_ASSERT(same.verify(input, signature));
        CPPUNIT_ASSERT_EQUAL(same.toJwk(), rsa.toJwk());
        CPPUNIT_ASSERT(rsa.toJwk().starts_with(R"({"kty":"RSA","use":"sig","alg":"RS256","kid":"r1","n":")"));
        CPPUNIT_ASSERT(rsa.toJwk().ends_with(R"(","e":"AQAB"})"));
        // Each key for its own algorithm.
        CPPUNIT_ASSERT_THROW(SigningKey::fromPem("r1", rsa.toPem()), std::invalid_argument);
        CPPUNIT_ASSERT_THROW(SigningKey::fromPem("k1", key_.toPem(), SigningAlgorithm::Rs256), std::invalid_argument);
        CPPUNIT_ASSERT(!verifyAccessToken(rsa.sign(makeClaims()), rsa, "https://login.example", "otpgate", kIssuedAt));
    }

    void believesAHintOfItsOwnAlone() {
        const SigningKey rsa = SigningKey::generate("r1", SigningAlgorithm::Rs256);
        const std::string payload =
            R"({"iss":"https://login.example","sub":"ann","aud":"wiki","exp":1,"email_verified":true,"sid":"s"})";
        const auto read = [](const std::string& token, const SigningKey& key) {
            return readIdTokenHint(token, key, "https://login.example");
        };
        for (const SigningKey* key : {&rsa, &key_}) {
            const auto hint = read(key->sign(payload, "JWT"), *key);
            CPPUNIT_ASSERT(hint && hint->audience == "wiki" && hint->subject == "ann" && hint->sessionId == "s");
        }
        CPPUNIT_ASSERT(!read(rsa.sign(payload, "JWT"), key_) && !read(key_.sign(payload, "JWT"), rsa));
        CPPUNIT_ASSERT(!read(rsa.sign(payload, "logout+jwt"), rsa));
        CPPUNIT_ASSERT(!read(key_.sign(makeClaims()), key_));  // an access token of the API
        CPPUNIT_ASSERT(!readIdTokenHint(rsa.sign(payload, "JWT"), rsa, "https://other.example"));
        const std::string bySilence =
            toBase64Url(R"({"alg":"none","kid":"r1","typ":"JWT"})") + "." + toBase64Url(payload) + ".";
        CPPUNIT_ASSERT(!read(bySilence, rsa) && !read("", rsa) && !read("a.b.c", rsa));
        const std::string byMac =
            toBase64Url(R"({"alg":"HS256","kid":"r1","typ":"JWT"})") + "." + toBase64Url(payload) + ".AAAA";
        CPPUNIT_ASSERT(!read(byMac, rsa));
    }

    std::optional<AccessClaims> verify(std::string_view token, Timestamp now = kIssuedAt) const {
        return verifyAccessToken(token, key_, "https://login.example", "otpgate", now);
    }

    void acceptsWhatItSigned() {
        const auto claims = verify(key_.sign(makeClaims()));
        CPPUNIT_ASSERT(claims);
        CPPUNIT_ASSERT_EQUAL("https://login.example"s, claims->issuer);
        CPPUNIT_ASSERT_EQUAL("otpgate"s, claims->audience);
        CPPUNIT_ASSERT_EQUAL("user-1"s, claims->subject);
        CPPUNIT_ASSERT_EQUAL("session-1"s, claims->sessionId);
        CPPUNIT_ASSERT_EQUAL("token-1"s, claims->tokenId);
        CPPUNIT_ASSERT((claims->methods == std::vector<std::string>{"otp", "mfa"}));
        CPPUNIT_ASSERT(claims->issuedAt == kIssuedAt);
        CPPUNIT_ASSERT(claims->expiresAt == kExpiresAt);
        CPPUNIT_ASSERT(claims->authTime == Timestamp{seconds{1'795'151'000}});
    }

    void writesHeaderAndClaimsInOrderWithIntegerTimes() {
        const std::string token = key_.sign(makeClaims());
        CPPUNIT_ASSERT_EQUAL(kHeader, parseBase64Url(part(token, 0)).value());
        CPPUNIT_ASSERT_EQUAL(kPayload, parseBase64Url(part(token, 1)).value());
        CPPUNIT_ASSERT_EQUAL(std::size_t{86}, part(token, 2).size());
    }

    void escapesClaimsAndReadsThemBack() {
        AccessClaims claims = makeClaims();
        claims.subject = "\"x\",\"sub\":\"y\\\n\t\x7f\xc2\x85\xc3\xa9\xf0\x9f\x98\x80\0"s;
        claims.methods = {"a\"]", ""};
        const auto read = verify(key_.sign(claims));
        CPPUNIT_ASSERT(read);
        CPPUNIT_ASSERT_EQUAL(claims.subject, read->subject);
        CPPUNIT_ASSERT(claims.methods == read->methods);
    }

    void signsWithoutMethods() {
        AccessClaims claims = makeClaims();
        claims.methods.clear();
        const auto read = verify(key_.sign(claims));
        CPPUNIT_ASSERT(read && read->methods.empty());
    }

    void makesSignaturesThatOthersVerify() {
        const std::string token = key_.sign(makeClaims());
        const std::string raw = parseBase64Url(part(token, 2)).value();
        const OpenSslOwner<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
        ECDSA_SIG_set0(signature.get(), BN_bin2bn(asBytes(std::string_view(raw)), 32, nullptr),
                       BN_bin2bn(asBytes(std::string_view(raw)) + 32, 32, nullptr));
        std::string der(80, '\0');
        unsigned char* end = asBytes(der);
        der.resize(static_cast<std::size_t>(i2d_ECDSA_SIG(signature.get(), &end)));
        const OpenSslOwner<BIO, BIO_free_all> bio(BIO_new_mem_buf(kRfcPem.data(), static_cast<int>(kRfcPem.size())));
        const OpenSslOwner<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
        const OpenSslOwner<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
        const std::string input = token.substr(0, token.rfind('.'));
        CPPUNIT_ASSERT_EQUAL(1, EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()));
        CPPUNIT_ASSERT_EQUAL(1, EVP_DigestVerify(context.get(), asBytes(std::string_view(der)), der.size(),
                                                 asBytes(std::string_view(input)), input.size()));
    }

    void verifiesTheExampleOfRfc7515() {
        const std::string input =
            "eyJhbGciOiJFUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
            "cnVlfQ";
        const std::string signature =
            parseBase64Url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
                .value();
        CPPUNIT_ASSERT(key_.verify(input, signature));
        CPPUNIT_ASSERT(!key_.verify(input + "x", signature));
    }

    void signsInManyThreadsAtOnce() {
        std::atomic<int> refused = 0;
        {
            std::vector<std::jthread> threads;
            threads.reserve(8);
            for (int t = 0; t < 8; ++t) {
                threads.emplace_back([&] {
                    for (int i = 0; i < 50; ++i) {
                        if (!verify(key_.sign(makeClaims()))) ++refused;
                    }
                });
            }
        }
        CPPUNIT_ASSERT_EQUAL(0, refused.load());
    }

    void holdsToTheSecondOfExpiry() {
        const std::string token = key_.sign(makeClaims());
        CPPUNIT_ASSERT(verify(token, kExpiresAt - microseconds{1}));
        CPPUNIT_ASSERT(!verify(token, kExpiresAt));
    }

    void allowsThirtySecondsOfClockDifferenceBeforeNbf() {
        const std::string token = key_.sign(makeClaims());
        CPPUNIT_ASSERT(verify(token, kIssuedAt - seconds{30}));
        CPPUNIT_ASSERT(!verify(token, kIssuedAt - seconds{30} - microseconds{1}));
    }

    void refusesAnotherIssuerOrAudience() {
        const std::string token = key_.sign(makeClaims());
        CPPUNIT_ASSERT(!verifyAccessToken(token, key_, "https://login.example/", "otpgate", kIssuedAt));
        CPPUNIT_ASSERT(!verifyAccessToken(token, key_, "https://login.example", "Otpgate", kIssuedAt));
        CPPUNIT_ASSERT(!verify(signAnything(kHeader, replace(kPayload, R"("otpgate")", R"(["otpgate"])"))));
    }

    void refusesAnotherKey() {
        CPPUNIT_ASSERT(!verify(SigningKey::generate("k1").sign(makeClaims())));
        CPPUNIT_ASSERT(!verify(SigningKey::fromPem("k2", kRfcPem).sign(makeClaims())));
    }

    void refusesAChangedToken() {
        const std::string token = key_.sign(makeClaims());
        for (std::size_t i = 0; i < token.size(); ++i) {
            std::string changed = token;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            CPPUNIT_ASSERT(!verify(changed));
        }
    }

    void refusesEveryOtherHeader() {
        CPPUNIT_ASSERT(verify(signAnything(kHeader, kPayload)));
        for (const char* header :
             {R"({"alg":"none","kid":"k1","typ":"JWT"})", R"({"alg":"HS256","kid":"k1","typ":"JWT"})",
              R"({"alg":"es256","kid":"k1","typ":"JWT"})", R"({"alg":"ES256","typ":"JWT"})",
              R"({"alg":"ES256","kid":"k2","typ":"JWT"})", R"({"alg":"ES256","kid":"k1","kid":"k1","typ":"JWT"})",
              R"({"alg":"ES256","kid":"k1","typ":"JWT","crit":["exp"]})", R"({"alg":"ES256","kid":"k1","typ":"JWT"} )",
              R"({"alg":"ES256","kid":"","typ":"JWT"})", "{}", ""}) {
            CPPUNIT_ASSERT_MESSAGE(header, !verify(signAnything(header, kPayload)));
        }
    }

    void refusesOtherNumbersOfParts() {
        const std::string token = key_.sign(makeClaims());
        for (const std::string& text : {""s, "."s, ".."s, "..."s, "...."s, token + ".", "." + token, token + ".x",
                                        token.substr(0, token.rfind('.')), token.substr(0, token.rfind('.') + 1)}) {
            CPPUNIT_ASSERT_MESSAGE(text, !verify(text));
        }
    }

    void refusesSignaturesOfAnotherForm() {
        const std::string token = key_.sign(makeClaims());
        const std::string input = token.substr(0, token.rfind('.') + 1);
        const std::string raw = parseBase64Url(part(token, 2)).value();
        CPPUNIT_ASSERT(verify(input + toBase64Url(raw)));
        CPPUNIT_ASSERT(!verify(input + toBase64Url(raw) + "=="));
        CPPUNIT_ASSERT(!verify(input + toBase64Url(raw + '\0')));
        CPPUNIT_ASSERT(!verify(input + toBase64Url(raw.substr(0, 63))));
        CPPUNIT_ASSERT(!verify(input + toBase64Url(std::string(64, '\0'))));
        CPPUNIT_ASSERT(!verify(input + toBase64Url(std::string(64, '\xff'))));
    }

    // The edges of ECDSA, where verifiers have let forgeries pass: r and s of 0, of the order of the curve and above
    // it, each beside a good other one, and forms that other formats have.
    void refusesNumbersThatNoSignatureHas() {
        const std::string token = key_.sign(makeClaims());
        const std::string input = token.substr(0, token.rfind('.') + 1);
        const std::string raw = parseBase64Url(part(token, 2)).value();
        const std::string r = raw.substr(0, 32);
        const std::string s = raw.substr(32);
        const std::string zero(32, '\0');
        const std::string one = std::string(31, '\0') + '\1';
        const std::string order = parseHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
        const std::string prime = parseHex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff").value();
        std::string aboveOrder = order;
        ++aboveOrder.back();
        const std::string most(32, '\xff');
        for (const std::string& bad : {zero, one, order, aboveOrder, prime, most}) {
            CPPUNIT_ASSERT(!verify(input + toBase64Url(bad + s)));
            CPPUNIT_ASSERT(!verify(input + toBase64Url(r + bad)));
            CPPUNIT_ASSERT(!verify(input + toBase64Url(bad + bad)));
        }
        CPPUNIT_ASSERT(!verify(input + toBase64Url(s + r)));
        // ASN.1, as X.509 has it; each number with a zero before; halves of other lengths that are 64 bytes together.
        CPPUNIT_ASSERT(!verify(input + toBase64Url("\x30\x44\x02\x20" + r + "\x02\x20" + s)));
        CPPUNIT_ASSERT(!verify(input + toBase64Url('\0' + r + '\0' + s)));
        CPPUNIT_ASSERT(!verify(input + toBase64Url(r.substr(1) + s + '\0')));
        CPPUNIT_ASSERT(!verify(input));
    }

    void refusesMissingClaims() {
        for (const char* claim :
             {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "amr", "auth_time", "token_type"}) {
            const std::string without = replace(kPayload, "\""s + claim + "\":", "\"x\":");
            CPPUNIT_ASSERT_MESSAGE(claim, !verify(signAnything(kHeader, without)));
        }
    }

    void refusesClaimsOfAnotherType() {
        const std::string exp = R"("exp":1795152420)";
        for (const char* other :
             {R"("exp":"1795152420")", R"("exp":1795152420.0)", R"("exp":1.795152420e9)", R"("exp":null)",
              R"("exp":true)", R"("exp":-1)", R"("exp":+1795152420)", R"("exp":01795152420)", R"("exp":253402300800)",
              R"("exp":9223372036854775807)", R"("exp":9223372036854775808)", R"("exp":[1795152420])", R"("exp":{})"}) {
            CPPUNIT_ASSERT_MESSAGE(other, !verify(signAnything(kHeader, replace(kPayload, exp, other))));
        }
        for (const char* other : {R"("amr":"otp")", R"("amr":["otp",1])", R"("amr":["otp",])", R"("amr":[["otp"]])"}) {
            const std::string payload = replace(kPayload, R"("amr":["otp","mfa"])", other);
            CPPUNIT_ASSERT_MESSAGE(other, !verify(signAnything(kHeader, payload)));
        }
        CPPUNIT_ASSERT(!verify(signAnything(kHeader, replace(kPayload, R"("sub":"user-1")", R"("sub":1)"))));
    }

    void refusesDuplicatedClaims() {
        CPPUNIT_ASSERT(!verify(signAnything(kHeader, replace(kPayload, R"("sub")", R"("sub":"user-2","sub")"))));
        CPPUNIT_ASSERT(!verify(signAnything(kHeader, replace(kPayload, R"("sub")", R"("su\u0062":"user-2","sub")"))));
    }

    void refusesAnotherTokenType() {
        CPPUNIT_ASSERT(!verify(signAnything(kHeader, replace(kPayload, R"("access")", R"("refresh")"))));
    }

    void refusesPayloadsThatAreNotPlainJson() {
        for (const std::string& payload : {""s,
                                           "{}"s,
                                           "[]"s,
                                           "null"s,
                                           "{"s,
                                           "{\"a\""s,
                                           "{\"a\":"s,
                                           "{\"a\":1"s,
                                           "{\"a\":1,"s,
                                           "{\"a\":1,}"s,
                                           kPayload + "x",
                                           kPayload + "\n",
                                           " " + kPayload,
                                           kPayload + kPayload,
                                           kPayload.substr(0, kPayload.size() - 1),
                                           replace(kPayload, "user-1", "user\n1"),
                                           replace(kPayload, "user-1", "user\xff"),
                                           replace(kPayload, "user-1", "user\\"),
                                           replace(kPayload, "user-1", "user\\x"),
                                           replace(kPayload, "user-1", "user\\u00"),
                                           replace(kPayload, "user-1", "user\\u00e9"),
                                           replace(kPayload, "user-1", "user\\ud83d"),
                                           replace(kPayload, "user-1", "user\"1")}) {
            CPPUNIT_ASSERT_MESSAGE(payload, !verify(signAnything(kHeader, payload)));
        }
    }

    void passesOverClaimsThatItDoesNotKnow() {
        const std::string payload = replace(kPayload, R"("sub")", R"("role":"admin","level":-3,"groups":[],"sub")");
        const auto claims = verify(signAnything(kHeader, payload));
        CPPUNIT_ASSERT(claims && claims->subject == "user-1");
    }

    void findsTheKeyIdWithoutTrustingIt() {
        CPPUNIT_ASSERT(keyIdOf(key_.sign(makeClaims())) == "k1");
        CPPUNIT_ASSERT(keyIdOf(toBase64Url(kHeader) + "..") == "k1");
        const std::string longest(64, 'k');
        CPPUNIT_ASSERT(keyIdOf(SigningKey::generate(longest).sign(makeClaims())) == longest);
    }

    void findsNoKeyIdInGarbage() {
        for (const std::string& token :
             {""s, "."s, "a.b"s, "..."s, toBase64Url(kHeader), toBase64Url(kHeader) + ".x",
              toBase64Url(kHeader) + "=..", toBase64Url(replace(kHeader, "k1", "")) + "..",
              toBase64Url(replace(kHeader, "k1", "k\"1")) + "..", toBase64Url(replace(kHeader, "k1", "k1\n")) + "..",
              toBase64Url(replace(kHeader, "ES256", "none")) + "..",
              toBase64Url(replace(kHeader, "k1", std::string(65, 'k'))) + "..",
              toBase64Url(replace(kHeader, "k1", std::string(10'000, 'k'))) + ".."}) {
            CPPUNIT_ASSERT_MESSAGE(token, !keyIdOf(token));
        }
    }

    void keepsAKeyAsPem() {
        const SigningKey made = SigningKey::generate("k1");
        const SigningKey loaded = SigningKey::fromPem("k1", made.toPem());
        CPPUNIT_ASSERT_EQUAL(made.toJwk(), loaded.toJwk());
        CPPUNIT_ASSERT(
            verifyAccessToken(made.sign(makeClaims()), loaded, "https://login.example", "otpgate", kIssuedAt));
        CPPUNIT_ASSERT_EQUAL(std::string(kRfcPem), key_.toPem());
    }

    // With one character of it changed: it is refused, or it is still the same key for all who have the public one.
    void takesNoDamagedKeyForAnother() {
        const SigningKey rsa = SigningKey::generate("r1", SigningAlgorithm::Rs256);
        const std::string pem = rsa.toPem();
        const std::size_t begin = pem.find('\n') + 1;
        const std::size_t end = pem.find("-----END");
        unsigned refused = 0;
        for (std::size_t at = begin; at < end; at += 11) {
            std::string damaged = pem;
            if (damaged[at] == '\n') continue;
            damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
            try {
                const SigningKey loaded = SigningKey::fromPem("r1", damaged, SigningAlgorithm::Rs256);
                const std::string token = loaded.sign("{}", "JWT");
                const std::string signature = parseBase64Url(part(token, 2)).value();
                CPPUNIT_ASSERT_MESSAGE(damaged, rsa.verify(token.substr(0, token.rfind('.')), signature));
            } catch (const std::invalid_argument&) {
                ++refused;
            }
        }
        CPPUNIT_ASSERT(refused > 20);
    }

    void publishesOnlyThePublicKey() {
        CPPUNIT_ASSERT_EQUAL(R"({"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"k1",)"
                             R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"s,
                             key_.toJwk());
    }

    void refusesOtherPems() {
        const std::string broken = replace(std::string(kRfcPem), "MIGH", "MIGI");
        // Another private number with the same public point.
        const std::string unmatched = replace(std::string(kRfcPem), "gjpsQ", "gjpsR");
        for (const std::string_view pem :
             {std::string_view(), std::string_view("garbage"), std::string_view("-----BEGIN PRIVATE KEY-----\n"),
              kP384Pem, kEncryptedPem, std::string_view(broken), std::string_view(unmatched)}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(std::string(pem), SigningKey::fromPem("k1", pem), std::invalid_argument);
        }
    }

    void refusesOtherKeyIds() {
        for (const std::string& id : {""s, "a b"s, "a\"b"s, "\xc3\xa9"s, std::string(65, 'k')}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(id, SigningKey::generate(id), std::invalid_argument);
            CPPUNIT_ASSERT_THROW_MESSAGE(id, SigningKey::fromPem(id, kRfcPem), std::invalid_argument);
        }
    }

    const SigningKey key_ = SigningKey::fromPem("k1", kRfcPem);
};

CPPUNIT_TEST_SUITE_REGISTRATION(JwtTest);

}  // namespace jwt_test
}  // namespace otpgate::crypto
