#include "otpgate/http/fcgi_server.h"

#include "http/cgi.h"
#include "http/connection_park.h"
#include "http/descriptor.h"
#include "http/fcgi_connection.h"
#include "http/fcgi_reader.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <latch>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <vector>

namespace otpgate::http {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAcceptBackOff{100};
// Reads and writes of one connection before others have their turn.
constexpr unsigned kRoundsATurn = 8;
constexpr int kLookAtTheEndMilliseconds = 50;
// FCGI_GET_VALUES for no value: version, type, and no id, no content, no padding.
constexpr std::array<char, 8> kQuestion{1, 9};
// Below are the numbers by which epoll knows other things.
constexpr std::uint64_t kFirstConnection = 16;

// Of a request whose parameters are more than a web server lets through: nobody knows what it wants.
std::string refusalOfTooLarge() {
    Response response;
    response.status = 400;
    response.contentType = "application/problem+json";
    response.body = R"({"type":"about:blank","title":"Bad Request","status":400,"code":"BAD_REQUEST",)"
                    R"("detail":"The header of the request is too large."})";
    return writeCgi(response, BodyMode::Whole);
}

}  // namespace

struct FcgiServer::State {
    State(const ListeningSocket& socket, unsigned threads, const TrustedProxies& proxies, Random& randomSource,
          Logger& logger, Patience patienceOf)
        : door(socket),
          listeningSocket(socket.fileDescriptor()),
          threadCount(threads),
          trustedProxies(proxies),
          random(randomSource),
          log(logger),
          patience(patienceOf),
          stopEvent(orThrow(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
          park(listeningSocket, stopEvent.get()),
          everybodyIsThere(threads),
          threadsLeft(threads) {}

    void stop();
    void leave();
    bool answers(std::chrono::milliseconds within);
    void worker(const HandlerFactory& makeHandler);
    void takeOne(const Handler& handler, FcgiConnection::ReadBuffer& buffer, int milliseconds);
    void finish(const Handler& handler, FcgiConnection::ReadBuffer& buffer);
    int accept();
    int acceptOne();
    void begin(int socket, std::unique_ptr<FcgiConnection> connection, const Handler& handler,
               FcgiConnection::ReadBuffer& buffer);
    void handleAcceptError(int error);

    void attend(std::unique_ptr<FcgiConnection> connection, const Handler& handler, FcgiConnection::ReadBuffer& buffer);
    static bool isOver(const FcgiConnection& connection);
    static bool isBroken(const FcgiConnection& connection);
    void readOn(FcgiConnection& connection, const Handler& handler);
    bool isDecidable(FcgiConnection& connection, const Handler& handler);
    static void takeBody(FcgiReader& reader, CgiRequest& cgi);
    void answer(FcgiConnection& connection, const Handler& handler);
    Response respond(Request& request, const Handler& handler);

    const ListeningSocket& door;
    const int listeningSocket;
    const unsigned threadCount;
    const TrustedProxies& trustedProxies;
    Random& random;
    Logger& log;
    const Patience patience;
    // Readable from stop() on, for ever: whoever waits, waits on this too. shutdown() of a socket that systemd or
    // another process still wants is not needed.
    Descriptor stopEvent;
    ConnectionPark park;
    std::latch everybodyIsThere;  // with a handler, or without one where the run has failed
    std::atomic<bool> isStopping = false;
    std::atomic<bool> isHandedOver = false;
    std::atomic<unsigned> threadsLeft;
    std::atomic<std::uint64_t> nextConnection = kFirstConnection;
    std::atomic<std::int64_t> nextAcceptWarning = 0;  // in seconds of the steady clock
    std::mutex failureMutex;
    std::exception_ptr failure;
};

void FcgiServer::State::stop() {
    door.closeDoor();
    leave();
}

void FcgiServer::State::leave() {
    isStopping = true;
    eventfd_write(stopEvent.get(), 1);
}

// By a connection of our own, which waits for a thread as those of a web server do.
bool FcgiServer::State::answers(std::chrono::milliseconds within) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) return false;
    const Descriptor asking(ends[0]);
    auto connection = std::make_unique<FcgiConnection>(ends[1], nextConnection++);
    connection->deadline = steady_clock::now() + within;
    park.park(std::move(connection), ConnectionPark::WaitFor::Input);
    if (write(asking.get(), kQuestion.data(), kQuestion.size()) != static_cast<ssize_t>(kQuestion.size())) return false;
    pollfd answer{asking.get(), POLLIN, 0};
    char first = 0;
    return poll(&answer, 1, static_cast<int>(within.count())) == 1 && read(asking.get(), &first, 1) == 1;
}

// A thread's main. Nobody takes a request before everybody can: where one cannot, none is lost.
void FcgiServer::State::worker(const HandlerFactory& makeHandler) {
    bool isThere = false;
    try {
        const Handler handler = makeHandler();
        isThere = true;
        everybodyIsThere.arrive_and_wait();
        const auto buffer = std::make_unique<FcgiConnection::ReadBuffer>();
        while (!isStopping) takeOne(handler, *buffer, -1);
        if (--threadsLeft == 0) finish(handler, *buffer);
    } catch (...) {
        {
            const std::lock_guard lock(failureMutex);
            if (!failure) failure = std::current_exception();
        }
        leave();
        if (!isThere) everybodyIsThere.count_down();
    }
}

void FcgiServer::State::takeOne(const Handler& handler, FcgiConnection::ReadBuffer& buffer, int milliseconds) {
    auto [isIncoming, connection, late] = park.next(milliseconds);
    if (!late.empty()) {
        late.clear();
        log.info("connections given up", {{"reason", "too slow, or idle for too long"}});
    }
    begin(isIncoming && !isStopping ? accept() : -1, std::move(connection), handler, buffer);
}

// With a socket that was just accepted, a connection that was, or neither.
void FcgiServer::State::begin(int socket, std::unique_ptr<FcgiConnection> connection, const Handler& handler,
                              FcgiConnection::ReadBuffer& buffer) {
    Descriptor accepted(socket);
    try {
        if (accepted.get() >= 0) {
            connection = std::make_unique<FcgiConnection>(accepted.get(), nextConnection++);
            accepted.release();
            connection->deadline = steady_clock::now() + patience.request;
        }
        if (connection) attend(std::move(connection), handler, buffer);
    } catch (const std::exception& error) {  // no memory or no randomness: this request is lost, the thread is not
        log.error("request dropped", {{"what", error.what()}});
    }
}

// The last thread answers what has begun to arrive, and writes what is half written. A web server that is connected
// counts on us, whether we have accepted it or not: what it has sent, it sends to nobody else.
void FcgiServer::State::finish(const Handler& handler, FcgiConnection::ReadBuffer& buffer) {
    park.forgetStop();
    park.takeIdle();
    if (!isHandedOver && door.closeDoor()) {
        for (int socket = acceptOne(); socket >= 0; socket = acceptOne()) begin(socket, nullptr, handler, buffer);
    }
    park.hurry(steady_clock::now() + patience.stop);
    while (!park.isEmpty()) {
        takeOne(handler, buffer, kLookAtTheEndMilliseconds);
        park.takeIdle();
    }
}

int FcgiServer::State::accept() {
    const int socket = acceptOne();
    park.listen();
    return socket;
}

int FcgiServer::State::acceptOne() {
    const int socket = accept4(listeningSocket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const int error = socket < 0 ? errno : 0;
    if (error != 0 && error != EAGAIN && error != EINTR && error != ECONNABORTED) handleAcceptError(error);
    return socket;
}

void FcgiServer::State::handleAcceptError(int error) {
    if (error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP) {
        throw std::system_error(error, std::generic_category(), "accept");
    }
    // Out of file descriptors or memory: the waiting connection stays, so without a pause this would spin.
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now().time_since_epoch()).count();
    std::int64_t next = nextAcceptWarning;
    if (now >= next && nextAcceptWarning.compare_exchange_strong(next, now + 1)) {
        const std::string reason = std::generic_category().message(error);
        log.warning("cannot accept connections", {{"reason", reason}});
    }
    pollfd stopping{stopEvent.get(), POLLIN, 0};
    poll(&stopping, 1, static_cast<int>(kAcceptBackOff.count()));
}

// Does what can be done for a connection without waiting, and parks it. It is closed by being dropped.
void FcgiServer::State::attend(std::unique_ptr<FcgiConnection> connection, const Handler& handler,
                               FcgiConnection::ReadBuffer& buffer) {
    using Io = FcgiConnection::Io;
    using WaitFor = ConnectionPark::WaitFor;
    WaitFor what = WaitFor::Turn;
    for (unsigned round = 0; round < kRoundsATurn && what == WaitFor::Turn; ++round) {
        const Io written = connection->write();
        if (written == Io::Closed) return;
        if (written == Io::Blocked) {
            what = WaitFor::Output;
            break;
        }
        if (isOver(*connection)) return;
        // nginx passes an answer on at its end. Where the socket did not take all of the body, it then waits for ours.
        if (connection->isLast) connection->endOutput();
        const bool wasIdle = connection->isIdle();
        if (wasIdle) connection->deadline = steady_clock::now() + patience.idle;
        switch (connection->read(buffer)) {
        case Io::Closed: return;
        case Io::Blocked: what = WaitFor::Input; break;
        case Io::Done:
            if (wasIdle) connection->deadline = steady_clock::now() + patience.request;
            if (isBroken(*connection)) return;
            readOn(*connection, handler);
        }
    }
    const auto tooMany = park.makeRoom();
    park.park(std::move(connection), what);
}

// With all output sent.
bool FcgiServer::State::isOver(const FcgiConnection& connection) {
    if (connection.reader.isOver()) return true;
    // Where the rest of a request is still being sent, closing the connection would take our answer away from the web
    // server that has not read it yet. It hangs up itself then, or the deadline comes.
    return connection.isLast && connection.reader.hasSeenEnd();
}

bool FcgiServer::State::isBroken(const FcgiConnection& connection) {
    const FcgiReader::State state = connection.reader.state();
    return state == FcgiReader::State::Broken || (connection.isLast && state != FcgiReader::State::Idle);
}

void FcgiServer::State::readOn(FcgiConnection& connection, const Handler& handler) {
    FcgiReader& reader = connection.reader;
    connection.output() += reader.takeReplies();
    if (reader.state() == FcgiReader::State::TooLarge) {
        appendAnswer(connection.output(), reader.id(), refusalOfTooLarge());
        log.info("request refused", {{"reason", "its parameters are too large"}});
        reader.endRequest();
        connection.isLast = true;
    } else if (isDecidable(connection, handler)) {
        answer(connection, handler);
    }
}

// Whether the request can be answered: all of it is there, as much of its body as it said, or what is missing does not
// matter.
bool FcgiServer::State::isDecidable(FcgiConnection& connection, const Handler& handler) {
    const FcgiReader& reader = connection.reader;
    const bool isComplete = reader.state() == FcgiReader::State::Complete;
    if (!isComplete && reader.state() != FcgiReader::State::Body) return false;
    if (!connection.cgi) {
        connection.cgi = readCgi(reader.variables(), reader.role(), trustedProxies, random);
        const CgiRequest& cgi = *connection.cgi;
        connection.needsBody = !cgi.request.rejected && cgi.bodyBytes && *cgi.bodyBytes <= kMaxBodyBytes &&
                               (isComplete || !handler.needsBody || handler.needsBody(cgi.request));
    }
    if (isComplete || !connection.needsBody) return true;
    if (connection.cgi->isBodyOpen) return reader.hasMoreBody();
    return reader.body().size() >= *connection.cgi->bodyBytes;
}

// Gives the request as much of the body as it was said to have.
void FcgiServer::State::takeBody(FcgiReader& reader, CgiRequest& cgi) {
    Request& request = cgi.request;
    const auto reject = [&request](ErrorCode code, const char* logDetail) {
        if (!request.rejected) request.rejected = Rejection{code, logDetail};
    };
    if (!cgi.bodyBytes) {
        reject(ErrorCode::MalformedJson, "CONTENT_LENGTH is not a number");
    } else if (*cgi.bodyBytes > kMaxBodyBytes || (cgi.isBodyOpen && reader.hasMoreBody())) {
        reject(ErrorCode::PayloadTooLarge, "");
    } else if (cgi.isBodyOpen) {
        request.body = reader.takeBody();
    } else {
        const auto wanted = static_cast<std::size_t>(*cgi.bodyBytes);
        request.body = reader.takeBody();
        if (request.body.size() < wanted && reader.hasSeenEnd()) {
            reject(ErrorCode::MalformedJson, "the body is shorter than CONTENT_LENGTH");
        }
        request.body.resize(std::min(request.body.size(), wanted));
    }
}

void FcgiServer::State::answer(FcgiConnection& connection, const Handler& handler) {
    FcgiReader& reader = connection.reader;
    takeBody(reader, *connection.cgi);
    Request& request = connection.cgi->request;
    const auto begin = steady_clock::now();
    Response response = respond(request, handler);
    connection.deadline += steady_clock::now() - begin;
    if (request.role == Role::Authorizer) {
        response = asAuthorizer(std::move(response), connection.cgi->authorizer);
    }
    const BodyMode mode = request.method == "HEAD" ? BodyMode::HeadersOnly : BodyMode::Whole;
    appendAnswer(connection.output(), reader.id(), writeCgi(response, mode));
    connection.isLast = !reader.keepsConnection() || isStopping;
    connection.hasServed = true;
    connection.cgi.reset();
    reader.endRequest();
}

Response FcgiServer::State::respond(Request& request, const Handler& handler) {
    try {
        return handler.answer(request);
    } catch (const std::exception& error) {
        log.error("unhandled exception", {{"what", error.what()}, {"request_id", request.requestId}});
    } catch (...) {
        log.error("unhandled exception", {{"request_id", request.requestId}});
    }
    return ApiError(ErrorCode::InternalError).toResponse(request.requestId);
}

FcgiServer::FcgiServer(const ListeningSocket& socket, unsigned threads, const TrustedProxies& trustedProxies,
                       Random& random, Logger& log, Patience patience)
    : state_(std::make_shared<State>(socket, threads, trustedProxies, random, log, patience)) {}

void FcgiServer::run(const HandlerFactory& makeHandler) {
    // A server that goes away while we write to it, web server or not, is an error of write(), no more.
    std::signal(SIGPIPE, SIG_IGN);
    std::vector<std::thread> threads;
    try {
        for (unsigned i = 0; i < state_->threadCount; ++i) {
            threads.emplace_back([state = state_, &makeHandler] { state->worker(makeHandler); });
        }
    } catch (const std::system_error&) {  // the system allows no more threads
        state_->leave();
        state_->everybodyIsThere.count_down(static_cast<std::ptrdiff_t>(state_->threadCount - threads.size()));
        for (std::thread& thread : threads) thread.join();
        throw;
    }
    for (std::thread& thread : threads) thread.join();
    if (state_->failure) std::rethrow_exception(state_->failure);
}

bool FcgiServer::waitUntilReady() const {
    state_->everybodyIsThere.wait();
    return !state_->isStopping;
}

bool FcgiServer::answers(std::chrono::milliseconds patience) const {
    return state_->answers(patience);
}

void FcgiServer::stop() {
    state_->stop();
}

void FcgiServer::handOver() {
    state_->isHandedOver = true;
    state_->leave();
}

}  // namespace otpgate::http
