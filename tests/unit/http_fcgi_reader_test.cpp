#include "http/fcgi_reader.h"
#include "otpgate/http/json.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::http {

namespace http_fcgi_reader_test {

using State = FcgiReader::State;

std::string record(int type, int id, const std::string& content, std::size_t padding = 0) {
    return std::string{'\1',
                       static_cast<char>(type),
                       static_cast<char>(id >> 8),
                       static_cast<char>(id),
                       static_cast<char>(content.size() >> 8),
                       static_cast<char>(content.size()),
                       static_cast<char>(padding),
                       '\0'} +
           content + std::string(padding, 'p');
}

std::string begin(int id, int role = 1, int flags = 0) {
    return record(1, id, std::string{'\0', static_cast<char>(role), static_cast<char>(flags), 0, 0, 0, 0, 0});
}

std::string pair(const std::string& name, const std::string& value) {
    return std::string{static_cast<char>(name.size()), static_cast<char>(value.size())} + name + value;
}

std::string endOfRequest(int id, int status) {
    return record(3, id, std::string{0, 0, 0, 0, static_cast<char>(status), 0, 0, 0});
}

std::string fromHex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
    }
    return bytes;
}

State stateAfter(const std::string& bytes) {
    FcgiReader reader;
    reader.take(bytes);
    return reader.state();
}

class FcgiReaderTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(FcgiReaderTest);
    CPPUNIT_TEST(readsARequest);
    CPPUNIT_TEST(readsTheSameByteByByte);
    CPPUNIT_TEST(joinsParametersAndBodyOfSeveralRecords);
    CPPUNIT_TEST(stopsAtTheEndOfARequest);
    CPPUNIT_TEST(expectsNoBodyOfAnAuthorizer);
    CPPUNIT_TEST(keepsNoMoreOfABodyThanIsRead);
    CPPUNIT_TEST(refusesParametersThatAreTooLarge);
    CPPUNIT_TEST(refusesLengthsThatPointBeyondTheEnd);
    CPPUNIT_TEST(refusesVariablesWithANul);
    CPPUNIT_TEST(refusesWhatIsOutOfOrder);
    CPPUNIT_TEST(passesOverWhatBelongsToNoRequest);
    CPPUNIT_TEST(refusesASecondRequestAtTheSameTime);
    CPPUNIT_TEST(refusesAFilter);
    CPPUNIT_TEST(endsARequestThatIsAborted);
    CPPUNIT_TEST(tellsEachValueOnce);
    CPPUNIT_TEST(endsAFloodOfWhatNobodyReads);
    CPPUNIT_TEST(survivesWhatAbortedLibfcgi);
    CPPUNIT_TEST(survivesAnyBytes);
    CPPUNIT_TEST(writesAnAnswer);
    CPPUNIT_TEST_SUITE_END();

public:
    void readsARequest() {
        FcgiReader reader;
        CPPUNIT_ASSERT_EQUAL(request_.size(), reader.take(request_));
        assertIsTheRequest(reader);
    }

    void readsTheSameByteByByte() {
        FcgiReader reader;
        CPPUNIT_ASSERT(reader.isUntouched());
        for (const char byte : request_) {
            CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reader.take({&byte, 1}));
            CPPUNIT_ASSERT(!reader.isUntouched());
        }
        assertIsTheRequest(reader);
    }

    void joinsParametersAndBodyOfSeveralRecords() {
        FcgiReader reader;
        reader.take(begin(7) + record(4, 7, std::string{"\1\2N"}) + record(4, 7, "vv") + record(4, 7, "") +
                    record(5, 7, "ab") + record(5, 7, "cd"));
        CPPUNIT_ASSERT(reader.state() == State::Body);
        CPPUNIT_ASSERT_EQUAL(std::string_view{"vv"}, reader.variables().at(0).second);
        CPPUNIT_ASSERT_EQUAL(std::string{"abcd"}, reader.body());
        CPPUNIT_ASSERT(!reader.hasSeenEnd());
    }

    void stopsAtTheEndOfARequest() {
        FcgiReader reader;
        CPPUNIT_ASSERT_EQUAL(request_.size(), reader.take(request_ + request_));
        reader.endRequest();
        CPPUNIT_ASSERT(reader.isUntouched());
        CPPUNIT_ASSERT_EQUAL(request_.size(), reader.take(request_));
        assertIsTheRequest(reader);
    }

    void expectsNoBodyOfAnAuthorizer() {
        FcgiReader reader;
        reader.take(begin(1, 2) + record(4, 1, ""));
        CPPUNIT_ASSERT(reader.state() == State::Complete);
        CPPUNIT_ASSERT(reader.role() == Role::Authorizer);
        CPPUNIT_ASSERT(reader.hasSeenEnd());
    }

    void keepsNoMoreOfABodyThanIsRead() {
        FcgiReader reader;
        reader.take(begin(1) + record(4, 1, "") + record(5, 1, std::string(60000, 'x')));
        CPPUNIT_ASSERT(reader.state() == State::Body);
        CPPUNIT_ASSERT_EQUAL(kMaxBodyBytes, reader.body().size());
    }

    void refusesParametersThatAreTooLarge() {
        const std::string half = record(4, 1, std::string(32767, '\0'));
        CPPUNIT_ASSERT(stateAfter(begin(1) + half + half) == State::Parameters);
        FcgiReader reader;
        reader.take(begin(1) + half + half + half);
        CPPUNIT_ASSERT(reader.state() == State::TooLarge);
        // What is left of them is nobody's.
        reader.endRequest();
        reader.take(std::string(32767, '\0') + record(4, 1, "") + record(5, 1, ""));
        CPPUNIT_ASSERT(reader.isUntouched());
        CPPUNIT_ASSERT(reader.hasSeenEnd());
    }

    void refusesLengthsThatPointBeyondTheEnd() {
        for (const std::string& parameters :
             {std::string{"\x5"}, std::string{"\x5\x5"}, std::string{"\x1\x1N"}, fromHex("fffffffe01"),
              fromHex("80000000ffffffff"), fromHex("ffffffffffffffff"), fromHex("800000"), fromHex("0180000001")}) {
            CPPUNIT_ASSERT(!parseParameters(parameters));
            CPPUNIT_ASSERT(stateAfter(begin(1) + record(4, 1, parameters) + record(4, 1, "")) == State::Broken);
        }
        // Nothing at all, and a length of four bytes where one would do.
        const std::string good = fromHex("0000") +
                                 fromHex(
                                     "80000001"
                                     "01") +
                                 "NV";
        CPPUNIT_ASSERT((parseParameters(good) == CgiVariables{{"", ""}, {"N", "V"}}));
    }

    void refusesVariablesWithANul() {
        CPPUNIT_ASSERT(!parseParameters(pair("REQUEST_URI", std::string{"/a\0b", 4})));
        CPPUNIT_ASSERT(!parseParameters(pair(std::string{"A\0", 2}, "b")));
    }

    void refusesWhatIsOutOfOrder() {
        CPPUNIT_ASSERT(stateAfter("GET / HTTP/1.0\r\n\r\n") == State::Broken);
        CPPUNIT_ASSERT(stateAfter(record(1, 1, "short")) == State::Broken);
        CPPUNIT_ASSERT(stateAfter(begin(1) + record(5, 1, "body")) == State::Broken);
        CPPUNIT_ASSERT(stateAfter(begin(1) + record(4, 1, "") + record(4, 1, "more")) == State::Broken);
    }

    void passesOverWhatBelongsToNoRequest() {
        FcgiReader reader;
        const std::string strangers =
            record(4, 9, "x", 3) + record(5, 9, "x") + record(2, 9, "") + record(8, 1, "data") + record(77, 9, "x");
        reader.take(strangers + request_.substr(0, 20) + request_.substr(20));
        assertIsTheRequest(reader);
        CPPUNIT_ASSERT_EQUAL(std::string{}, reader.takeReplies());
    }

    void refusesASecondRequestAtTheSameTime() {
        FcgiReader reader;
        reader.take(begin(1) + begin(2) + record(4, 2, pair("A", "b")) + record(4, 1, pair("C", "d")) +
                    record(4, 1, ""));
        CPPUNIT_ASSERT_EQUAL(endOfRequest(2, 1), reader.takeReplies());
        CPPUNIT_ASSERT(reader.state() == State::Body);
        CPPUNIT_ASSERT_EQUAL(std::string_view{"C"}, reader.variables().at(0).first);
    }

    void refusesAFilter() {
        FcgiReader reader;
        reader.take(begin(1, 3, 1) + record(4, 1, ""));
        CPPUNIT_ASSERT_EQUAL(endOfRequest(1, 3), reader.takeReplies());
        CPPUNIT_ASSERT(!reader.isOver());
        reader.take(begin(2, 3));
        CPPUNIT_ASSERT(reader.isOver());
    }

    void endsARequestThatIsAborted() {
        FcgiReader reader;
        reader.take(begin(1, 1, 1) + record(4, 1, pair("A", "b")) + record(2, 1, ""));
        CPPUNIT_ASSERT_EQUAL(endOfRequest(1, 0), reader.takeReplies());
        CPPUNIT_ASSERT(reader.isUntouched());
        CPPUNIT_ASSERT(!reader.isOver());
        reader.take(request_);
        assertIsTheRequest(reader);
    }

    void tellsEachValueOnce() {
        FcgiReader reader;
        const std::string name = pair("FCGI_MAX_CONNS", "");
        reader.take(record(9, 0, name + name + name + name + pair("OTHER", "")));
        CPPUNIT_ASSERT_EQUAL(record(10, 0, pair("FCGI_MAX_CONNS", "256")), reader.takeReplies());
    }

    void endsAFloodOfWhatNobodyReads() {
        for (const std::string& flood : {record(9, 0, ""), record(5, 9, std::string(65535, 'x')), begin(2)}) {
            FcgiReader reader;
            reader.take(begin(1));
            for (int i = 0; i < 300; ++i) reader.take(flood);
            CPPUNIT_ASSERT(reader.state() == State::Broken);
        }
    }

    void survivesWhatAbortedLibfcgi() {
        CPPUNIT_ASSERT(stateAfter(fromHex("01010001000800000001000000000000"
                                          "0104000100050000fffffffe01"
                                          "0104000100000000")) == State::Broken);
        FcgiReader reader;
        std::string asked = fromHex("0109000000400000");
        for (int i = 0; i < 4; ++i) asked += fromHex("0e00464347495f4d41585f434f4e4e53");
        reader.take(asked + request_);
        assertIsTheRequest(reader);
    }

    void survivesAnyBytes() {
        std::uint64_t state = 20261128;
        const auto roll = [&state](std::size_t sides) {  // the same bytes each time
            state = state * 6364136223846793005U + 1442695040888963407U;
            return static_cast<std::size_t>(state >> 33) % sides;
        };
        for (int round = 0; round < 20000; ++round) {
            FcgiReader reader;
            std::string bytes = begin(1, 1, 1) + record(4, 1, pair("A", "b")) + record(4, 1, "") + record(5, 1, "x");
            for (std::size_t i = roll(6); i > 0; --i) bytes[roll(bytes.size())] = static_cast<char>(roll(256));
            for (std::string_view left = bytes; !left.empty();) {
                const std::size_t taken = reader.take(left.substr(0, 1 + roll(40)));
                if (taken == 0) break;
                left.remove_prefix(taken);
            }
            CPPUNIT_ASSERT(reader.body().size() <= kMaxBodyBytes);
        }
    }

    void writesAnAnswer() {
        std::string out;
        appendAnswer(out, 258, "Status: 200 OK");
        CPPUNIT_ASSERT_EQUAL(record(6, 258, "Status: 200 OK") + record(6, 258, "") + endOfRequest(258, 0), out);
        out.clear();
        const std::string large(70000, 'x');
        appendAnswer(out, 1, large);
        CPPUNIT_ASSERT_EQUAL(record(6, 1, large.substr(0, 65528)) + record(6, 1, large.substr(65528)) +
                                 record(6, 1, "") + endOfRequest(1, 0),
                             out);
    }

private:
    static void assertIsTheRequest(const FcgiReader& reader) {
        CPPUNIT_ASSERT(reader.state() == State::Complete);
        CPPUNIT_ASSERT_EQUAL(unsigned{513}, unsigned{reader.id()});
        CPPUNIT_ASSERT(reader.role() == Role::Responder);
        CPPUNIT_ASSERT(reader.keepsConnection());
        CPPUNIT_ASSERT(reader.hasSeenEnd());
        CPPUNIT_ASSERT((reader.variables() == CgiVariables{{"A", "b"}, {"C", ""}}));
        CPPUNIT_ASSERT_EQUAL(std::string{"body"}, reader.body());
    }

    const std::string request_ = begin(513, 1, 1) + record(4, 513, pair("A", "b") + pair("C", ""), 5) +
                                 record(4, 513, "") + record(5, 513, "body", 4) + record(5, 513, "");
};

CPPUNIT_TEST_SUITE_REGISTRATION(FcgiReaderTest);

}  // namespace http_fcgi_reader_test
}  // namespace otpgate::http
