#include "otpgate/base/errors.h"
#include "otpgate/http/boundary.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/fcgi_server.h"
#include "otpgate/http/json.h"
#include "support_cpp/contains.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_random.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/extensions/HelperMacros.h>

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <tuple>
#include <unistd.h>

namespace otpgate::http {

namespace http_fcgi_server_test {

using namespace std::chrono_literals;
using Parameters = std::map<std::string, std::string>;

enum class KeepConnection { No, Yes };

sockaddr_un unixAddress(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

ServerSettings settingsFor(std::string listen) {
    ServerSettings settings;
    settings.listen = std::move(listen);
    return settings;
}

// The web server's side of FastCGI, as much as a test needs: one connection, one request at a time.
class WebServer {
public:
    explicit WebServer(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_un address = unixAddress(path);
        CPPUNIT_ASSERT_EQUAL(0, connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    }
    ~WebServer() { hangUp(); }
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

    void hangUp() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }

    void begin(const Parameters& parameters, KeepConnection keep = KeepConnection::No) {
        const char flags = keep == KeepConnection::Yes ? 1 : 0;
        std::string records = record(1, std::string{'\0', '\1', flags, '\0', '\0', '\0', '\0', '\0'});
        std::string content;
        for (const auto& [name, value] : parameters) {
            content += lengthOf(name) + lengthOf(value) + name + value;
        }
        send(records + record(4, content) + record(4, ""));
    }
    bool sendBody(const std::string& part) { return send(record(5, part)); }
    void endBody() { send(record(5, "")); }

    // Sends a whole request and returns what comes back up to its end.
    std::string exchange(Parameters parameters, const std::string& body = "",
                         KeepConnection keep = KeepConnection::No) {
        if (!body.empty()) parameters.emplace("CONTENT_LENGTH", std::to_string(body.size()));
        begin(parameters, keep);
        if (!body.empty()) sendBody(body);
        endBody();
        return readAnswer();
    }

    // The standard output of the answer; "" when the connection ended without one.
    std::string readAnswer() {
        std::string out;
        for (;;) {
            const std::string header = readExactly(8);
            if (header.size() < 8) return "";
            const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(header[i]); };
            const std::string content = readExactly(byte(4) * 256U + byte(5));
            readExactly(byte(6));
            if (byte(1) == 6) out += content;
            if (byte(1) == 3) return out;
        }
    }

    // Or the end of the connection.
    bool hasAnswer(std::chrono::milliseconds patience) {
        pollfd readable{fd_, POLLIN, 0};
        return poll(&readable, 1, static_cast<int>(patience.count())) == 1;
    }

    bool isClosedByPeer() {
        pollfd readable{fd_, POLLIN, 0};
        return poll(&readable, 1, 5000) == 1 && readExactly(1).empty();
    }

    // What begin(), sendBody() and endBody() send, as bytes.
    static std::string bytesOf(const Parameters& parameters, const std::string& body, KeepConnection keep) {
        const char flags = keep == KeepConnection::Yes ? 1 : 0;
        std::string content;
        for (const auto& [name, value] : parameters) content += lengthOf(name) + lengthOf(value) + name + value;
        return record(1, std::string{'\0', '\1', flags, '\0', '\0', '\0', '\0', '\0'}) + record(4, content) +
               record(4, "") + (body.empty() ? "" : record(5, body)) + record(5, "");
    }

    bool send(const std::string& bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t count = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
            if (count <= 0) return false;
            done += static_cast<std::size_t>(count);
        }
        return true;
    }

    std::string readExactly(std::size_t bytes) {
        std::string out(bytes, '\0');
        std::size_t done = 0;
        while (done < bytes) {
            const ssize_t count = ::read(fd_, out.data() + done, bytes - done);
            if (count <= 0) break;
            done += static_cast<std::size_t>(count);
        }
        out.resize(done);
        return out;
    }

private:
    static std::string lengthOf(const std::string& text) {
        const auto size = static_cast<unsigned>(text.size());
        return {static_cast<char>(size >> 24 | 0x80), static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                static_cast<char>(size)};
    }

    static std::string record(char type, const std::string& content) {
        return std::string{
                   '\1', type, '\0', '\1', static_cast<char>(content.size() >> 8), static_cast<char>(content.size()),
                   '\0', '\0'} +
               content;
    }

    int fd_;
};

// How many descriptors this process may have, for as long as it lives or until it is lifted.
class DescriptorLimit {
public:
    explicit DescriptorLimit(unsigned most) {
        getrlimit(RLIMIT_NOFILE, &usual_);
        const rlimit tight{most, usual_.rlim_max};
        CPPUNIT_ASSERT_EQUAL(0, setrlimit(RLIMIT_NOFILE, &tight));
    }
    ~DescriptorLimit() { lift(); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

    void lift() const { setrlimit(RLIMIT_NOFILE, &usual_); }

private:
    rlimit usual_{};
};

unsigned lowestFreeDescriptor() {
    const int lowest = dup(0);
    close(lowest);
    return static_cast<unsigned>(lowest);
}

// Another one for as long as it lives.
class StandardInput {
public:
    explicit StandardInput(int descriptor) : before_(dup(0)) { dup2(descriptor, 0); }
    ~StandardInput() {
        dup2(before_, 0);
        close(before_);
    }
    StandardInput(const StandardInput&) = delete;
    StandardInput& operator=(const StandardInput&) = delete;

private:
    const int before_;
};

// A server on a unix socket with a few routes, until the test ends.
class RunningServer {
public:
    explicit RunningServer(const std::string& path, unsigned threads = 4, Patience patience = {})
        : socket_(settingsFor("unix:" + path)),
          server_(socket_, threads, proxies_, random_, log_, patience) {
        addRoutes();
        finished_ = std::async(std::launch::async, [this] {
            server_.run([this] {
                return Handler{.answer =
                                   [this](Request& request) {
                                       return answer(router_, request, cors_, sentences_, clock_, log_, metrics_);
                                   },
                               .needsBody = [this](const Request& request) { return router_.needsBody(request); }};
            });
        });
    }
    ~RunningServer() {
        server_.stop();
        finished_.wait();
        close(logFile_);
    }
    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;

    void stop() { server_.stop(); }
    bool answers(std::chrono::milliseconds patience) const { return server_.answers(patience); }
    bool endsWithin(std::chrono::seconds limit) { return finished_.wait_for(limit) == std::future_status::ready; }
    void waitUntilInFlight() { inFlight_.get_future().wait(); }
    void release() { released_.set_value(); }

private:
    void addRoutes() {
        router_.add("GET", "/hello", [](const Request&) { return Response{200, "hello", "text/plain", {}}; });
        router_.add("POST", "/echo", [](const Request& request) {
            return Response{200, request.body, "text/plain", {}};
        });
        router_.add("GET", "/throw", [](const Request&) -> Response { throw std::runtime_error("secret"); });
        router_.add("GET", "/big", [](const Request&) {
            return Response{200, std::string(300000, 'x'), "text/plain", {}};
        });
        router_.add("GET", "/wait", [this](const Request&) {
            inFlight_.set_value();
            released_.get_future().wait();
            return Response{200, "waited", "text/plain", {}};
        });
    }

    test::FakeClock clock_;
    test::FakeRandom random_;
    int logFile_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
    Logger log_{LogFormat::Text, LogLevel::Info, clock_, logFile_};
    TrustedProxies proxies_{std::vector<std::string>{}};
    RequestMetrics metrics_{{}};
    Router router_;
    const Cors cors_{{}, "https://login.example.org"};
    const Sentences sentences_{builtInSentences(), "en"};
    std::promise<void> inFlight_;
    std::promise<void> released_;
    ListeningSocket socket_;
    FcgiServer server_;
    std::future<void> finished_;
};

Parameters get(std::string path) {
    return {{"REQUEST_METHOD", "GET"},
            {"REQUEST_URI", std::move(path)},
            {"REMOTE_ADDR", "192.0.2.1"},
            {"REQUEST_ID", "req-1"}};
}

Parameters post(std::string path) {
    Parameters parameters = get(std::move(path));
    parameters["REQUEST_METHOD"] = "POST";
    parameters["CONTENT_TYPE"] = "application/json";
    return parameters;
}

std::string refusalOf(const ServerSettings& settings) {
    try {
        const ListeningSocket socket(settings);
        return "listening";
    } catch (const ConfigurationError& error) {
        return error.what();
    }
}

std::string refusalOf(const std::string& listen) {
    return refusalOf(settingsFor(listen));
}

// A socket file that nobody answers on, as a killed process leaves it.
void leaveStaleSocket(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = unixAddress(path);
    CPPUNIT_ASSERT_EQUAL(0, bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    CPPUNIT_ASSERT_EQUAL(0, listen(fd, 1));
    close(fd);
}

bool isSocketFile(const std::string& path) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

class FcgiServerTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(FcgiServerTest);
    CPPUNIT_TEST(answersARequest);
    CPPUNIT_TEST(passesTheBodyOn);
    CPPUNIT_TEST(answersHeadWithoutABody);
    CPPUNIT_TEST(writesAnswersOfManyRecords);
    CPPUNIT_TEST(answersManyClientsAtOnce);
    CPPUNIT_TEST(answers413WithoutKeepingTheBody);
    CPPUNIT_TEST(prefers404To413);
    CPPUNIT_TEST(answers400ToABodyThatIsTooShort);
    CPPUNIT_TEST(answers400ToAContentLengthThatIsNoNumber);
    CPPUNIT_TEST(answers404ToAPathThatCannotBeDecoded);
    CPPUNIT_TEST(answers500WhenAnEndpointThrows);
    CPPUNIT_TEST(survivesAHandlerThatThrows);
    CPPUNIT_TEST(survivesGarbageAndHangUps);
    CPPUNIT_TEST(servesSeveralRequestsOnAKeptConnection);
    CPPUNIT_TEST(servesOnAfterALargeBodyOnAKeptConnection);
    CPPUNIT_TEST(answersARefusalBeforeTheBodyHasCome);
    CPPUNIT_TEST(endsItsAnswerWhileTheBodyIsStillBeingSent);
    CPPUNIT_TEST(answersWhenAsMuchOfTheBodyIsThereAsItSaid);
    CPPUNIT_TEST(readsABodyInChunksToItsEnd);
    CPPUNIT_TEST(answers413ToABodyInChunksThatDoesNotEnd);
    CPPUNIT_TEST(givesSilentConnectionsNoThread);
    CPPUNIT_TEST(givesUnfinishedRequestsNoThread);
    CPPUNIT_TEST(givesThoseWhoDoNotReadNoThread);
    CPPUNIT_TEST(endsWhoeverIsTooSlow);
    CPPUNIT_TEST(readsARequestByteByByte);
    CPPUNIT_TEST(servesWhatCameTogetherOnAKeptConnection);
    CPPUNIT_TEST(saysWhatItIsAskedInManagementRecords);
    CPPUNIT_TEST(stopsWhenIdle);
    CPPUNIT_TEST(stopsBeforeItRuns);
    CPPUNIT_TEST(answersWhatIsInFlightWhenItStops);
    CPPUNIT_TEST(answersWhatHasBegunToArriveWhenItStops);
    CPPUNIT_TEST(answersWhatNobodyHasAcceptedWhenItStops);
    CPPUNIT_TEST(stopsWithAnIdleKeptConnection);
    CPPUNIT_TEST(leavesAnInheritedSocketUsable);
    CPPUNIT_TEST(handsItsSocketOver);
    CPPUNIT_TEST(takesNothingBeforeEachThreadCan);
    CPPUNIT_TEST(saysWhetherItAnswers);
    CPPUNIT_TEST(usesTheSocketOfThatPathThatSystemdHasOpened);
    CPPUNIT_TEST(takesTheSocketInThePlaceOfTheInputWhateverIsSet);
    CPPUNIT_TEST(passesOnWhatAFactoryThrows);
    CPPUNIT_TEST(leavesSignalsToTheCaller);
    CPPUNIT_TEST(recoversFromRunningOutOfFileDescriptors);
    CPPUNIT_TEST(closesWhoHasBeenIdleLongestWhereDescriptorsGetScarce);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override { path_ = directory_.path("socket"); }

    void answersARequest() {
        RunningServer server(path_);
        const std::string expected =
            "Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Request-Id: req-1\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\r\nhello";
        CPPUNIT_ASSERT_EQUAL(expected, WebServer(path_).exchange(get("/hello?x=1")));
        CPPUNIT_ASSERT_EQUAL(expected, WebServer(path_).exchange(get("/hello/")));
    }

    void passesTheBodyOn() {
        RunningServer server(path_);
        const std::string body(kMaxBodyBytes, 'b');
        CPPUNIT_ASSERT(WebServer(path_).exchange(post("/echo"), body).ends_with("\r\n\r\n" + body));
        CPPUNIT_ASSERT(
            WebServer(path_).exchange(post("/echo"), "").ends_with("Content-Length: 0\r\n" + commonHeaders() + "\r\n"));
    }

    void answersHeadWithoutABody() {
        RunningServer server(path_);
        Parameters parameters = get("/hello");
        parameters["REQUEST_METHOD"] = "HEAD";
        const std::string answer = WebServer(path_).exchange(parameters);
        CPPUNIT_ASSERT(test::contains(answer, "Content-Length: 5\r\n"));
        CPPUNIT_ASSERT(answer.ends_with("\r\n\r\n"));
    }

    void writesAnswersOfManyRecords() {
        RunningServer server(path_);
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/big")).ends_with("\r\n\r\n" + std::string(300000, 'x')));
    }

    void answersManyClientsAtOnce() {
        RunningServer server(path_);
        std::vector<std::future<int>> clients;
        clients.reserve(8);
        for (int i = 0; i < 8; ++i) {
            clients.push_back(std::async(std::launch::async, [this, i] {
                int answered = 0;
                for (int n = 0; n < 50; ++n) {
                    const std::string body = "client " + std::to_string(i) + " request " + std::to_string(n);
                    if (WebServer(path_).exchange(post("/echo"), body).ends_with("\r\n\r\n" + body)) ++answered;
                }
                return answered;
            }));
        }
        for (auto& client : clients) CPPUNIT_ASSERT_EQUAL(50, client.get());
    }

    void answers413WithoutKeepingTheBody() {
        RunningServer server(path_);
        const std::string answer = exchangeLarge("/echo");
        CPPUNIT_ASSERT(answer.starts_with("Status: 413 "));
        CPPUNIT_ASSERT(test::contains(answer, "Content-Type: application/problem+json\r\n"));
        CPPUNIT_ASSERT(test::contains(answer, R"("code":"PAYLOAD_TOO_LARGE")"));
        CPPUNIT_ASSERT(test::contains(answer, commonHeaders()));
        CPPUNIT_ASSERT(
            WebServer(path_).exchange(post("/echo"), std::string(kMaxBodyBytes + 1, 'b')).starts_with("Status: 413 "));
    }

    void prefers404To413() {
        RunningServer server(path_);
        CPPUNIT_ASSERT(exchangeLarge("/unknown").starts_with("Status: 404 "));
        CPPUNIT_ASSERT(exchangeLarge("/hello").starts_with("Status: 405 "));
    }

    void answers400ToABodyThatIsTooShort() {
        RunningServer server(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "100";
        const std::string answer = WebServer(path_).exchange(parameters, "{}");
        CPPUNIT_ASSERT(answer.starts_with("Status: 400 "));
        CPPUNIT_ASSERT(test::contains(answer, R"("code":"MALFORMED_JSON")"));
    }

    void answers400ToAContentLengthThatIsNoNumber() {
        RunningServer server(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "2x";
        CPPUNIT_ASSERT(WebServer(path_).exchange(parameters, "{}").starts_with("Status: 400 "));
    }

    void answers404ToAPathThatCannotBeDecoded() {
        RunningServer server(path_);
        for (const char* path : {"/hello%00", "/%ff", "*", "/hello%0d%0aX:%20y"}) {
            const std::string answer = WebServer(path_).exchange(get(path));
            CPPUNIT_ASSERT_MESSAGE(path, answer.starts_with("Status: 404 "));
            CPPUNIT_ASSERT_MESSAGE(path, test::contains(answer, commonHeaders()));
        }
    }

    void answers500WhenAnEndpointThrows() {
        RunningServer server(path_);
        const std::string answer = WebServer(path_).exchange(get("/throw"));
        CPPUNIT_ASSERT(answer.starts_with("Status: 500 "));
        CPPUNIT_ASSERT(!test::contains(answer, "secret"));
    }

    void survivesAHandlerThatThrows() {
        const ListeningSocket socket(settingsFor("unix:" + path_));
        FcgiServer server(socket, 1, proxies_, random_, log_);
        auto run = std::async(std::launch::async, [&] {
            server.run(
                [] { return Handler{.answer = [](Request&) -> Response { throw std::runtime_error("secret"); }}; });
        });
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/")).starts_with("Status: 500 "));
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/")).starts_with("Status: 500 "));
        server.stop();
    }

    void survivesGarbageAndHangUps() {
        RunningServer server(path_, 1);
        { WebServer silent(path_); }
        {
            WebServer unfinished(path_);
            Parameters parameters = post("/echo");
            parameters["CONTENT_LENGTH"] = "100";
            unfinished.begin(parameters);
            unfinished.sendBody("{");
        }
        {
            WebServer impatient(path_);
            impatient.begin(get("/big"));
            impatient.endBody();
        }
        {
            const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_un address = unixAddress(path_);
            CPPUNIT_ASSERT_EQUAL(0, connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
            CPPUNIT_ASSERT_EQUAL(ssize_t{18}, ::send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL));
            close(fd);
        }
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
    }

    void servesSeveralRequestsOnAKeptConnection() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        for (int i = 0; i < 5; ++i) {
            CPPUNIT_ASSERT(web.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
            CPPUNIT_ASSERT(web.exchange(post("/echo"), "abc", KeepConnection::Yes).ends_with("abc"));
        }
        CPPUNIT_ASSERT(web.exchange(get("/hello")).ends_with("hello"));
        CPPUNIT_ASSERT(web.isClosedByPeer());
    }

    void servesOnAfterALargeBodyOnAKeptConnection() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        CPPUNIT_ASSERT(
            web.exchange(post("/echo"), std::string(60000, 'b'), KeepConnection::Yes).starts_with("Status: 413 "));
        CPPUNIT_ASSERT(web.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
    }

    void answersARefusalBeforeTheBodyHasCome() {
        RunningServer server(path_, 1);
        for (const auto& [path, bytes, status] :
             {std::tuple{"/unknown", "10", "404"}, std::tuple{"/hello", "10", "405"},
              std::tuple{"/echo", "99999", "413"}, std::tuple{"/echo", "x", "400"}}) {
            WebServer web(path_);
            Parameters parameters = post(path);
            parameters["CONTENT_LENGTH"] = bytes;
            web.begin(parameters);
            CPPUNIT_ASSERT_MESSAGE(status, test::contains(web.readAnswer(), std::string{"Status: "} + status));
            // The rest may be sent all the same.
            CPPUNIT_ASSERT(web.sendBody(std::string(60000, 'x')));
            web.endBody();
            CPPUNIT_ASSERT(web.isClosedByPeer());
        }
    }

    // nginx, once it is told, sends no more of what the socket did not take, and waits for the end.
    void endsItsAnswerWhileTheBodyIsStillBeingSent() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "250000";
        web.begin(parameters);
        web.sendBody(std::string(60000, 'x'));
        CPPUNIT_ASSERT(web.readAnswer().starts_with("Status: 413 "));
        CPPUNIT_ASSERT(web.isClosedByPeer());
        // What is under way is still taken, so that no reset overtakes the answer.
        CPPUNIT_ASSERT(web.sendBody(std::string(60000, 'x')));
        web.endBody();
    }

    void answersWhenAsMuchOfTheBodyIsThereAsItSaid() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "3";
        web.begin(parameters);
        web.sendBody("abcdef");
        CPPUNIT_ASSERT(web.readAnswer().ends_with("\r\n\r\nabc"));
    }

    // As Apache passes them on.
    void readsABodyInChunksToItsEnd() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        Parameters parameters = post("/echo");
        parameters["HTTP_TRANSFER_ENCODING"] = "chunked";
        web.begin(parameters);
        web.sendBody("abc");
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        web.sendBody("def");
        web.endBody();
        CPPUNIT_ASSERT(web.readAnswer().ends_with("\r\n\r\nabcdef"));
        // A length that is there counts.
        CPPUNIT_ASSERT(WebServer(path_).exchange(parameters, "abc").ends_with("\r\n\r\nabc"));
    }

    void answers413ToABodyInChunksThatDoesNotEnd() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        Parameters parameters = post("/echo");
        parameters["HTTP_TRANSFER_ENCODING"] = "chunked";
        web.begin(parameters);
        web.sendBody(std::string(kMaxBodyBytes, 'x'));
        web.sendBody("x");
        CPPUNIT_ASSERT(web.readAnswer().starts_with("Status: 413 "));
    }

    void givesSilentConnectionsNoThread() {
        RunningServer server(path_, 1);
        const std::array<WebServer, 3> silent{WebServer(path_), WebServer(path_), WebServer(path_)};
        WebServer kept(path_);
        CPPUNIT_ASSERT(kept.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        CPPUNIT_ASSERT(kept.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
    }

    void givesUnfinishedRequestsNoThread() {
        RunningServer server(path_, 1);
        WebServer inItsHeader(path_);
        inItsHeader.send(std::string{"\1\1\0", 3});
        WebServer inItsBody(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "6";
        inItsBody.begin(parameters);
        inItsBody.sendBody("abc");
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        inItsBody.sendBody("def");
        CPPUNIT_ASSERT(inItsBody.readAnswer().ends_with("\r\n\r\nabcdef"));
    }

    void givesThoseWhoDoNotReadNoThread() {
        RunningServer server(path_, 1);
        WebServer lazy(path_);
        lazy.begin(get("/big"));
        lazy.endBody();
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        CPPUNIT_ASSERT(lazy.readAnswer().ends_with("\r\n\r\n" + std::string(300000, 'x')));
    }

    void endsWhoeverIsTooSlow() {
        RunningServer server(path_, 1, {.request = 500ms, .idle = 500ms});
        WebServer silent(path_);
        WebServer slow(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "10000";
        slow.begin(parameters);
        WebServer lazy(path_);
        lazy.begin(get("/big"));
        lazy.endBody();
        WebServer kept(path_);
        CPPUNIT_ASSERT(kept.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        const auto begin = std::chrono::steady_clock::now();
        while (slow.sendBody("x")) std::this_thread::sleep_for(20ms);  // no byte buys more time
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - begin < 4s);
        CPPUNIT_ASSERT(silent.isClosedByPeer());
        CPPUNIT_ASSERT(kept.isClosedByPeer());
        CPPUNIT_ASSERT_EQUAL(std::string{}, lazy.readAnswer());
    }

    void readsARequestByteByByte() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        for (const char byte : WebServer::bytesOf(get("/hello"), "", KeepConnection::No)) web.send({byte});
        CPPUNIT_ASSERT(web.readAnswer().ends_with("hello"));
    }

    void servesWhatCameTogetherOnAKeptConnection() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        std::string bytes;
        for (int i = 0; i < 30; ++i) bytes += WebServer::bytesOf(get("/hello"), "", KeepConnection::Yes);
        web.send(bytes);
        for (int i = 0; i < 30; ++i) CPPUNIT_ASSERT(web.readAnswer().ends_with("hello"));
    }

    void saysWhatItIsAskedInManagementRecords() {
        RunningServer server(path_, 1);
        WebServer web(path_);
        // FCGI_GET_VALUES for FCGI_MPXS_CONNS, and a record of a type that there is not.
        web.send(std::string{"\1\x9\0\0\0\x11\0\0\xf\0FCGI_MPXS_CONNS", 25} + std::string{"\1\x63\0\0\0\0\0\0", 8});
        CPPUNIT_ASSERT_EQUAL(std::string("\1\xa\0\0\0\x12\0\0\xf\1FCGI_MPXS_CONNS0", 26), web.readExactly(26));
        CPPUNIT_ASSERT_EQUAL(std::string("\1\xb\0\0\0\x8\0\0\x63\0\0\0\0\0\0\0", 16), web.readExactly(16));
        CPPUNIT_ASSERT(web.exchange(get("/hello")).ends_with("hello"));
    }

    void stopsWhenIdle() {
        RunningServer server(path_);
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        server.stop();
        CPPUNIT_ASSERT(server.endsWithin(5s));
    }

    void stopsBeforeItRuns() {
        const ListeningSocket socket(settingsFor("unix:" + path_));
        FcgiServer server(socket, 2, proxies_, random_, log_);
        server.stop();
        server.run([] { return Handler{.answer = [](Request&) { return Response{}; }}; });
    }

    void answersWhatIsInFlightWhenItStops() {
        RunningServer server(path_, 2);
        WebServer web(path_);
        web.begin(get("/wait"));
        web.endBody();
        server.waitUntilInFlight();
        server.stop();
        CPPUNIT_ASSERT(!server.endsWithin(0s));
        server.release();
        CPPUNIT_ASSERT(web.readAnswer().ends_with("waited"));
        CPPUNIT_ASSERT(server.endsWithin(5s));
    }

    void answersWhatHasBegunToArriveWhenItStops() {
        RunningServer server(path_, 2);
        WebServer web(path_);
        Parameters parameters = post("/echo");
        parameters["CONTENT_LENGTH"] = "6";
        web.begin(parameters);
        web.sendBody("abc");
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        server.stop();
        web.sendBody("def");
        CPPUNIT_ASSERT(web.readAnswer().ends_with("\r\n\r\nabcdef"));
        CPPUNIT_ASSERT(server.endsWithin(5s));
    }

    // A web server that was let in sends its request to nobody else.
    void answersWhatNobodyHasAcceptedWhenItStops() {
        RunningServer server(path_, 1);
        WebServer busy(path_);
        busy.begin(get("/wait"));
        busy.endBody();
        server.waitUntilInFlight();
        WebServer early(path_);
        early.begin(get("/hello"));
        early.endBody();
        WebServer late(path_);  // and sends a little later
        server.stop();
        // Nobody else is let in, and the next process may have its socket here.
        CPPUNIT_ASSERT(!std::filesystem::exists(path_));
        server.release();
        CPPUNIT_ASSERT(early.readAnswer().ends_with("hello"));
        late.begin(get("/hello"));
        late.endBody();
        CPPUNIT_ASSERT(late.readAnswer().ends_with("hello"));
        CPPUNIT_ASSERT(server.endsWithin(5s));
    }

    void stopsWithAnIdleKeptConnection() {
        RunningServer server(path_, 2);
        WebServer web(path_);
        CPPUNIT_ASSERT(web.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        server.stop();
        CPPUNIT_ASSERT(server.endsWithin(5s));
        CPPUNIT_ASSERT(web.isClosedByPeer());
    }

    // What a restart under systemd, or of one of several processes, asks for: the next one takes over the queue.
    void leavesAnInheritedSocketUsable() {
        const ListeningSocket ours(settingsFor("unix:" + path_));
        const StandardInput standardInput(ours.fileDescriptor());
        const ListeningSocket socket(settingsFor("fd:0"));
        const HandlerFactory hello = [] {
            return Handler{.answer = [](Request&) { return Response{200, "hello", "text/plain", {}}; }};
        };
        {
            FcgiServer first(socket, 2, proxies_, random_, log_);
            auto run = std::async(std::launch::async, [&] { first.run(hello); });
            CPPUNIT_ASSERT(WebServer(path_).exchange(get("/")).ends_with("hello"));
            first.stop();
        }
        WebServer waiting(path_);
        waiting.begin(get("/"));
        waiting.endBody();
        FcgiServer second(socket, 2, proxies_, random_, log_);
        auto run = std::async(std::launch::async, [&] { second.run(hello); });
        CPPUNIT_ASSERT(waiting.readAnswer().ends_with("hello"));
        second.stop();
    }

    // What new settings ask for: the socket is ours, and so is who answers on it next.
    void handsItsSocketOver() {
        const ListeningSocket socket(settingsFor("unix:" + path_));
        const auto saying = [](const std::string& text) {
            return [text] {
                return Handler{.answer = [text](Request&) { return Response{200, text, "text/plain", {}}; }};
            };
        };
        FcgiServer first(socket, 2, proxies_, random_, log_);
        auto firstRun = std::async(std::launch::async, [&] { first.run(saying("first")); });
        CPPUNIT_ASSERT(first.waitUntilReady());
        WebServer begun(path_);
        begun.begin(get("/"));
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/")).ends_with("first"));
        FcgiServer second(socket, 2, proxies_, random_, log_);
        auto secondRun = std::async(std::launch::async, [&] { second.run(saying("second")); });
        CPPUNIT_ASSERT(second.waitUntilReady());
        first.handOver();
        begun.endBody();
        CPPUNIT_ASSERT(begun.readAnswer().ends_with("first"));
        firstRun.get();
        CPPUNIT_ASSERT(isSocketFile(path_));
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/")).ends_with("second"));
        second.stop();
        CPPUNIT_ASSERT(!isSocketFile(path_));
    }

    void takesNothingBeforeEachThreadCan() {
        const ListeningSocket socket(settingsFor("unix:" + path_));
        FcgiServer server(socket, 2, proxies_, random_, log_);
        std::promise<void> mayFail;
        std::atomic<int> calls = 0;
        std::atomic<int> requests = 0;
        auto run = std::async(std::launch::async, [&] {
            server.run([&]() -> Handler {
                if (++calls == 2) {
                    mayFail.get_future().wait();
                    throw ServiceUnavailable("no database");
                }
                return {.answer = [&](Request&) {
                    ++requests;
                    return Response{};
                }};
            });
        });
        WebServer early(path_);
        early.begin(get("/"));
        early.endBody();
        std::this_thread::sleep_for(50ms);
        mayFail.set_value();
        CPPUNIT_ASSERT(!server.waitUntilReady());
        CPPUNIT_ASSERT_THROW(run.get(), ServiceUnavailable);
        CPPUNIT_ASSERT_EQUAL(0, requests.load());
        // It waits for whoever answers here next.
        FcgiServer next(socket, 1, proxies_, random_, log_);
        auto nextRun = std::async(std::launch::async, [&] {
            next.run([] {
                return Handler{.answer = [](Request&) { return Response{200, "next", "text/plain", {}}; }};
            });
        });
        CPPUNIT_ASSERT(early.readAnswer().ends_with("next"));
        next.stop();
    }

    void saysWhetherItAnswers() {
        RunningServer server(path_, 1);
        CPPUNIT_ASSERT(server.answers(10s));
        WebServer web(path_);
        web.begin(get("/wait"));
        web.endBody();
        server.waitUntilInFlight();
        CPPUNIT_ASSERT(!server.answers(50ms));
        server.release();
        CPPUNIT_ASSERT(server.answers(10s));
    }

    void usesTheSocketOfThatPathThatSystemdHasOpened() {
        const ListeningSocket systemds(settingsFor("unix:" + path_));
        const int third = dup(3);  // whatever it is
        dup2(systemds.fileDescriptor(), 3);
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
        const std::string other = path_ + ".other";
        {
            const ListeningSocket socket(settingsFor("unix:" + path_));
            CPPUNIT_ASSERT_EQUAL(3, socket.fileDescriptor());
            CPPUNIT_ASSERT(!socket.closeDoor());
            CPPUNIT_ASSERT(!socket.isBesideSystemds());
            const ListeningSocket beside(settingsFor("unix:" + other));
            CPPUNIT_ASSERT(beside.isBesideSystemds());
        }
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_PID");
        if (third >= 0) dup2(third, 3);
        if (third >= 0) close(third);
        CPPUNIT_ASSERT(isSocketFile(path_));
        CPPUNIT_ASSERT(!isSocketFile(other));
    }

    // mod_fcgid starts programs so, and waits at that socket.
    void takesTheSocketInThePlaceOfTheInputWhateverIsSet() {
        const ListeningSocket ours(settingsFor("unix:" + path_));
        const StandardInput standardInput(ours.fileDescriptor());
        const ListeningSocket socket(settingsFor("unix:" + path_ + ".other"));
        CPPUNIT_ASSERT_EQUAL(0, socket.fileDescriptor());
        CPPUNIT_ASSERT(!std::filesystem::exists(path_ + ".other"));
    }

    void passesOnWhatAFactoryThrows() {
        const ListeningSocket socket(settingsFor("unix:" + path_));
        FcgiServer server(socket, 3, proxies_, random_, log_);
        std::atomic<int> calls = 0;
        const HandlerFactory factory = [&calls]() -> Handler {
            if (++calls == 2) throw ServiceUnavailable("no database");
            return {.answer = [](Request&) { return Response{}; }};
        };
        CPPUNIT_ASSERT_THROW(server.run(factory), ServiceUnavailable);
    }

    void leavesSignalsToTheCaller() {
        { RunningServer server(path_); }
        struct sigaction action {};
        sigaction(SIGTERM, nullptr, &action);
        CPPUNIT_ASSERT(action.sa_handler == SIG_DFL);
        sigaction(SIGUSR1, nullptr, &action);
        CPPUNIT_ASSERT(action.sa_handler == SIG_DFL);
        sigaction(SIGPIPE, nullptr, &action);
        CPPUNIT_ASSERT(action.sa_handler == SIG_IGN);
    }

    void recoversFromRunningOutOfFileDescriptors() {
        RunningServer server(path_, 2);
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        std::this_thread::sleep_for(100ms);  // the server's end of it is closed by then
        {
            // One more may be opened: the client's own. Its connection waits at the socket, and nobody can accept it.
            const DescriptorLimit limit(lowestFreeDescriptor() + 1);
            WebServer web(path_);
            web.begin(get("/hello"));
            web.endBody();
            CPPUNIT_ASSERT(!web.hasAnswer(150ms));
            limit.lift();
            CPPUNIT_ASSERT(web.readAnswer().ends_with("hello"));
        }
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
    }

    void closesWhoHasBeenIdleLongestWhereDescriptorsGetScarce() {
        const unsigned places = lowestFreeDescriptor() + 20;  // half of the descriptors
        auto limit = std::make_unique<DescriptorLimit>(2 * places);
        RunningServer server(path_, 2);
        CPPUNIT_ASSERT(WebServer(path_).exchange(get("/hello")).ends_with("hello"));
        limit.reset();
        // Whoever is in the middle of a request is closer to his deadline than any of the others, and stays.
        WebServer busy(path_);
        busy.begin(post("/echo"));
        std::deque<WebServer> idle;
        for (unsigned i = 1; i < places; ++i) {
            CPPUNIT_ASSERT(
                idle.emplace_back(path_).exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        }
        CPPUNIT_ASSERT(!idle.front().hasAnswer(50ms));
        WebServer last(path_);
        CPPUNIT_ASSERT(last.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        CPPUNIT_ASSERT(idle.front().isClosedByPeer());
        CPPUNIT_ASSERT(idle.at(1).exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        CPPUNIT_ASSERT(last.exchange(get("/hello"), "", KeepConnection::Yes).ends_with("hello"));
        busy.endBody();
        CPPUNIT_ASSERT(test::contains(busy.readAnswer(), "200"));
    }

private:
    static std::string commonHeaders() {
        return "X-Request-Id: req-1\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
               "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
    }

    // 10 MiB, sent as the web server does: while we may answer already.
    std::string exchangeLarge(const std::string& path) {
        constexpr std::size_t kPart = 65528;
        constexpr std::size_t kParts = 160;
        WebServer web(path_);
        Parameters parameters = post(path);
        parameters["CONTENT_LENGTH"] = std::to_string(kPart * kParts);
        web.begin(parameters);
        const std::string part(kPart, 'x');
        for (std::size_t i = 0; i < kParts; ++i) CPPUNIT_ASSERT(web.sendBody(part));
        web.endBody();
        return web.readAnswer();
    }

    test::TemporaryDirectory directory_;
    std::string path_;
    test::FakeClock clock_;
    test::FakeRandom random_;
    TrustedProxies proxies_{std::vector<std::string>{}};
    Logger log_{LogFormat::Text, LogLevel::Error, clock_, -1};
};

CPPUNIT_TEST_SUITE_REGISTRATION(FcgiServerTest);

class ListeningSocketTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ListeningSocketTest);
    CPPUNIT_TEST(givesTheSocketItsModeWhateverTheUmask);
    CPPUNIT_TEST(removesTheFileAtTheEnd);
    CPPUNIT_TEST(replacesAStaleSocket);
    CPPUNIT_TEST(refusesASocketThatAnswers);
    CPPUNIT_TEST(neverReplacesAnotherFile);
    CPPUNIT_TEST(keepsTheFileOfASuccessor);
    CPPUNIT_TEST(keepsTheFileWhenAForkedChildEnds);
    CPPUNIT_TEST(givesTheSocketToAGroup);
    CPPUNIT_TEST(namesWhatIsWrong);
    CPPUNIT_TEST(listensOnIpv4AndIpv6);
    CPPUNIT_TEST(namesAPortInUse);
    CPPUNIT_TEST(refusesAnInheritedFileThatDoesNotListen);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        path_ = directory_.path("socket");
        settings_.listen = "unix:" + path_;
    }

    void givesTheSocketItsModeWhateverTheUmask() {
        for (const mode_t mask : {mode_t{0}, mode_t{0077}, mode_t{0777}}) {
            const mode_t before = umask(mask);
            const ListeningSocket socket(settings_);
            umask(before);
            struct stat status {};
            CPPUNIT_ASSERT_EQUAL(0, stat(path_.c_str(), &status));
            CPPUNIT_ASSERT_EQUAL(mode_t{0660}, mode_t{status.st_mode & 0777U});
        }
    }

    void removesTheFileAtTheEnd() {
        {
            const ListeningSocket socket(settings_);
            CPPUNIT_ASSERT(isSocketFile(path_));
        }
        CPPUNIT_ASSERT(!isSocketFile(path_));
    }

    void replacesAStaleSocket() {
        leaveStaleSocket(path_);
        CPPUNIT_ASSERT(isSocketFile(path_));
        const ListeningSocket socket(settings_);
        const WebServer web(path_);
    }

    void refusesASocketThatAnswers() {
        const ListeningSocket socket(settings_);
        CPPUNIT_ASSERT_EQUAL("server.listen: cannot listen on unix:" + path_ + ": another process answers there",
                             refusalOf(settings_));
        CPPUNIT_ASSERT(isSocketFile(path_));
    }

    void neverReplacesAnotherFile() {
        directory_.write("socket", "precious");
        CPPUNIT_ASSERT(test::contains(refusalOf(settings_), "is not a socket"));
        CPPUNIT_ASSERT_EQUAL(std::string{"precious"}, directory_.read("socket"));
    }

    void keepsTheFileOfASuccessor() {
        auto socket = std::make_unique<ListeningSocket>(settings_);
        unlink(path_.c_str());
        leaveStaleSocket(path_);
        socket.reset();
        CPPUNIT_ASSERT(isSocketFile(path_));
    }

    void keepsTheFileWhenAForkedChildEnds() {
        auto socket = std::make_unique<ListeningSocket>(settings_);
        const pid_t child = fork();
        if (child == 0) {
            socket.reset();
            _exit(0);
        }
        CPPUNIT_ASSERT_EQUAL(child, waitpid(child, nullptr, 0));
        CPPUNIT_ASSERT(isSocketFile(path_));
    }

    void givesTheSocketToAGroup() {
        settings_.socketGroup = "no-such-group";
        CPPUNIT_ASSERT(test::contains(refusalOf(settings_), "there is no group no-such-group"));
    }

    void namesWhatIsWrong() {
        CPPUNIT_ASSERT_EQUAL(
            std::string{"server.listen: cannot listen on unix:/no/such/dir/x: No such file or directory"},
            refusalOf("unix:/no/such/dir/x"));
        CPPUNIT_ASSERT(test::contains(refusalOf("unix:"), "a path is missing"));
        CPPUNIT_ASSERT(test::contains(refusalOf("unix:/" + std::string(200, 'x')), "too long"));
        for (const char* listen : {"", "x", ":9000", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:9x",
                                   "127.0.0.1:+1", "fd:7"}) {
            CPPUNIT_ASSERT_MESSAGE(
                listen, test::contains(refusalOf(listen), "it is not unix:PATH, HOST:PORT, fd:0 or systemd"));
        }
        CPPUNIT_ASSERT(test::contains(refusalOf("no.such.host.invalid:9000"),
                                      "server.listen: cannot listen on no.such.host.invalid:9000: "));
        CPPUNIT_ASSERT(test::contains(refusalOf("systemd"), "systemd passed no socket"));
    }

    void listensOnIpv4AndIpv6() {
        CPPUNIT_ASSERT_EQUAL(std::string{"listening"}, refusalOf("127.0.0.1:" + freePort()));
        const int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in6 loopback{};
        loopback.sin6_family = AF_INET6;
        loopback.sin6_addr = in6addr_loopback;
        const bool hasIpv6 = bind(six, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
        close(six);
        const std::string expected = hasIpv6 ? "listening" : "server.listen: cannot listen on ";
        CPPUNIT_ASSERT(refusalOf("[::1]:" + freePort()).starts_with(expected));
    }

    void namesAPortInUse() {
        const std::string listen = "127.0.0.1:" + freePort();
        const ListeningSocket socket(settingsFor(listen));
        CPPUNIT_ASSERT_EQUAL("server.listen: cannot listen on " + listen + ": Address already in use",
                             refusalOf(listen));
    }

    void refusesAnInheritedFileThatDoesNotListen() {
        CPPUNIT_ASSERT(test::contains(refusalOf("fd:0"), "file descriptor 0 is not a listening socket"));
    }

private:
    static std::string freePort() {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        CPPUNIT_ASSERT_EQUAL(0, bind(fd, reinterpret_cast<const sockaddr*>(&address), size));
        CPPUNIT_ASSERT_EQUAL(0, getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
        close(fd);
        return std::to_string(ntohs(address.sin_port));
    }

    test::TemporaryDirectory directory_;
    std::string path_;
    ServerSettings settings_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ListeningSocketTest);

}  // namespace http_fcgi_server_test
}  // namespace otpgate::http
