#include "otpgate/http/fcgi_server.h"

#include "http/cgi.h"
#include "http/descriptor.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <fcgiapp.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <mutex>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace otpgate::http {

namespace {

constexpr std::chrono::milliseconds kAcceptBackOff{100};
// A body that is too large is read to its end all the same, so that the web server gets to read our answer; beyond
// this, a cut connection is answer enough.
constexpr std::size_t kMaxDrainBytes = 16 * 1024 * 1024;

[[noreturn]] void throwErrno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int orThrow(int descriptor, const char* what) {
    if (descriptor < 0) throwErrno(what);
    return descriptor;
}

// libfcgi takes SIGTERM and SIGUSR1 for itself when it finds them unused. They are the caller's, so they are put back.
void initLibrary() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction terminate {};
        struct sigaction user {};
        sigaction(SIGTERM, nullptr, &terminate);
        sigaction(SIGUSR1, nullptr, &user);
        if (const int error = FCGX_Init(); error != 0) {
            throw std::system_error(error > 0 ? error : EIO, std::generic_category(), "FCGX_Init");
        }
        sigaction(SIGTERM, &terminate, nullptr);
        sigaction(SIGUSR1, &user, nullptr);
        // A web server that went away while it was being answered is an error of write(), no more.
        std::signal(SIGPIPE, SIG_IGN);
    });
}

// A request of libfcgi, with its connection, which is closed at the end.
class Connection {
public:
    explicit Connection(int listeningSocket) { FCGX_InitRequest(&request_, listeningSocket, FCGI_FAIL_ACCEPT_ON_INTR); }
    ~Connection() { FCGX_Free(&request_, 1); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The connection that the web server keeps for its next request, or -1.
    int kept() const { return request_.ipcFd; }
    void drop() { FCGX_Free(&request_, 1); }

    // Takes the next request, and its connection where none is kept: 0, or the number of the error, EAGAIN when there
    // is nothing to accept.
    int accept() { return -FCGX_Accept_r(&request_); }

    const char* const* parameters() const { return request_.envp; }

    std::size_t read(char* to, std::size_t bytes) {
        const int count = FCGX_GetStr(to, static_cast<int>(bytes), request_.in);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }

    // True once the end of the body was seen; what is left of it is thrown away up to the limit.
    bool readToEnd() {
        std::array<char, 8192> trash{};
        for (std::size_t total = 0; total < kMaxDrainBytes;) {
            const std::size_t count = read(trash.data(), trash.size());
            if (count == 0) return true;
            total += count;
        }
        return false;
    }

    void finish(const std::string& answer, bool isReadToEnd) {
        FCGX_PutStr(answer.data(), static_cast<int>(answer.size()), request_.out);
        // Lets the library close the connection at once. Otherwise it first reads until the web server has closed its
        // side: three system calls and a wait for nothing, and no end at all while a large body keeps coming.
        FCGX_Detach(&request_);
        FCGX_Finish_r(&request_);
        if (!isReadToEnd && kept() >= 0) drop();
    }

private:
    FCGX_Request request_{};
};

}  // namespace

struct FcgiServer::State {
    State(int socket, unsigned threads, const TrustedProxies& proxies, Random& randomSource, Logger& logger)
        : listeningSocket(socket),
          threadCount(threads),
          trustedProxies(proxies),
          random(randomSource),
          log(logger),
          stopEvent(orThrow(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

    void stop();
    void worker(const HandlerFactory& makeHandler);
    void serve(Connection& connection, const Handler& handler);
    Response respond(Request& request, const Handler& handler);
    void readBody(Connection& connection, CgiRequest& cgi);
    void waitFor(const Connection& connection, const Descriptor& events);
    void handleAcceptError(int error);

    const int listeningSocket;
    const unsigned threadCount;
    const TrustedProxies& trustedProxies;
    Random& random;
    Logger& log;
    // Readable from stop() on, for ever: whoever waits, for a connection or on a kept one, waits on this too. Neither
    // FCGX_ShutdownPending(), which cannot be taken back, nor shutdown() of a socket that systemd or another process
    // still wants is needed.
    Descriptor stopEvent;
    std::atomic<bool> isStopping = false;
    std::atomic<std::int64_t> nextAcceptWarning = 0;  // in seconds of the steady clock
    std::mutex failureMutex;
    std::exception_ptr failure;
};

void FcgiServer::State::stop() {
    isStopping = true;
    eventfd_write(stopEvent.get(), 1);
}

// A thread's main.
void FcgiServer::State::worker(const HandlerFactory& makeHandler) {
    try {
        const Handler handler = makeHandler();
        // Each thread has an epoll of its own, because EPOLLEXCLUSIVE wakes one thread for a new connection and not
        // all.
        const Descriptor events(orThrow(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
        epoll_event incoming{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {}};
        epoll_event stopping{.events = EPOLLIN, .data = {}};
        if (epoll_ctl(events.get(), EPOLL_CTL_ADD, listeningSocket, &incoming) != 0 ||
            epoll_ctl(events.get(), EPOLL_CTL_ADD, stopEvent.get(), &stopping) != 0) {
            throwErrno("epoll_ctl");
        }
        Connection connection(listeningSocket);
        while (!isStopping) {
            if (connection.kept() >= 0) {
                waitFor(connection, events);
                if (isStopping) break;
            }
            const int error = connection.accept();
            if (error == 0) {
                serve(connection, handler);
            } else if (error == EAGAIN) {
                waitFor(connection, events);
            } else if (error != EINTR && error != ECONNABORTED) {
                handleAcceptError(error);
            }
        }
    } catch (...) {
        const std::lock_guard lock(failureMutex);
        if (!failure) failure = std::current_exception();
        stop();
    }
}

// Returns when there may be something to read or accept, or after stop().
void FcgiServer::State::waitFor(const Connection& connection, const Descriptor& events) {
    if (connection.kept() >= 0) {
        std::array<pollfd, 2> either{{{connection.kept(), POLLIN, 0}, {stopEvent.get(), POLLIN, 0}}};
        poll(either.data(), either.size(), -1);
    } else {
        std::array<epoll_event, 2> ready{};
        epoll_wait(events.get(), ready.data(), static_cast<int>(ready.size()), -1);
    }
}

void FcgiServer::State::handleAcceptError(int error) {
    if (error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP) {
        throw std::system_error(error, std::generic_category(), "accept");
    }
    // Out of file descriptors or memory: the waiting connection stays, so without a pause this would spin.
    using std::chrono::steady_clock;
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

void FcgiServer::State::readBody(Connection& connection, CgiRequest& cgi) {
    Request& request = cgi.request;
    const auto reject = [&request](ErrorCode code, const char* logDetail) {
        if (!request.rejected) request.rejected = Rejection{code, logDetail};
    };
    if (!cgi.bodyBytes) {
        reject(ErrorCode::MalformedJson, "CONTENT_LENGTH is not a number");
    } else if (*cgi.bodyBytes > kMaxBodyBytes) {
        reject(ErrorCode::PayloadTooLarge, "");
    } else if (*cgi.bodyBytes > 0) {
        request.body.resize(static_cast<std::size_t>(*cgi.bodyBytes));
        const std::size_t count = connection.read(request.body.data(), request.body.size());
        if (count < request.body.size()) reject(ErrorCode::MalformedJson, "the body is shorter than CONTENT_LENGTH");
        request.body.resize(count);
    }
}

Response FcgiServer::State::respond(Request& request, const Handler& handler) {
    try {
        return handler(request);
    } catch (const std::exception& error) {
        log.error("unhandled exception", {{"what", error.what()}, {"request_id", request.requestId}});
    } catch (...) {
        log.error("unhandled exception", {{"request_id", request.requestId}});
    }
    return ApiError(ErrorCode::InternalError).toResponse(request.requestId);
}

void FcgiServer::State::serve(Connection& connection, const Handler& handler) {
    try {
        CgiRequest cgi = readCgi(connection.parameters(), trustedProxies, random);
        readBody(connection, cgi);
        // An Authorizer is sent no body at all, so no end of it either (FastCGI 1.0, section 6.3).
        const bool isReadToEnd = cgi.request.role == Role::Authorizer || connection.readToEnd();
        Response response = respond(cgi.request, handler);
        if (cgi.request.role == Role::Authorizer) response = asAuthorizer(std::move(response));
        const BodyMode mode = cgi.request.method == "HEAD" ? BodyMode::HeadersOnly : BodyMode::Whole;
        connection.finish(writeCgi(response, mode), isReadToEnd);
    } catch (const std::exception& error) {  // no memory or no randomness: this request is lost, the thread is not
        connection.drop();
        log.error("request dropped", {{"what", error.what()}});
    }
}

FcgiServer::FcgiServer(const ListeningSocket& socket, unsigned threads, const TrustedProxies& trustedProxies,
                       Random& random, Logger& log)
    : state_(std::make_shared<State>(socket.fileDescriptor(), threads, trustedProxies, random, log)) {}

void FcgiServer::run(const HandlerFactory& makeHandler) {
    initLibrary();
    std::vector<std::thread> threads;
    try {
        for (unsigned i = 0; i < state_->threadCount; ++i) {
            threads.emplace_back([state = state_, &makeHandler] { state->worker(makeHandler); });
        }
    } catch (const std::system_error&) {  // the system allows no more threads
        state_->stop();
        for (std::thread& thread : threads) thread.join();
        throw;
    }
    for (std::thread& thread : threads) thread.join();
    if (state_->failure) std::rethrow_exception(state_->failure);
}

void FcgiServer::stop() {
    state_->stop();
}

}  // namespace otpgate::http
