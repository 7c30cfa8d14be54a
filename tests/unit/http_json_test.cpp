#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"
#include "support_cpp/contains.h"

#include <cppunit/extensions/HelperMacros.h>

#include <limits>
#include <optional>
#include <string>

namespace otpgate::http {

namespace http_json_test {

Request jsonRequest(std::string body) {
    Request request;
    request.contentType = "application/json";
    request.body = std::move(body);
    return request;
}

// What reading the body throws; nothing when it is accepted.
std::optional<ErrorCode> refusalOf(const Request& request) {
    try {
        const JsonBody body(request);
        return std::nullopt;
    } catch (const ApiError& error) {
        return error.code();
    }
}

bool isMalformed(const std::string& body) {
    return refusalOf(jsonRequest(body)) == ErrorCode::MalformedJson;
}
bool isAccepted(const std::string& body) {
    return !refusalOf(jsonRequest(body));
}

std::string nested(int depth, const std::string& open, const std::string& close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
}

// The problem that rejectInvalid() throws, as JSON text; empty when it throws none.
std::string problemOf(const JsonBody& body) {
    try {
        body.rejectInvalid();
        return {};
    } catch (const ApiError& error) {
        return error.toResponse("r").body;
    }
}

class JsonBodyTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(JsonBodyTest);
    CPPUNIT_TEST(readsMembersOfEachType);
    CPPUNIT_TEST(decodesEscapesAndKeepsUtf8);
    CPPUNIT_TEST(treatsNullAsAbsent);
    CPPUNIT_TEST(ignoresUnknownMembersOfAnyShape);
    CPPUNIT_TEST(wantsTheMediaTypeOfJson);
    CPPUNIT_TEST(refusesTwoMediaTypesAtOnce);
    CPPUNIT_TEST(refusesABodyAboveTheLimit);
    CPPUNIT_TEST(acceptsABodyAtTheLimit);
    CPPUNIT_TEST(wantsOneObject);
    CPPUNIT_TEST(refusesWhatIsNotJson);
    CPPUNIT_TEST(refusesTrailingGarbage);
    CPPUNIT_TEST(acceptsEightLevelsAndRefusesNine);
    CPPUNIT_TEST(refusesExtremeDepthWithoutRecursion);
    CPPUNIT_TEST(doesNotCountBracketsInsideStrings);
    CPPUNIT_TEST(refusesDuplicateKeysAtAnyDepth);
    CPPUNIT_TEST(findsDuplicateKeysBehindEscapes);
    CPPUNIT_TEST(allowsTheSameKeyInDifferentObjects);
    CPPUNIT_TEST(refusesNulBytesAndNulEscapes);
    CPPUNIT_TEST(acceptsABackslashBeforeTheLettersOfANulEscape);
    CPPUNIT_TEST(refusesInvalidUtf8);
    CPPUNIT_TEST(refusesLoneSurrogates);
    CPPUNIT_TEST(joinsASurrogatePair);
    CPPUNIT_TEST(refusesControlCharactersInStrings);
    CPPUNIT_TEST(namesAFieldOfAnotherType);
    CPPUNIT_TEST(neverTurnsAnotherTypeIntoText);
    CPPUNIT_TEST(readsTheWholeRangeOfIntegers);
    CPPUNIT_TEST(losesNoDigitOfAnInteger);
    CPPUNIT_TEST(takesAHintForWhatItIs);
    CPPUNIT_TEST(namesANumberThatIsNoInteger);
    CPPUNIT_TEST(refusesMalformedNumbers);
    CPPUNIT_TEST(limitsTheLengthOfAString);
    CPPUNIT_TEST(readsListsOfStringsOnly);
    CPPUNIT_TEST(writesAnObjectAnew);
    CPPUNIT_TEST(keepsTheDigitsOfNumbers);
    CPPUNIT_TEST(limitsTheLengthOfAnObject);
    CPPUNIT_TEST(wantsAnObjectToBeOne);
    CPPUNIT_TEST(reportsAllMistakesAtOnce);
    CPPUNIT_TEST(reportsMissingFields);
    CPPUNIT_TEST(keepsTheBodyOutOfTheErrors);
    CPPUNIT_TEST_SUITE_END();

public:
    void readsMembersOfEachType() {
        JsonBody body(jsonRequest(R"( {"s":"text", "i":-42, "b":true, "l":["x","y"], "e":[]} )"));
        CPPUNIT_ASSERT_EQUAL(std::string{"text"}, body.string("s").value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{-42}, body.integer("i").value());
        CPPUNIT_ASSERT(body.boolean("b").value());
        CPPUNIT_ASSERT((body.strings("l").value() == std::vector<std::string>{"x", "y"}));
        CPPUNIT_ASSERT(body.strings("e").value().empty());
        CPPUNIT_ASSERT(!body.string("absent"));
        CPPUNIT_ASSERT_NO_THROW(body.rejectInvalid());
    }

    void decodesEscapesAndKeepsUtf8() {
        JsonBody body(jsonRequest(R"({"s":"a\"b\\c\/\n\u00e9 äß€😀"})"));
        CPPUNIT_ASSERT_EQUAL(std::string{"a\"b\\c/\né äß€😀"}, body.string("s").value());
    }

    void treatsNullAsAbsent() {
        JsonBody body(jsonRequest(R"({"s":null,"i":null,"b":null,"l":null})"));
        CPPUNIT_ASSERT(!body.string("s") && !body.integer("i") && !body.boolean("b") && !body.strings("l"));
        CPPUNIT_ASSERT_NO_THROW(body.rejectInvalid());
        CPPUNIT_ASSERT_EQUAL(std::string{}, body.requiredString("s"));
        CPPUNIT_ASSERT_THROW(body.rejectInvalid(), ApiError);
    }

    void ignoresUnknownMembersOfAnyShape() {
        JsonBody body(jsonRequest(R"({"x":{"s":[1,{"s":2}]},"y":[[],[{}]],"z":1e999,"s":"yes","w":{"l":["a"]}})"));
        CPPUNIT_ASSERT_EQUAL(std::string{"yes"}, body.string("s").value());
        CPPUNIT_ASSERT_NO_THROW(body.rejectInvalid());
    }

    void wantsTheMediaTypeOfJson() {
        Request request = jsonRequest("{}");
        for (const char* good :
             {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x=y"}) {
            request.contentType = good;
            CPPUNIT_ASSERT_MESSAGE(good, !refusalOf(request));
        }
        for (const char* bad : {"", "text/plain", "application/jsonp", "application/problem+json",
                                "multipart/form-data", "application/x-www-form-urlencoded", ";application/json"}) {
            request.contentType = bad;
            CPPUNIT_ASSERT_MESSAGE(bad, refusalOf(request) == ErrorCode::UnsupportedMediaType);
        }
    }

    void refusesTwoMediaTypesAtOnce() {
        Request request = jsonRequest("{}");
        request.contentType = "application/json, text/plain";
        CPPUNIT_ASSERT(refusalOf(request) == ErrorCode::UnsupportedMediaType);
        request.contentType = "application/json; charset=utf-8, application/json";
        CPPUNIT_ASSERT(refusalOf(request) == ErrorCode::UnsupportedMediaType);
    }

    void refusesABodyAboveTheLimit() {
        CPPUNIT_ASSERT(refusalOf(jsonRequest("{" + std::string(kMaxBodyBytes - 1, ' ') + "}")) ==
                       ErrorCode::PayloadTooLarge);
    }

    void acceptsABodyAtTheLimit() { CPPUNIT_ASSERT(isAccepted("{" + std::string(kMaxBodyBytes - 2, ' ') + "}")); }

    void wantsOneObject() {
        for (const char* text : {"", " ", "null", "true", "1", "\"s\"", "[]", "[{}]"}) {
            CPPUNIT_ASSERT_MESSAGE(text, isMalformed(text));
        }
        CPPUNIT_ASSERT(isAccepted("\r\n\t {}"));
    }

    void refusesWhatIsNotJson() {
        for (const char* text : {"{",
                                 "}",
                                 "{]",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{,\"a\":1}",
                                 "{a:1}",
                                 "{'a':1}",
                                 "{\"a\":1 \"b\":2}",
                                 "{\"a\":[1,]}",
                                 "{\"a\":tru}",
                                 "{\"a\":True}",
                                 "{\"a\":NaN}",
                                 "{\"a\":Infinity}",
                                 "{\"a\":undefined}",
                                 "{\"a\":\"x}",
                                 "{\"a\":\"\\x\"}",
                                 "{\"a\":\"\\u12g4\"}",
                                 "{\"a\":\"\\",
                                 "{/**/}",
                                 "{} // x",
                                 "{1:2}",
                                 "\xef\xbb\xbf{}"}) {
            CPPUNIT_ASSERT_MESSAGE(text, isMalformed(text));
        }
    }

    void refusesTrailingGarbage() {
        for (const char* text : {"{}x", "{}{}", "{} []", "{},", "{}}", "{} 1"})
            CPPUNIT_ASSERT_MESSAGE(text, isMalformed(text));
        CPPUNIT_ASSERT(isAccepted("{} \r\n"));
    }

    void acceptsEightLevelsAndRefusesNine() {
        CPPUNIT_ASSERT(isAccepted("{\"a\":" + nested(7, "[", "]") + "}"));
        CPPUNIT_ASSERT(isMalformed("{\"a\":" + nested(8, "[", "]") + "}"));
        CPPUNIT_ASSERT(isAccepted("{\"a\":" + nested(7, "{\"b\":", "}") + "}"));
        CPPUNIT_ASSERT(isMalformed("{\"a\":" + nested(8, "{\"b\":", "}") + "}"));
        CPPUNIT_ASSERT(isMalformed(nested(100, "{\"a\":", "}")));
    }

    void refusesExtremeDepthWithoutRecursion() {
        CPPUNIT_ASSERT(isMalformed(std::string(kMaxBodyBytes, '[')));
        CPPUNIT_ASSERT(isMalformed("{\"a\":" + std::string(kMaxBodyBytes - 5, '[')));
        CPPUNIT_ASSERT(isMalformed(std::string(kMaxBodyBytes, '{')));
        CPPUNIT_ASSERT(isMalformed("{" + std::string(kMaxBodyBytes - 1, '}')));
        CPPUNIT_ASSERT(isMalformed("{\"a\":" + std::string(kMaxBodyBytes - 5, '-')));
    }

    void doesNotCountBracketsInsideStrings() {
        JsonBody body(jsonRequest(R"({"s":"[[[[[[[[[[{{{{{{{{{{\"[[[["})"));
        CPPUNIT_ASSERT_EQUAL(std::string{"[[[[[[[[[[{{{{{{{{{{\"[[[["}, body.string("s").value());
    }

    void refusesDuplicateKeysAtAnyDepth() {
        CPPUNIT_ASSERT(isMalformed(R"({"a":1,"a":2})"));
        CPPUNIT_ASSERT(isMalformed(R"({"a":1,"a":null})"));
        CPPUNIT_ASSERT(isMalformed(R"({"x":{"a":1,"b":2,"a":1}})"));
        CPPUNIT_ASSERT(isMalformed(R"({"x":[{"a":1,"a":1}]})"));
        CPPUNIT_ASSERT(isMalformed(R"({"":1,"":2})"));
    }

    void findsDuplicateKeysBehindEscapes() { CPPUNIT_ASSERT(isMalformed(R"({"otp":"1","\u006ftp":"2"})")); }

    void allowsTheSameKeyInDifferentObjects() {
        CPPUNIT_ASSERT(isAccepted(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})"));
        CPPUNIT_ASSERT(isAccepted(R"({"a":1,"A":2})"));
    }

    void refusesNulBytesAndNulEscapes() {
        CPPUNIT_ASSERT(isMalformed(std::string("{\"a\":\"x\0y\"}", 11)));
        CPPUNIT_ASSERT(isMalformed(std::string("{}\0", 3)));
        CPPUNIT_ASSERT(isMalformed(std::string("{\"a\":1\0}", 8)));
        CPPUNIT_ASSERT(isMalformed(R"({"a":"x\u0000y"})"));
        CPPUNIT_ASSERT(isMalformed(R"({"a\u0000":1})"));
        CPPUNIT_ASSERT(isMalformed(R"({"a":"\\\u0000"})"));
    }

    void acceptsABackslashBeforeTheLettersOfANulEscape() {
        JsonBody body(jsonRequest(R"({"s":"\\u0000"})"));
        CPPUNIT_ASSERT_EQUAL(std::string{"\\u0000"}, body.string("s").value());
    }

    void refusesInvalidUtf8() {
        for (const char* bytes : {"\x80", "\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
            CPPUNIT_ASSERT(isMalformed("{\"a\":\"" + std::string{bytes} + "\"}"));
        }
        CPPUNIT_ASSERT(isMalformed("{\"a\":1}\xff"));
    }

    void refusesLoneSurrogates() {
        for (const char* escape :
             {R"(\ud800)", R"(\udc00)", R"(\ud800x)", R"(\ud800\n)", R"(\ud800\ud800)", R"(\uDFFF\uD800)"}) {
            CPPUNIT_ASSERT_MESSAGE(escape, isMalformed("{\"a\":\"" + std::string{escape} + "\"}"));
        }
    }

    void joinsASurrogatePair() {
        JsonBody body(jsonRequest(R"({"s":"\ud83d\ude00"})"));
        CPPUNIT_ASSERT_EQUAL(std::string{"😀"}, body.string("s").value());
    }

    void refusesControlCharactersInStrings() {
        CPPUNIT_ASSERT(isMalformed("{\"a\":\"x\ny\"}"));
        CPPUNIT_ASSERT(isMalformed("{\"a\":\"x\x01y\"}"));
        CPPUNIT_ASSERT(isMalformed("{\v}"));
    }

    void namesAFieldOfAnotherType() {
        JsonBody body(jsonRequest(R"({"s":42,"i":"42","b":1,"l":"x"})"));
        CPPUNIT_ASSERT(!body.string("s") && !body.integer("i") && !body.boolean("b") && !body.strings("l"));
        const std::string problem = problemOf(body);
        CPPUNIT_ASSERT(test::contains(problem, R"("code":"VALIDATION_ERROR")"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"s","message":"must be a string"})"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"i","message":"must be an integer"})"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"b","message":"must be true or false"})"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"l","message":"must be a list of strings"})"));
    }

    void neverTurnsAnotherTypeIntoText() {
        for (const char* value : {"42", "1.5", "true", "false", "{}", R"({"x":1})", "[]", R"(["x"])"}) {
            JsonBody body(jsonRequest(std::string{"{\"s\":"} + value + "}"));
            CPPUNIT_ASSERT_MESSAGE(value, !body.string("s"));
            CPPUNIT_ASSERT_THROW_MESSAGE(value, body.rejectInvalid(), ApiError);
        }
    }

    void readsTheWholeRangeOfIntegers() {
        JsonBody body(jsonRequest(R"({"max":9223372036854775807,"min":-9223372036854775808,"zero":0,"minus":-0})"));
        CPPUNIT_ASSERT_EQUAL(std::numeric_limits<std::int64_t>::max(), body.integer("max").value());
        CPPUNIT_ASSERT_EQUAL(std::numeric_limits<std::int64_t>::min(), body.integer("min").value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, body.integer("zero").value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, body.integer("minus").value());
    }

    // Beyond 2^53 a double skips numbers.
    void losesNoDigitOfAnInteger() {
        for (const std::int64_t number :
             {-9007199254740993, 9007199254740993, -9223372036854775807, 9223372036854775807, -9007199254740991}) {
            JsonBody body(jsonRequest("{\"a\":[-1.5,{\"b\":-7}],\"i\":" + std::to_string(number) + ",\"z\":1e3}"));
            CPPUNIT_ASSERT_EQUAL(number, body.integer("i").value());
        }
    }

    void takesAHintForWhatItIs() {
        JsonBody body(jsonRequest(R"({"s":"de","i":1,"l":["de"],"n":null,"long":")" + std::string(3000, 'x') + "\"}"));
        CPPUNIT_ASSERT(body.hint("s") == "de");
        CPPUNIT_ASSERT_EQUAL(std::size_t{3000}, body.hint("long").value().size());
        for (const char* name : {"i", "l", "n", "absent"}) CPPUNIT_ASSERT_MESSAGE(name, !body.hint(name));
        CPPUNIT_ASSERT_NO_THROW(body.rejectInvalid());
    }

    void namesANumberThatIsNoInteger() {
        for (const char* value :
             {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e5", "1E999", "-1e-999", "1.0",
              "0.5", "123456789012345678901234567890.123456789012345678901234567890e+1234567890"}) {
            JsonBody body(jsonRequest(std::string{"{\"i\":"} + value + "}"));
            CPPUNIT_ASSERT_MESSAGE(value, !body.integer("i"));
            CPPUNIT_ASSERT_MESSAGE(value, test::contains(problemOf(body), R"("field":"i")"));
        }
    }

    void refusesMalformedNumbers() {
        for (const char* value : {"01", "-01", "+1", "1.", ".5", "-", "--1", "1e", "1e+", "0x1", "1-2", "1.2.3",
                                  "1_000", "1,000", "00000000000000000000000001", "099999999999999999999999999",
                                  "99999999999999999999.", "99999999999999999999e", "0099999999999999999999.5"}) {
            CPPUNIT_ASSERT_MESSAGE(value, isMalformed(std::string{"{\"i\":"} + value + "}"));
        }
    }

    void limitsTheLengthOfAString() {
        JsonBody body(jsonRequest(R"({"s":"12345","t":"äö"})"));
        CPPUNIT_ASSERT(body.string("s", 5));
        CPPUNIT_ASSERT(body.string("t", 4));
        CPPUNIT_ASSERT_NO_THROW(body.rejectInvalid());
        CPPUNIT_ASSERT(!body.string("s", 4));
        CPPUNIT_ASSERT(test::contains(problemOf(body), "must be at most 4 bytes long"));
    }

    void readsListsOfStringsOnly() {
        for (const char* value :
             {"[1]", R"(["a",1])", R"(["a",null])", R"([["a"]])", R"([{"a":"b"}])", R"(["a",["b"],"c"])", "{}"}) {
            JsonBody body(jsonRequest(std::string{"{\"l\":"} + value + "}"));
            CPPUNIT_ASSERT_MESSAGE(value, !body.strings("l"));
            CPPUNIT_ASSERT_THROW_MESSAGE(value, body.rejectInvalid(), ApiError);
        }
    }

    void writesAnObjectAnew() {
        JsonBody body(jsonRequest(
            R"({"n": 7, "l": [{"x": 1}, 2], "m": { "b" : [ 1 , {"c":[]}, null, true , "\u00e9\n\u0041" ] ,"a":{ } }, "o": {"p":3}})"));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"b":[1,{"c":[]},null,true,"é\nA"],"a":{}})"},
                             body.object("m", 100).value());
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"p":3})"}, body.object("o", 100).value());
        CPPUNIT_ASSERT(!body.object("absent", 100));
        CPPUNIT_ASSERT(problemOf(body).empty());
    }

    void keepsTheDigitsOfNumbers() {
        const std::string numbers =
            R"({"a":123456789012345678901234567890,"b":0.10,"c":1e400,"d":-0,"e":18446744073709551615})";
        JsonBody body(jsonRequest(R"({"before":99999999999999999999,"m":)" + numbers + R"(,"after":1})"));
        CPPUNIT_ASSERT_EQUAL(numbers, body.object("m", 200).value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, body.integer("after").value());
    }

    void limitsTheLengthOfAnObject() {
        JsonBody body(jsonRequest(R"({"m": {  "k" : "12345"  }})"));
        CPPUNIT_ASSERT(body.object("m", 13));
        CPPUNIT_ASSERT(problemOf(body).empty());
        CPPUNIT_ASSERT(!body.object("m", 12));
        CPPUNIT_ASSERT(test::contains(problemOf(body), R"({"field":"m")"));
    }

    void wantsAnObjectToBeOne() {
        for (const char* other : {"[]", "[{}]", "\"{}\"", "1", "1.5", "true"}) {
            JsonBody body(jsonRequest(std::string{R"({"m":)"} + other + "}"));
            CPPUNIT_ASSERT(!body.object("m", 100));
            CPPUNIT_ASSERT(test::contains(problemOf(body), "must be an object"));
        }
        JsonBody absent(jsonRequest(R"({"m":null})"));
        CPPUNIT_ASSERT(!absent.object("m", 100) && !absent.has("m") && problemOf(absent).empty());
    }

    void reportsAllMistakesAtOnce() {
        JsonBody body(jsonRequest(R"({"email":1})"));
        body.requiredString("email");
        body.requiredString("otp");
        body.noteInvalid("purpose", "is not known");
        const std::string problem = problemOf(body);
        CPPUNIT_ASSERT(test::contains(problem, R"("code":"VALIDATION_ERROR")"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"email","message":"must be a string"})"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"purpose","message":"is not known"})"));
        CPPUNIT_ASSERT(test::contains(problem, R"({"field":"otp","message":"is required"})"));
    }

    void reportsMissingFields() {
        JsonBody body(jsonRequest("{}"));
        CPPUNIT_ASSERT_EQUAL(std::string{}, body.requiredString("otp"));
        const std::string problem = problemOf(body);
        CPPUNIT_ASSERT(test::contains(problem, R"("code":"MISSING_FIELDS")"));
        CPPUNIT_ASSERT(test::contains(problem, R"("errors":[{"field":"otp","message":"is required"}])"));
    }

    void keepsTheBodyOutOfTheErrors() {
        try {
            const JsonBody body(jsonRequest(R"({"password":"hunter2" x)"));
            CPPUNIT_FAIL("accepted");
        } catch (const ApiError& error) {
            CPPUNIT_ASSERT(!test::contains(error.toResponse("r").body, "hunter2"));
            CPPUNIT_ASSERT(!test::contains(error.logDetail(), "hunter2"));
            CPPUNIT_ASSERT(!test::contains(error.toResponse("r").body, error.logDetail()));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JsonBodyTest);

class JsonWriterTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(JsonWriterTest);
    CPPUNIT_TEST(putsCommasWhereTheyBelong);
    CPPUNIT_TEST(writesEachType);
    CPPUNIT_TEST(escapesWhatJsonDoesNotAllow);
    CPPUNIT_TEST(replacesInvalidUtf8);
    CPPUNIT_TEST(writesAnAbsentMemberAsNull);
    CPPUNIT_TEST(writesWhatTheReaderReads);
    CPPUNIT_TEST_SUITE_END();

public:
    void putsCommasWhereTheyBelong() {
        JsonWriter json;
        json.beginObject()
            .key("a")
            .beginArray()
            .value(1)
            .value(2)
            .beginObject()
            .endObject()
            .beginArray()
            .endArray()
            .endArray();
        json.key("b").beginObject().member("c", "d").endObject().member("e", true).key("f").raw("[1]").endObject();
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"a":[1,2,{},[]],"b":{"c":"d"},"e":true,"f":[1]})"}, json.take());
    }

    void writesEachType() {
        JsonWriter json;
        json.beginArray()
            .value("text")
            .value(std::string{"s"})
            .value(std::string_view{"v"})
            .value(true)
            .value(false)
            .null();
        json.value(std::numeric_limits<std::int64_t>::min())
            .value(std::numeric_limits<std::uint64_t>::max())
            .value(7U)
            .endArray();
        CPPUNIT_ASSERT_EQUAL(
            std::string{R"(["text","s","v",true,false,null,-9223372036854775808,18446744073709551615,7])"},
            json.take());
    }

    void escapesWhatJsonDoesNotAllow() {
        JsonWriter json;
        json.beginObject().member("k\"", std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f\0", 12)).endObject();
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"k\"":"\"\\/\b\f\n\r\t\u0001\u001f\u007f\u0000"})"}, json.take());
    }

    void replacesInvalidUtf8() {
        JsonWriter json;
        json.value(
            std::string{"a\xff"
                        "b\xc3"
                        "c\xed\xa0\x80 ä€😀\xe2\x82"});
        CPPUNIT_ASSERT_EQUAL(std::string{"\"a\uFFFD"
                                         "b\uFFFD"
                                         "c\uFFFD\uFFFD\uFFFD ä€😀\uFFFD\uFFFD\""},
                             json.take());
    }

    void writesAnAbsentMemberAsNull() {
        JsonWriter json;
        json.beginObject()
            .member("a", std::optional<std::string>{})
            .member("b", std::optional<std::string>{"x"})
            .endObject();
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"a":null,"b":"x"})"}, json.take());
    }

    void writesWhatTheReaderReads() {
        std::string text;
        for (char c = 1; c > 0; ++c) {
            text += c;
            if (c == 127) break;
        }
        text += "äß€😀";
        JsonWriter json;
        json.beginObject().member("s", text).endObject();
        JsonBody body(jsonRequest(json.take()));
        CPPUNIT_ASSERT_EQUAL(text, body.string("s").value());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JsonWriterTest);

}  // namespace http_json_test
}  // namespace otpgate::http
