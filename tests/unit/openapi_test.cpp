// Holds src/api/openapi.json to the code: a route, an error code or an event that is not in it fails here, and so does
// one that is in it alone. What answers look like is held to it by tests/support/openapi.py.
#include "api/openapi.h"

#include "otpgate/api/routes.h"
#include "otpgate/http/errors.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/String.h>
#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <initializer_list>
#include <set>
#include <string>

namespace otpgate::api {
namespace openapi_test {

using Words = std::set<std::string>;
using Poco::JSON::Array;
using Poco::JSON::Object;

// What the web server in front answers by itself.
const Words kWebServerCodes{"BAD_REQUEST", "REQUEST_TIMEOUT"};

Object::Ptr document() {
    Poco::JSON::Parser parser;
    return parser.parse(std::string{openApiDocument()}).extract<Object::Ptr>();
}

Object::Ptr at(Object::Ptr node, std::initializer_list<const char*> path) {
    for (const char* name : path) {
        CPPUNIT_ASSERT_MESSAGE(name, node->isObject(name));
        node = node->getObject(name);
    }
    return node;
}

Words wordsOf(const Array::Ptr& array) {
    Words words;
    for (const auto& word : *array) words.insert(word.convert<std::string>());
    return words;
}

void assertSame(const Words& inCode, const Words& inDocument) {
    for (const auto& word : inCode) CPPUNIT_ASSERT_MESSAGE(word + " is not in openapi.json", inDocument.contains(word));
    for (const auto& word : inDocument)
        CPPUNIT_ASSERT_MESSAGE(word + " is in openapi.json alone", inCode.contains(word));
}

class OpenApiTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OpenApiTest);
    CPPUNIT_TEST(documentsEveryRouteAndNoOther);
    CPPUNIT_TEST(documentsEveryErrorCodeWithItsStatusAndSentence);
    CPPUNIT_TEST(documentsEveryErrorCodeForPeople);
    CPPUNIT_TEST(documentsEveryEvent);
    CPPUNIT_TEST(namesTheExampleAddressThatServingReplaces);
    CPPUNIT_TEST_SUITE_END();

    void documentsEveryRouteAndNoOther() {
        Words inCode;
        for (const auto& [method, path] : routes()) inCode.insert(std::string{method} + " " + std::string{path});

        Words inDocument;
        const auto paths = at(document(), {"paths"});
        for (const std::string& path : paths->getNames()) {
            // A slash at the end makes no difference to us; clients of other services are shown the path they use.
            const std::string plain = path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
            for (const std::string& method : paths->getObject(path)->getNames()) {
                inDocument.insert(Poco::toUpper(method) + " " + plain);
            }
        }
        assertSame(inCode, inDocument);
    }

    void documentsEveryErrorCodeWithItsStatusAndSentence() {
        const auto examples = at(document(), {"components", "examples"});
        Words inCode;
        for (const http::ErrorDescription& error : errors()) {
            const std::string code{error.code};
            // One that a single route answers, in a shape of its own, has its example there.
            const bool isVerifications = error.code == "SESSION_EXPIRED";
            if (!isVerifications) inCode.insert(code);
            const auto place = isVerifications ? expiredVerifications() : examples;
            CPPUNIT_ASSERT_MESSAGE(code + " has no example", place->isObject(code));
            const auto example = at(place, {code.c_str(), "value"});
            CPPUNIT_ASSERT_EQUAL(code, example->getValue<std::string>("code"));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(code, error.status, example->getValue<int>("status"));
            CPPUNIT_ASSERT_EQUAL(std::string{error.title}, example->getValue<std::string>("title"));
            CPPUNIT_ASSERT_EQUAL(std::string{error.detail}, example->getValue<std::string>("detail"));
        }
        const auto names = examples->getNames();
        assertSame(inCode, {names.begin(), names.end()});
        inCode.insert("SESSION_EXPIRED");
        inCode.insert(kWebServerCodes.begin(), kWebServerCodes.end());
        const auto code = at(document(), {"components", "schemas", "Problem", "properties", "code"});
        assertSame(inCode, wordsOf(code->getArray("enum")));
    }

    void documentsEveryErrorCodeForPeople() {
        const auto text = at(document(), {"info"})->getValue<std::string>("description");
        for (const http::ErrorDescription& error : errors()) {
            const std::string row = "| `" + std::string{error.code} + "` | " + std::to_string(error.status) + " | ";
            CPPUNIT_ASSERT_MESSAGE(row, text.find(row) != std::string::npos);
        }
    }

    void documentsEveryEvent() {
        Words inCode;
        for (int i = 0; !domain::toString(static_cast<domain::AuditEvent>(i)).empty(); ++i) {
            inCode.emplace(domain::toString(static_cast<domain::AuditEvent>(i)));
        }
        const auto event = at(document(), {"components", "schemas", "AuditEvent", "properties", "event"});
        assertSame(inCode, wordsOf(event->getArray("enum")));
    }

    void namesTheExampleAddressThatServingReplaces() {
        const auto server = document()->getArray("servers")->getObject(0);
        CPPUNIT_ASSERT_EQUAL(std::string{kExampleUrl}, server->getValue<std::string>("url"));
    }

    static Object::Ptr expiredVerifications() {
        return at(document(), {"paths", "/api/v1/verifications/check", "post", "responses", "410", "content",
                               "application/problem+json", "examples"});
    }

    static std::vector<http::ErrorDescription> errors() {
        std::vector<http::ErrorDescription> all;
        for (int i = 0; i <= static_cast<int>(http::ErrorCode::InternalError); ++i) {
            all.push_back(http::describe(static_cast<http::ErrorCode>(i)));
        }
        return all;
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OpenApiTest);

}  // namespace openapi_test
}  // namespace otpgate::api
