// Access tokens: whatever is changed in one, it is refused; what parseClaims() takes is what any JSON parser reads. The
// first line is what the claims say, the rest a token, or changes of a good one.
#include "crypto/claims.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/jwt.h"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

namespace {

using namespace otpgate;
using namespace std::chrono_literals;

const Timestamp kNow{1'795'151'520s};

std::string signingInputOf(std::string_view token) {
    return std::string{token.substr(0, token.rfind('.'))};
}

// A second opinion about what the claims say.
void requireSameByPoco(const std::string& json, const crypto::Claims& claims) {
    const auto object = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
    REQUIRE(object->size() == claims.size());
    for (const auto& [name, value] : claims) {
        const auto other = object->get(name);
        if (const auto* text = std::get_if<std::string>(&value)) REQUIRE(other.extract<std::string>() == *text);
        if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
            const auto array = other.extract<Poco::JSON::Array::Ptr>();
            REQUIRE(array->size() == list->size());
            for (unsigned i = 0; i < list->size(); ++i) REQUIRE(array->getElement<std::string>(i) == (*list)[i]);
        }
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            REQUIRE(other.isNumeric());
            // Beyond, Poco reads doubles.
            if (std::abs(*number / 2) < (std::int64_t{1} << 51)) REQUIRE(other.convert<std::int64_t>() == *number);
        }
    }
}

}  // namespace

FUZZ_TARGET(jwt) {
    static const auto key = crypto::SigningKey::generate("k1");
    static const auto other = crypto::SigningKey::generate("k1");
    fuzz::Input lines(input);
    const std::string said{lines.line()};
    const crypto::AccessClaims claims{.issuer = "issuer",
                                      .audience = "audience",
                                      .subject = said,
                                      .sessionId = said + "s",
                                      .tokenId = "t",
                                      .methods = {said, "otp"},
                                      .issuedAt = kNow - 1s,
                                      .expiresAt = kNow + 60s,
                                      .authTime = kNow - 2s};
    const std::string token = key.sign(claims);
    const auto verify = [](std::string_view text, const crypto::SigningKey& by) {
        return crypto::verifyAccessToken(text, by, "issuer", "audience", kNow);
    };
    const auto verified = verify(token, key);
    if (isValidUtf8(said)) {
        REQUIRE(verified && verified->subject == said && verified->sessionId == said + "s");
        REQUIRE(verified->methods == claims.methods && verified->expiresAt == claims.expiresAt);
    }
    REQUIRE(!verify(token, other));
    REQUIRE(crypto::keyIdOf(token) == "k1");

    for (const std::string& text : {std::string{lines.rest()}, fuzz::changed(token, lines.rest())}) {
        // The same claims may be signed once more: of one r there are two s. Nothing else may differ.
        if (verify(text, key)) REQUIRE(signingInputOf(text) == signingInputOf(token));
        REQUIRE(!verify(text, other));
        crypto::keyIdOf(text);
    }
    if (const auto read = crypto::parseClaims(lines.rest())) requireSameByPoco(std::string{lines.rest()}, *read);
}
