// FastCGI: raw records in any portions, over the reader alone and over a connection, and name-value pairs.
#include "fuzz/fuzz.h"
#include "http/fcgi_connection.h"
#include "http/fcgi_reader.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace otpgate;
using http::FcgiReader;
using State = FcgiReader::State;

bool takesMore(State state) {
    return state == State::Idle || state == State::Parameters || state == State::Body;
}

// What came of a connection: all that could be told of its requests, and the replies.
std::string told(FcgiReader& reader) {
    std::string text = std::to_string(static_cast<int>(reader.state())) + " " + std::to_string(reader.id()) + " " +
                       std::to_string(static_cast<int>(reader.role())) + (reader.keepsConnection() ? " keep" : "") +
                       (reader.hasSeenEnd() ? " end" : "") + (reader.isOver() ? " over" : "") +
                       (reader.hasMoreBody() ? " more" : "");
    if (reader.state() != State::Broken) {
        for (const auto& [name, value] : reader.variables()) text.append("\n").append(name).append("=").append(value);
        text.append("\n\n").append(reader.body());
        REQUIRE(reader.body().size() <= http::kMaxBodyBytes);
    }
    return text;
}

// Feeds the bytes in portions of this size; whoever answers does so as soon as the request is complete.
std::string readAll(std::string_view bytes, std::size_t portion) {
    FcgiReader reader;
    std::string all;
    while (!bytes.empty()) {
        const std::string_view next = bytes.substr(0, portion);
        const std::size_t taken = reader.take(next);
        REQUIRE(taken <= next.size());
        bytes.remove_prefix(taken);
        if (reader.state() == State::Complete) {
            all += told(reader) + "\n--\n";
            reader.endRequest();
            REQUIRE(reader.variables().empty() && reader.body().empty());
        } else if (!takesMore(reader.state())) {
            break;
        } else {
            REQUIRE(taken == next.size());
        }
    }
    return all + told(reader) + reader.takeReplies();
}

// The same over a socket.
std::string readOverSocket(std::string_view bytes) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    http::FcgiConnection connection(ends[0], 1);
    // The socket's buffer holds all of an input.
    REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::close(ends[1]);
    static auto buffer = std::make_unique<http::FcgiConnection::ReadBuffer>();
    std::string all;
    while (takesMore(connection.reader.state())) {
        if (connection.read(*buffer) != http::FcgiConnection::Io::Done) break;
        if (connection.reader.state() != State::Complete) continue;
        all += told(connection.reader) + "\n--\n";
        connection.reader.endRequest();
    }
    return all + told(connection.reader) + connection.reader.takeReplies();
}

void appendLength(std::string& out, std::size_t length) {
    if (length < 0x80) {
        out += static_cast<char>(length);
        return;
    }
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        out += static_cast<char>((length >> shift & 0xffU) | (shift == 24U ? 0x80U : 0U));
}

// Standard output of an answer's records, by the specification's sections 3.3 and 6.2 alone.
std::string outputOf(std::string_view records, bool& isEnded) {
    std::string out;
    isEnded = false;
    while (!records.empty()) {
        REQUIRE(!isEnded && records.size() >= 8 && records[0] == 1);
        const auto byte = [&](std::size_t i) {
            return static_cast<std::size_t>(static_cast<std::uint8_t>(records[i]));
        };
        const std::size_t length = byte(4) << 8U | byte(5);
        REQUIRE(records.size() >= 8 + length + byte(6));
        if (records[1] == 6) out += records.substr(8, length);
        isEnded = records[1] == 3;
        records.remove_prefix(8 + length + byte(6));
    }
    return out;
}

}  // namespace

FUZZ_TARGET(fastcgi) {
    const std::string whole = readAll(input, std::max<std::size_t>(input.size(), 1));
    for (const std::size_t portion : {std::size_t{1}, std::size_t{7}}) REQUIRE(readAll(input, portion) == whole);
    if (input.size() <= 8192) REQUIRE(readOverSocket(input) == whole);

    if (const auto variables = http::parseParameters(input)) {
        std::string again;
        for (const auto& [name, value] : *variables) {
            appendLength(again, name.size());
            appendLength(again, value.size());
            again.append(name).append(value);
        }
        REQUIRE(http::parseParameters(again) == variables);
    }

    std::string answer;
    http::appendAnswer(answer, 7, input);
    bool isEnded = false;
    REQUIRE(outputOf(answer, isEnded) == input && isEnded);
}
