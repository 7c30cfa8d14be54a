#include "overseer.h"

#include "otpgate/base/text.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace otpgate {

namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

std::string environmentOf(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::int64_t monotonicMicroseconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * kMicrosecondsPerSecond + now.tv_nsec / 1000;
}

}  // namespace

Systemd::Systemd() : path_(environmentOf("NOTIFY_SOCKET")) {
    const std::string pid = environmentOf("WATCHDOG_PID");
    const auto microseconds = parseNumber<std::int64_t>(environmentOf("WATCHDOG_USEC"));
    const bool isForUs = pid.empty() || pid == std::to_string(getpid());
    if (isForUs && microseconds && *microseconds > 0) {
        patience_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds{*microseconds});
    }
}

void Systemd::ready() {
    say("READY=1");
}

void Systemd::reloading() {
    say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonicMicroseconds()));
}

void Systemd::stopping() {
    say("STOPPING=1");
}

void Systemd::alive() {
    say("WATCHDOG=1");
}

// Nobody waits for an answer, and there is nothing to be done where it does not arrive.
void Systemd::say(std::string_view lines) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.empty() || path_.size() >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (path_.front() == '@') address.sun_path[0] = '\0';  // of the abstract namespace
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    sendto(socket, lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
    close(socket);
}

}  // namespace otpgate
