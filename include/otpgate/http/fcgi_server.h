// The FastCGI edge: one listening socket, N threads, a clean stop.
#pragma once

#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/request.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <utility>

namespace otpgate::http {

struct ServerSettings {
    std::string listen = "unix:/run/otpgate/otpgate.sock";  // unix:PATH | HOST:PORT | fd:0 | systemd
    unsigned processes = 1;                                 // that answer there
    unsigned socketMode = 0660;
    std::string socketGroup;  // empty: as created
    unsigned threads = 28;
};

struct Handler {
    std::function<Response(Request&)> answer;
    // Whether the answer depends on the body. Where it does not, `answer` is called without waiting for it. Asked only
    // while a body is on its way; without this function it always does.
    std::function<bool(const Request&)> needsBody = {};
};
// Called once in each worker thread before it takes requests; the handler is used by that thread only.
using HandlerFactory = std::function<Handler()>;

// Whether a web server that starts its programs itself (mod_fcgid) has started us, and waits at file descriptor 0
// (FastCGI 1.0, section 2.2).
bool isStartedByWebServer();

// A bound, listening, non-blocking socket: the one that stands at file descriptor 0 where a web server has started us
// (mod_fcgid), the one of the same address that systemd has passed (sd_listen_fds(3)), whose file is systemd's, else
// that of the settings. A unix socket file left by a dead process is replaced, one that answers is "in use"; the file
// is removed at the end, unless another process has replaced it, and never by a forked child. Throws ConfigurationError
// that names the address: in use, no such directory, no permission, no such group.
class ListeningSocket {
public:
    explicit ListeningSocket(const ServerSettings& settings);
    ~ListeningSocket();
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;
    int fileDescriptor() const { return fileDescriptor_; }
    // Removes a unix socket's file ahead of time: who is connected already is served, and nobody comes any more. False:
    // the socket is inherited, and whoever shares it or comes next answers there.
    bool closeDoor() const;
    // Whether systemd has passed sockets and this is none of them: whoever connects there would wait for ever.
    bool isBesideSystemds() const;

private:
    void removeFile() const;

    bool isOurs_ = true;
    int fileDescriptor_ = -1;
    // Of a unix socket that is ours to remove: its file as it was made, and the process that made it.
    std::string path_;
    std::pair<dev_t, ino_t> file_;
    pid_t owner_ = 0;
};

// How long a connection may take, beside the time that its request takes to be worked on.
struct Patience {
    // From the accept, or the first byte of another request on a kept connection, to the last byte of the answer.
    std::chrono::milliseconds request{20'000};
    // Between two requests on a kept connection.
    std::chrono::milliseconds idle{300'000};
    // After stop(), for what is on its way.
    std::chrono::milliseconds stop{3'000};
};

class FcgiServer {
public:
    FcgiServer(const ListeningSocket& socket, unsigned threads, const TrustedProxies& trustedProxies, Random& random,
               Logger& log, Patience patience = {});

    // Starts the threads and returns when stop() or handOver() was called and every request in flight is answered. No
    // request is taken before each thread has its handler. A thread whose factory throws ends the run, and the
    // exception is passed on; so does a listening socket that fails for good. SIGPIPE is ignored from here on; all
    // other signals stay the caller's.
    void run(const HandlerFactory& makeHandler);
    // From another thread than run()'s: waits until requests are taken. False where they will never be.
    bool waitUntilReady() const;
    // From any thread, while it runs: whether one of its threads answers a question of the protocol (FCGI_GET_VALUES)
    // within that time. It is neither logged nor counted.
    bool answers(std::chrono::milliseconds patience) const;
    // From any thread (the one in sigwait), also before run(). Connections that no thread has accepted stay in the
    // queue of a socket that somebody else has opened (systemd), for the process that shares it or comes next; those in
    // the queue of our own are answered yet, and a unix socket's file is removed first, so that nobody else comes.
    void stop();
    // As stop(), where another server of this process answers on the socket already: it stays as it is.
    void handOver();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace otpgate::http
