#include "http/descriptor.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/http/fcgi_server.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace otpgate::http {

namespace {

constexpr int kBacklog = 511;
constexpr int kFirstSystemdFileDescriptor = 3;

std::string reasonOf(int error) {
    return std::generic_category().message(error);
}

[[noreturn]] void refuse(std::string_view address, std::string_view reason) {
    throw ConfigurationError("server.listen: cannot listen on " + std::string{address} + ": " + std::string{reason});
}

int makeSocket(int family, std::string_view address) {
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) refuse(address, reasonOf(errno));
    return fd;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

// Makes way for a new socket file: one that nobody answers on was left by a process that is gone.
void removeStaleSocket(const std::string& path, const sockaddr_un& address, std::string_view listen) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return;
        refuse(listen, reasonOf(errno));
    }
    if (!S_ISSOCK(status.st_mode)) refuse(listen, "the file is there and is not a socket");
    const Descriptor probe(makeSocket(AF_UNIX, listen));
    if (connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
        refuse(listen, "another process answers there");
    }
    if (errno != ECONNREFUSED && errno != ENOENT) refuse(listen, reasonOf(errno));
    if (unlink(path.c_str()) != 0 && errno != ENOENT) refuse(listen, reasonOf(errno));
}

void giveToGroup(const std::string& path, const std::string& group, std::string_view listen) {
    std::array<char, 16384> buffer{};
    struct group entry {};
    struct group* found = nullptr;
    getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) refuse(listen, "there is no group " + group);
    if (lchown(path.c_str(), static_cast<uid_t>(-1), entry.gr_gid) != 0) {
        refuse(listen, "cannot give it to the group " + group + ": " + reasonOf(errno));
    }
}

int listenOnPath(const std::string& path, const ServerSettings& settings) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty()) refuse(settings.listen, "a path is missing");
    if (path.size() >= sizeof address.sun_path) refuse(settings.listen, "the path is too long for a socket");
    std::memcpy(address.sun_path, path.data(), path.size());

    removeStaleSocket(path, address, settings.listen);
    Descriptor fd(makeSocket(AF_UNIX, settings.listen));
    if (bind(fd.get(), generic(address), sizeof address) != 0) refuse(settings.listen, reasonOf(errno));
    // Nobody can connect before listen(), so the rights are in place in time whatever the umask is.
    if (!settings.socketGroup.empty()) giveToGroup(path, settings.socketGroup, settings.listen);
    if (chmod(path.c_str(), settings.socketMode) != 0) refuse(settings.listen, reasonOf(errno));
    if (listen(fd.get(), kBacklog) != 0) refuse(settings.listen, reasonOf(errno));
    return fd.release();
}

int listenOnPort(std::string_view listenAddress) {
    const std::size_t colon = listenAddress.rfind(':');
    std::string host{listenAddress.substr(0, colon)};
    const std::string port{listenAddress.substr(std::min(colon, listenAddress.size() - 1) + 1)};
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto number = parseNumber<std::uint16_t>(port);
    if (colon == std::string_view::npos || host.empty() || host == "fd" || !number || *number == 0) {
        refuse(listenAddress, "it is not unix:PATH, HOST:PORT, fd:0 or systemd");
    }

    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int result = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); result != 0) {
        refuse(listenAddress, gai_strerror(result));
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
    Descriptor fd(makeSocket(addresses->ai_family, listenAddress));
    const int on = 1;
    // The last one is inherited by each accepted connection.
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 || listen(fd.get(), kBacklog) != 0) {
        refuse(listenAddress, reasonOf(errno));
    }
    return fd.release();
}

// In the place of the input.
constexpr int kFcgiListeningSocket = 0;

bool isListening(int fd) {
    int answer = 0;
    socklen_t size = sizeof answer;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer != 0;
}

// A socket that the starter has opened. It may serve others too, so it is used and never shut down.
int inherited(int fd, std::string_view listenAddress) {
    if (!isListening(fd)) {
        refuse(listenAddress, "file descriptor " + std::to_string(fd) + " is not a listening socket");
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

// sd_listen_fds(3), without the library: how many sockets systemd has passed to this very process.
int countOfSystemds() {
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (pid == nullptr || count == nullptr || pid != std::to_string(getpid())) return 0;
    return parseNumber<int>(count).value_or(0);
}

int fromSystemd(std::string_view listenAddress) {
    if (countOfSystemds() == 0) refuse(listenAddress, "systemd passed no socket (LISTEN_PID and LISTEN_FDS)");
    if (countOfSystemds() != 1) refuse(listenAddress, "systemd must pass exactly one socket");
    return inherited(kFirstSystemdFileDescriptor, listenAddress);
}

// The one of systemd's that has this path, or -1.
int fromSystemd(const std::string& path, std::string_view listenAddress) {
    const int end = kFirstSystemdFileDescriptor + countOfSystemds();
    for (int fd = kFirstSystemdFileDescriptor; fd < end; ++fd) {
        sockaddr_un address{};
        socklen_t size = sizeof address;
        if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
        const std::string_view itsPath{address.sun_path, strnlen(address.sun_path, sizeof address.sun_path)};
        if (address.sun_family == AF_UNIX && path == itsPath) return inherited(fd, listenAddress);
    }
    return -1;
}

}  // namespace

bool isStartedByWebServer() {
    return isListening(kFcgiListeningSocket);
}

ListeningSocket::ListeningSocket(const ServerSettings& settings) {
    const std::string_view address = settings.listen;
    // Whoever gave it waits there, whatever the settings say; without it `fd:0` is a mistake.
    if (address == "fd:0" || (address != "systemd" && isStartedByWebServer())) {
        isOurs_ = false;
        fileDescriptor_ = inherited(kFcgiListeningSocket, address);
    } else if (address.starts_with("unix:")) {
        path_ = address.substr(5);
        fileDescriptor_ = fromSystemd(path_, address);
        isOurs_ = fileDescriptor_ < 0;
        if (isOurs_) fileDescriptor_ = listenOnPath(path_, settings);
        struct stat status {};
        if (lstat(path_.c_str(), &status) == 0) file_ = {status.st_dev, status.st_ino};
        owner_ = getpid();
    } else if (address == "systemd") {
        isOurs_ = false;
        fileDescriptor_ = fromSystemd(address);
    } else {
        fileDescriptor_ = listenOnPort(address);
    }
}

ListeningSocket::~ListeningSocket() {
    close(fileDescriptor_);
    removeFile();
}

bool ListeningSocket::isBesideSystemds() const {
    return isOurs_ && countOfSystemds() > 0;
}

bool ListeningSocket::closeDoor() const {
    if (isOurs_) removeFile();
    return isOurs_;
}

void ListeningSocket::removeFile() const {
    // Neither a forked child nor a process that was replaced removes the file that the others answer on.
    struct stat status {};
    if (!isOurs_ || path_.empty() || owner_ != getpid() || lstat(path_.c_str(), &status) != 0) return;
    if (file_ == std::pair{status.st_dev, status.st_ino}) unlink(path_.c_str());
}

}  // namespace otpgate::http
