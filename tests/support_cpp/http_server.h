// A provider's HTTP server that says what it is told, on a loopback port.
#pragma once

#include "support_cpp/server_words.h"

#include <cppunit/TestAssert.h>

#include <arpa/inet.h>
#include <atomic>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace otpgate::test {

using Answers = std::vector<std::string>;  // whole responses, or words of server_words.h

// Serves one connection after the other on a loopback port, one answer a request, and writes the requests down.
class HttpServer {
public:
    explicit HttpServer(std::vector<Answers> connections) : connections_(std::move(connections)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        CPPUNIT_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        CPPUNIT_ASSERT(::listen(listener_, 8) == 0);
        CPPUNIT_ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] {
            for (const auto& answers : connections_) serve(answers);
        });
    }
    ~HttpServer() {
        isOver_ = true;
        thread_.join();
        ::close(listener_);
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    std::vector<std::string> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    bool awaitInput(int socket) const {
        for (int i = 0; i < 1000 && !isOver_; ++i) {
            pollfd entry{socket, POLLIN, 0};
            if (::poll(&entry, 1, 10) > 0) return true;
        }
        return false;
    }
    // Headers and as much of a body as they announce; empty when the client went away.
    std::string readRequest(int socket) const {
        std::string text;
        std::size_t wanted = std::string::npos;
        while (text.size() < wanted) {
            char c = 0;
            if (!awaitInput(socket) || ::recv(socket, &c, 1, 0) != 1) return {};
            text += c;
            if (wanted == std::string::npos && text.ends_with("\r\n\r\n")) {
                const auto at = text.find("Content-Length: ");
                wanted = text.size() + (at == std::string::npos ? 0 : std::stoul(text.substr(at + 16)));
            }
        }
        return text;
    }
    static void say(int socket, const std::string& text) { ::send(socket, text.data(), text.size(), MSG_NOSIGNAL); }
    void drip(int socket) const {
        say(socket, "HTTP/1.1 201 Created\r\n");
        pollfd entry{socket, POLLIN, 0};
        while (!isOver_ && ::poll(&entry, 1, 100) == 0) say(socket, "X-Header: x\r\n");
    }

    void serve(const Answers& answers) {
        if (!awaitInput(listener_)) return;
        const int socket = ::accept(listener_, nullptr, nullptr);
        for (const auto& answer : answers) {
            const std::string request = readRequest(socket);
            if (request.empty()) break;
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
            }
            if (answer == kStall) awaitInput(socket);
            if (answer == kDrip) drip(socket);
            if (answer == kStall || answer == kDrip || answer == kClose) break;
            say(socket, answer);
        }
        ::close(socket);
    }

    std::vector<Answers> connections_;
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port_ = 0;
    std::atomic<bool> isOver_ = false;
    std::mutex mutex_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

inline std::string answer(const std::string& status, const std::string& body, const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace otpgate::test
