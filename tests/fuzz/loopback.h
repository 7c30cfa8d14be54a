// A server on a loopback port that says what it is told, once a connection, and keeps what it hears. For fuzzers of
// clients: one input, one conversation.
#pragma once

#include "fuzz/fuzz.h"

#include <arpa/inet.h>
#include <condition_variable>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace otpgate::fuzz {

class Loopback {
public:
    Loopback() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        REQUIRE(::listen(listener_, 16) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
        thread_.detach();  // as long as the program
    }
    Loopback(const Loopback&) = delete;
    Loopback& operator=(const Loopback&) = delete;

    unsigned port() const { return port_; }

    // What every connection is told from here on. It is said at once, and nothing follows it.
    void say(std::string text) {
        const std::lock_guard lock(mutex_);
        text_ = std::move(text);
        heard_.clear();
        connections_ = 0;
    }
    // All that was heard since, once there was a connection and it is over; how many there were.
    std::string heard() {
        std::unique_lock lock(mutex_);
        // A client may be done before its connection was accepted.
        over_.wait(lock, [this] { return connections_ > 0 && !isServing_; });
        return heard_;
    }
    unsigned connections() {
        const std::lock_guard lock(mutex_);
        return connections_;
    }

private:
    void serve() {
        while (true) {
            const int socket = ::accept(listener_, nullptr, nullptr);
            if (socket < 0) return;
            std::string text;
            {
                const std::lock_guard lock(mutex_);
                isServing_ = true;
                text = text_;
                ++connections_;
            }
            ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
            ::shutdown(socket, SHUT_WR);
            std::string heard;
            char buffer[4096];
            for (ssize_t count = 0; (count = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
                heard.append(buffer, static_cast<std::size_t>(count));
            ::close(socket);
            const std::lock_guard lock(mutex_);
            heard_ += heard;
            isServing_ = false;
            over_.notify_all();
        }
    }

    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port_ = 0;
    std::mutex mutex_;
    std::condition_variable over_;
    std::string text_;
    std::string heard_;
    unsigned connections_ = 0;
    bool isServing_ = false;
    std::thread thread_;
};

}  // namespace otpgate::fuzz
