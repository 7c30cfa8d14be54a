// An SMTP server on a loopback port that follows a script and writes down what it is told. Used by the unit tests of
// the SMTP classes; its thread serves one connection after the other.
#pragma once

#include "otpgate/delivery/mail_transport.h"
#include "support_cpp/server_words.h"

#include <cppunit/TestAssert.h>

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace otpgate::test {

// What the server awaits and what it says then; the first of a connection awaits nothing: it is the greeting.
struct Step {
    std::string awaits;  // beginning of the line; kContent: everything up to the final dot
    std::string reply;   // sent as it stands with CRLF behind it; or one of the words below, or of server_words.h
};
inline const std::string kContent = "(content)";
inline const std::string kSlow = "(slow)";        // before a reply: 0.7 s late
inline const std::string kNothing = "(nothing)";  // goes on to what the client sends of its own accord

using Script = std::vector<Step>;

class ScriptedServer {
public:
    explicit ScriptedServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        CPPUNIT_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        CPPUNIT_ASSERT(::listen(listener_, 8) == 0);
        CPPUNIT_ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] {
            for (const auto& script : scripts_) serve(script);
            ++finished_;
        });
    }
    ~ScriptedServer() {
        isOver_ = true;
        thread_.join();
        ::close(listener_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    unsigned port() const { return port_; }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    std::vector<std::string> contents() {
        const std::lock_guard lock(mutex_);
        return contents_;
    }
    void awaitEnd() const {
        for (int i = 0; i < 5000 && finished_ == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CPPUNIT_ASSERT_EQUAL(1, finished_.load());
    }

private:
    bool awaitInput(int socket) const {
        for (int i = 0; i < 1000 && !isOver_; ++i) {
            pollfd entry{socket, POLLIN, 0};
            if (::poll(&entry, 1, 10) > 0) return true;
        }
        return false;
    }
    // Up to and with `end`; empty when the client went away.
    std::string readUntil(int socket, std::string_view end) const {
        std::string text;
        char c = 0;
        while (!text.ends_with(end)) {
            if (!awaitInput(socket) || ::recv(socket, &c, 1, 0) != 1) return {};
            text += c;
        }
        return text;
    }
    void awaitOver(std::chrono::milliseconds atMost) const {
        const auto end = std::chrono::steady_clock::now() + atMost;
        while (std::chrono::steady_clock::now() < end && !isOver_)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    static void say(int socket, const std::string& text) { ::send(socket, text.data(), text.size(), MSG_NOSIGNAL); }
    void drip(int socket) const {
        pollfd entry{socket, POLLIN, 0};
        while (!isOver_ && ::poll(&entry, 1, 100) == 0) say(socket, "2");
    }

    void serve(const Script& script) {
        if (!awaitInput(listener_)) return;
        const int socket = ::accept(listener_, nullptr, nullptr);
        for (const auto& step : script) {
            if (step.awaits == kContent) {
                const std::string content = readUntil(socket, "\r\n.\r\n");
                const std::lock_guard lock(mutex_);
                contents_.push_back(content);
            } else if (!step.awaits.empty()) {
                const std::string line = readUntil(socket, "\r\n");
                const std::lock_guard lock(mutex_);
                lines_.push_back(line.substr(0, line.size() - std::min<std::size_t>(2, line.size())));
                if (!line.starts_with(step.awaits)) {
                    lines_.push_back("awaited " + step.awaits);
                    break;
                }
            }
            if (step.reply == kStall) awaitInput(socket);
            if (step.reply == kDrip) drip(socket);
            if (step.reply == kStall || step.reply == kDrip || step.reply == kClose) break;
            if (step.reply == kNothing) continue;
            const bool isSlow = step.reply.starts_with(kSlow);
            if (isSlow) awaitOver(std::chrono::milliseconds(700));
            say(socket, step.reply.substr(isSlow ? kSlow.size() : 0) + "\r\n");
        }
        ::close(socket);
    }

    std::vector<Script> scripts_;
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port_ = 0;
    std::atomic<bool> isOver_ = false;
    std::atomic<int> finished_ = 0;
    std::mutex mutex_;
    std::vector<std::string> lines_;
    std::vector<std::string> contents_;
    std::thread thread_;
};

inline const Step kGreeting{"", "220 test ESMTP"};
inline const Step kHello{"EHLO ", "250-test\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN"};
inline const Step kMail{"MAIL FROM:<from@a.example>", "250 2.1.0 ok"};
inline const Step kRecipient{"RCPT TO:<to@b.example>", "250 ok"};
inline const Step kData{"DATA", "354 go"};
inline const Step kEnd{kContent, "250 2.0.0 queued"};
inline const Step kReset{"RSET", "250 ok"};
inline const Step kQuit{"QUIT", "221 bye"};

inline Script operator+(Script script, const std::vector<Step>& more) {
    script.insert(script.end(), more.begin(), more.end());
    return script;
}
inline const Script kOpening{kGreeting, kHello};
inline const Script kMessage{kMail, kRecipient, kData, kEnd};

// For a server of the script, of which nothing but the port is special.
inline delivery::SmtpServer serverAt(unsigned port) {
    delivery::SmtpServer server;
    server.host = "127.0.0.1";
    server.port = port;
    return server;
}

inline delivery::MailMessage shortMessage(const std::string& content = "Subject: x\r\n\r\nText\r\n") {
    return {"from@a.example", "to@b.example", content};
}

// A reason without the server that it begins with.
inline std::string withoutServer(const std::string& reason) {
    static constexpr std::string_view kHost = "127.0.0.1:";
    return reason.starts_with(kHost) ? reason.substr(reason.find(": ") + 2) : reason;
}

}  // namespace otpgate::test
